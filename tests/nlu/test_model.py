"""What the trained model reads, measured through the command that everybody uses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bot.settings import ROOT

YARDSTICK = ROOT.parent / "shared" / "eval"
NEEDS_YARDSTICK = pytest.mark.skipif(not YARDSTICK.exists(), reason="the yardstick is not beside this checkout")


def bot(*arguments: str) -> dict[str, object]:
    command = [sys.executable, "-m", "bot.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, object] = json.loads(done.stdout)
    return report


PLAIN = [
    ("a", "ask_balance", "我現在一共欠多少錢"),
    ("b", "ask_balance", "我现在一共欠多少钱"),
    ("c", "request_human", "轉人工"),
    ("d", "request_human", "转人工!!!"),
    ("e", "rights/credit_report", "預期會影響徵信嗎"),
]
SIGNS = ["…", "……", "。。。", "?!", "——", "...", "、", "~"]


@pytest.fixture(scope="module")
def misread(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What plain messages and signs without a word were wrongly read as, by id; one loading of the model for all."""
    rows = [*PLAIN, *((sign, "greet", sign) for sign in SIGNS)]
    path = tmp_path_factory.mktemp("rows") / "rows.tsv"
    path.write_text("id\tlabel\ttext\n" + "".join("\t".join(row) + "\n" for row in rows), "utf-8")
    misses = bot("nlu-eval", str(path), "--json")["misses"]
    assert isinstance(misses, list)
    return {miss["id"]: miss["read_as"] for miss in misses}


def test_traditional_full_width_and_misspelt_messages_are_read_like_plain_ones(misread: dict[str, str]) -> None:
    assert [row for row in PLAIN if row[0] in misread] == []


def test_signs_without_a_word_are_never_taken_for_an_answer(misread: dict[str, str]) -> None:
    assert {sign: misread.get(sign) for sign in SIGNS} == dict.fromkeys(SIGNS, "nlu_fallback")


@NEEDS_YARDSTICK
def test_values_are_read_to_the_letter() -> None:
    report = bot("values-eval", str(YARDSTICK / "values.tsv"), "--now", "2026-11-21T12:00:00+08:00", "--json")
    assert report["false_readings"] == 0
