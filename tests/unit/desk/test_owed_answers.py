"""Who speaks of a right is told of it, by somebody, at some point; where nobody has, the checks find it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.desk.owed_answers import OwedAnswerError, load_owed_answers
from bot.desk.talk_checks import Line, TalkFlaw, check_talk
from bot.settings import ROOT

OWED = load_owed_answers(ROOT / "data" / "outreach" / "owed_answers.yml")
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def missed(*texts: str) -> list[tuple[int, str | None]]:
    """Say texts in turn, the borrower first; returns where which right was missed."""
    lines = [Line(seq, text, NOON, is_ours=seq % 2 == 0) for seq, text in enumerate(texts, start=1)]
    flaws = check_talk(lines, lambda _: None, lambda _: True, timedelta(hours=12), OWED)
    return [(flaw.seq, flaw.rule) for flaw in flaws if flaw.flaw is TalkFlaw.MISSED_RIGHT]


@pytest.mark.parametrize(
    ("asked", "right", "told"),
    [
        ("我要投诉你们", "complaint", "已经按投诉登记，编号在上面。"),
        ("這筆錢不是我借的", "dispute", "已登记为异议，查清之前不催。"),
        ("别再给我打电话了", "silence", "好的，不会再打。"),
        ("你们打给我单位了", "family_left_alone", "我们不会联系您的单位。"),
        ("转人工", "person", "已经请同事来接。"),
    ],
)
def test_a_right_is_missed_until_something_said_afterwards_leads_on_to_it(asked: str, right: str, told: str) -> None:
    assert missed(asked, "请问您哪天还款？") == [(1, right)]
    assert missed(asked, told) == []
    assert missed(asked, "请问您哪天还款？", "嗯", told) == [], "late is not missed"
    assert missed("您好", told, asked, "请问您哪天还款？") == [(3, right)], "what was said before is no answer"


def test_each_right_is_found_once_at_its_first_mention() -> None:
    assert missed("我要投诉", "嗯", "我要投诉，转人工", "嗯") == [(1, "complaint"), (3, "person")]


def test_no_answer_at_all_is_a_flaw_of_its_own() -> None:
    assert missed("您好", "您好", "我要投诉") == []


def test_our_own_words_are_no_question() -> None:
    assert missed("您好", "转人工可以说“找人工”", "好", "嗯") == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("rights: {a: {asked: ['('], told: [x]}}", "a: "),
        ("rights: {a: {asked: ['x*'], told: [x]}}", "matches anything"),
        ("rights: {a: {asked: [], told: [x]}}", "asked"),
        ("rights: 1", "rights"),
        (":", "owed.yml"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "owed.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(OwedAnswerError, match=wrong):
        load_owed_answers(path)


def test_without_rights_nothing_is_missed() -> None:
    line = Line(1, "我要投诉", NOON, is_ours=False)
    assert check_talk([line, Line(2, "嗯", NOON, is_ours=True)], lambda _: None, lambda _: True, timedelta(1)) == ()
