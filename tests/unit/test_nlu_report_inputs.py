"""What the report on reading takes in, spoils and asks Rasa's environment for, and its command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nlu_report_builders import AT, GUARD, MODEL, SETS, measured, read_as, row
from typer.testing import CliRunner

from bot import nlu_scores
from bot.cli import app
from bot.model import Model
from bot.nlu_report import live
from bot.nlu_report.folder import PREVIOUS, REPORT, last_report
from bot.nlu_report.report import Share
from bot.nlu_report.sets import HELDOUT, YARDSTICK, default_files, named_files, read_sets
from bot.nlu_report.training import training_texts
from bot.nlu_report.variants import VARIANTS, spoil, typos
from bot.nlu_scores import FALLBACK, EvaluationError, Prediction, Readings
from bot.settings import ROOT, Settings


def test_sets_are_named_by_file_or_folder_and_no_stranger_takes_a_default_name(tmp_path: Path) -> None:
    paths = []
    for name in ("heldout/messages.tsv", "yardstick.tsv", "june.tsv", "other/june.tsv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("id\tlabel\ttext\n1\tgreet\t在吗\n", "utf-8")
        paths.append(path)
    defaults = default_files()
    files = named_files([*paths, paths[2], defaults[HELDOUT]], defaults)
    assert list(files) == ["heldout-2", "yardstick-2", "june", "june-2", HELDOUT]
    assert files[HELDOUT] == defaults[HELDOUT].resolve()


def test_a_yardstick_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="yardstick"):
        default_files(tmp_path)
    (tmp_path / "messages.tsv").touch()
    assert default_files(tmp_path)[YARDSTICK] == tmp_path / "messages.tsv"


@pytest.mark.parametrize("content", [b"", b"id\tlabel\ttext\n", b"id\tlabel\ttext\n1\tgreet\n", b"\xff\xfe\x00"])
def test_a_file_without_usable_messages_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "june.tsv"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match=r"june\.tsv"):
        read_sets({"june": path})


def test_training_texts_are_the_normalised_examples(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "nlu" / "debt"
    folder.mkdir(parents=True)
    examples = "nlu:\n  - intent: ask_balance\n    examples: |\n      - 我欠多少錢\n      - 预期了\n"
    (folder / "ask_balance.yml").write_text(examples, "utf-8")
    assert training_texts(tmp_path) == {"我欠多少钱", "逾期了"}
    assert len(training_texts(ROOT)) > 1000


@pytest.mark.parametrize("name", VARIANTS)
@given(text=st.text(max_size=40), number=st.integers(0, 99))
def test_the_same_row_is_always_spoilt_alike_and_never_emptied(name: str, text: str, number: int) -> None:
    one = row("greet", text, number)
    spoilt = spoil(name, one)
    assert spoilt == spoil(name, one)
    assert bool(spoilt) or not text


@given(text=st.text(min_size=2, max_size=40), number=st.integers(0, 99))
def test_one_character_goes_or_comes_twice(text: str, number: int) -> None:
    one = row("greet", text, number)
    letters = sum(map(str.isalnum, text))
    assert len(spoil("dropped_character", one)) == len(text) - (letters > 1)
    assert len(spoil("doubled_character", one)) == len(text) + (letters > 0)


def test_other_rows_are_spoilt_elsewhere() -> None:
    text = "一二三四五六七八九十"
    assert len({spoil("dropped_character", row("inform", text, number)) for number in range(40)}) > 3


@given(number=st.integers(0, 200))
def test_at_least_one_known_word_is_misspelt_as_the_table_says(number: int) -> None:
    spoilt = spoil("homophones", row("dispute_debt", "被催收了,逾期利息不对", number))
    known = typos().misspellings
    parts = [["催收", *known["催收"]], ["逾期", *known["逾期"]], ["利息", *known["利息"]]]
    allowed = {f"被{a}了,{b}{c}不对" for a in parts[0] for b in parts[1] for c in parts[2]}
    assert spoilt in allowed
    assert spoilt != "被催收了,逾期利息不对"


def test_a_text_without_known_words_is_not_misspelt() -> None:
    assert spoil("homophones", row("greet", "hello")) == "hello"


def test_no_misspelling_is_the_right_spelling() -> None:
    assert typos().emoji
    assert all(wrong and right not in wrong for right, wrong in typos().misspellings.items())


def test_script_punctuation_and_pictures() -> None:
    assert spoil("traditional", row("ask_balance", "还钱的账单")) == "還錢的帳單"
    assert spoil("unpunctuated", row("ask_balance", "你好, 我欠多少?~")) == "你好我欠多少"
    assert spoil("unpunctuated", row("chitchat", "??")) == "??"
    assert spoil("emoji", row("ask_balance", "我欠多少"))[:-1] == "我欠多少"


def test_spoilt_figures_are_set_against_the_same_rows_as_they_are() -> None:
    robustness = measured().report.robustness
    by_name = {one.name: one for one in robustness.variants}
    assert (robustness.set_name, robustness.right, robustness.noticed.count) == (HELDOUT, Share(count=2, of=4), 1)
    # Only the question mark goes; the text without it is one this reader does not know.
    unpunctuated = by_name["unpunctuated"]
    assert unpunctuated.right == Share(count=1, of=4)
    assert unpunctuated.right_changed == Share(count=0, of=1)
    assert unpunctuated.right_changed_plain == Share(count=1, of=1)
    assert by_name["emoji"].noticed == Share(count=1, of=1)


def test_robustness_falls_to_the_first_set_where_the_held_out_one_is_not_measured() -> None:
    assert measured(SETS[1:], {}).report.robustness.set_name == YARDSTICK


def fake_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(nlu_scores, "RUNTIME_PYTHON", program)
    monkeypatch.setattr(nlu_scores, "ensure_model", lambda settings: Model(tmp_path / "m.tar.gz", "m"))


def test_readings_and_progress_come_over_the_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "load_seconds": 2.5,
        "first_seconds": 0.25,
        "predictions": [
            {
                "label": FALLBACK,
                "confidence": 0.3,
                "ranking": [["greet", 0.2], ["deny", 0.1]],
                "seconds": 0.01,
                "articles": [],
            }
        ],
    }
    fake_runtime(
        tmp_path, monkeypatch, f"echo noise >&2; echo progress 1 1 >&2; echo noise; echo '{json.dumps(answer)}'"
    )
    heard: list[tuple[int, int]] = []
    read = nlu_scores.read_all(Settings(var_dir=tmp_path), ["在吗"], lambda done, of: heard.append((done, of)))
    assert heard == [(1, 1)]
    assert (read.load_seconds, read.first_seconds) == (2.5, 0.25)
    assert read.predictions == (Prediction(FALLBACK, 0.3, (("greet", 0.2), ("deny", 0.1)), 0.01),)
    assert read.predictions[0].best == ("greet", 0.2)


def test_a_model_that_cannot_be_read_is_reported_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_runtime(tmp_path, monkeypatch, "echo 'no such model' >&2; exit 1")
    with pytest.raises(EvaluationError, match="no such model"):
        nlu_scores.read_all(Settings(var_dir=tmp_path), ["在吗"])


def test_the_command_names_a_malformed_file_instead_of_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_VAR_DIR", str(tmp_path / "var"))
    path = tmp_path / "june.tsv"
    path.write_text("id\tlabel\ttext\n1\tgreet\n", "utf-8")
    done = CliRunner().invoke(app, ["nlu-report", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "june.tsv: line 2" in done.output
    assert not (tmp_path / "out").exists()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stand in for Rasa's environment: everything is read as a greeting, nothing was learned, pictures are noted."""
    folders: list[Path] = []

    def read(settings: Settings, texts: Sequence[str], progress: Callable[[int, int], None]) -> Readings:
        progress(len(texts), len(texts))
        return Readings(MODEL, 1.5, 0.5, tuple(read_as("greet") for _ in texts))

    monkeypatch.setattr(live, "read_all", read)
    monkeypatch.setattr(live, "training_texts", frozenset)
    monkeypatch.setattr(live, "draw", lambda settings, data, folder: folders.append(folder))
    return folders


