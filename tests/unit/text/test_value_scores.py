"""The measuring itself is measured."""

from datetime import datetime

import pytest

from bot.text.value_scores import KindScore, ValueRow, parse_rows, score
from bot.text.values import SHANGHAI

NOW = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)


def row(kind: str, text: str, gold: str) -> ValueRow:
    return ValueRow("x1", kind, text, gold)


@pytest.mark.parametrize(
    ("kind", "text", "gold"),
    [
        ("amount", "还两千五", "2500.00"),
        ("amount", "还两三千", "2000.00..3000.00"),
        ("date", "过几天", "unresolved"),
        ("date", "月底", "2026-11-30"),
        ("day_of_month", "每月最后一天", "last"),
        ("months", "24到36期", "24..36"),
        ("percent", "打八折", "80"),
        ("time_of_day", "晚上8点", "20:00"),
        ("none", "打12378", "none"),
    ],
)
def test_a_right_reading_counts(kind: str, text: str, gold: str) -> None:
    report = score([row(kind, text, gold)], NOW)
    assert report.kinds == (KindScore(kind, 1, 1),)
    assert report.misses == ()


def test_a_range_must_match_at_both_ends() -> None:
    report = score([row("amount", "还两三千", "2000.00..4000.00")], NOW)
    assert [miss.read for miss in report.misses] == [("2000.00..3000.00",)]


def test_a_reading_missed_is_a_miss() -> None:
    (miss,) = score([row("amount", "没多少", "100.00")], NOW).misses
    assert miss.read == ()


def test_two_different_readings_are_a_miss() -> None:
    assert score([row("amount", "先还500块再还600块", "500.00")], NOW).misses


def test_any_value_in_a_message_without_one_is_a_false_reading() -> None:
    report = score([row("none", "15号还500", "none"), row("none", "你好", "none")], NOW)
    assert report.false_readings == 1
    assert report.to_json()["kinds"]["none"] == {"rows": 2, "correct": 1, "rate": "0.5000"}


def test_the_table_shows_counts_and_misses() -> None:
    text = score([row("amount", "没多少", "100.00")], NOW).to_text()
    assert "没多少" in text
    assert "0.0%" in text


def test_a_table_is_read_without_quoting() -> None:
    assert parse_rows(["id\tkind\ttext\tgold\n", 'a\tamount\t"500块\t500.00\n']) == (
        ValueRow("a", "amount", '"500块', "500.00"),
    )


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["id,kind\n"], "line 1"),
        (["id\tkind\ttext\tgold\n", "a\tamount\t500\n"], "line 2: four columns"),
        (["id\tkind\ttext\tgold\n", "a\tweight\t5\t5\n"], "line 2: unknown kind"),
    ],
)
def test_a_bad_table_says_where(lines: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_rows(lines)
