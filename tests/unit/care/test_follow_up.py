"""When somebody in danger has to be looked after again, and what is not spoken of meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.care.follow_up import FIRST_WORD, NEXT_WORD, due_at, speaks_of_debt

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
LATER = AT + timedelta(hours=3)


def test_the_first_word_is_due_soon_and_each_next_one_within_a_day() -> None:
    assert due_at(AT, None, None) == AT + FIRST_WORD
    assert due_at(AT, LATER, None) == LATER + NEXT_WORD
    assert due_at(AT, None, LATER) == LATER + NEXT_WORD, "an alarm is not raised again at once"
    assert due_at(AT, AT, LATER) == LATER + NEXT_WORD


@pytest.mark.parametrize("words", ["您今天好些了吗？", "有人陪着您吗？想说话随时找我。", "12356 也可以打。"])
def test_words_about_the_person_are_free(words: str) -> None:
    assert not speaks_of_debt(words)


@pytest.mark.parametrize("words", ["欠款的事我们再看", "什么时候能还款", "还您一个方案", "这个月 500 元", "您已逾期"])
def test_words_about_the_debt_are_seen(words: str) -> None:
    assert speaks_of_debt(words)