def test_a_second_report_is_compared_with_the_first(tmp_path: Path, drawn: list[Path]) -> None:
    settings, folder = Settings(var_dir=tmp_path), tmp_path / "out"
    first = live.make_report(settings, GUARD, SETS, folder, AT, print)
    second = live.make_report(settings, GUARD, SETS, folder, AT, print)
    assert first.comparison is None
    assert second.comparison is not None
    assert [one.accuracy for one in second.comparison.sets] == [0, 0]
    assert drawn == [folder, folder]


def test_a_damaged_report_is_kept_and_said_and_a_new_one_made(tmp_path: Path, drawn: list[Path]) -> None:
    (tmp_path / REPORT).write_text("{", "utf-8")
    said: list[str] = []
    made = live.make_report(Settings(var_dir=tmp_path), GUARD, SETS, tmp_path, AT, said.append)
    assert made.comparison is None
    assert any(line.startswith("nothing to compare with") for line in said)
    assert (tmp_path / PREVIOUS).read_text("utf-8") == "{"
    assert last_report(tmp_path) == made


def test_the_command_says_how_far_it_is_on_one_stream_and_the_result_on_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: list[Path]
) -> None:
    monkeypatch.setenv("DESK_VAR_DIR", str(tmp_path / "var"))
    path = tmp_path / "june.tsv"
    path.write_text("id\tlabel\ttext\n1\tgreet\t在吗\n2\taffirm\t可以的\n", "utf-8")
    done = CliRunner().invoke(app, ["nlu-report", str(path)])
    assert done.exit_code == 0, done.output
    page = tmp_path / "var" / "nlu-report" / "report.md"
    assert done.stdout.splitlines() == ["june: 1 of 2 right, macro-F1 0.333", str(page)]
    assert "· drawing" in done.stderr.splitlines()
    assert page.exists()
    assert drawn == [page.parent]
