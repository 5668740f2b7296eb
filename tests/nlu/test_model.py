"""What the trained model reads, measured through the command that everybody uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


def test_traditional_full_width_and_misspelt_messages_are_read_like_plain_ones(tmp_path: Path) -> None:
    rows = [
        ("a", "ask_balance", "我現在一共欠多少錢"),
        ("b", "ask_balance", "我现在一共欠多少钱"),
        ("c", "request_human", "轉人工"),
        ("d", "request_human", "转人工!!!"),
        ("e", "rights/credit_report", "預期會影響徵信嗎"),
    ]
    path = tmp_path / "rows.tsv"
    path.write_text("id\tlabel\ttext\n" + "".join("\t".join(row) + "\n" for row in rows), "utf-8")
    report = bot("nlu-eval", str(path), "--json")
    assert report["misses"] == []


def test_signs_without_a_word_are_never_taken_for_an_answer(tmp_path: Path) -> None:
    signs = ["…", "……", "。。。", "?!", "——", "...", "、", "~"]
    path = tmp_path / "rows.tsv"
    path.write_text("id\tlabel\ttext\n" + "".join(f"{sign}\tgreet\t{sign}\n" for sign in signs), "utf-8")
    misses = bot("nlu-eval", str(path), "--json")["misses"]
    assert isinstance(misses, list)
    assert {miss["id"]: miss["read_as"] for miss in misses} == dict.fromkeys(signs, "nlu_fallback")


@NEEDS_YARDSTICK
def test_values_are_read_to_the_letter() -> None:
    report = bot("values-eval", str(YARDSTICK / "values.tsv"), "--now", "2026-11-21T12:00:00+08:00", "--json")
    assert report["false_readings"] == 0
