"""When somebody may be asked how it went, and what the scores come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.satisfaction import ASK_AGAIN_AFTER, SCORES, STILL_THERE, Situation, may_ask, tally

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
AT_EASE = Situation(
    is_held=False, has_open_case=False, is_waiting=False, weighs_offer=False, last_asked_at=None, last_inbound_at=NOW
)


def test_somebody_at_ease_who_was_never_asked_may_be_asked() -> None:
    assert may_ask(AT_EASE, NOW)


@pytest.mark.parametrize(
    "situation",
    [
        replace(AT_EASE, is_held=True),
        replace(AT_EASE, has_open_case=True),
        replace(AT_EASE, is_waiting=True),
        replace(AT_EASE, weighs_offer=True),
        replace(AT_EASE, last_inbound_at=None),
        replace(AT_EASE, last_inbound_at=NOW - STILL_THERE - timedelta(seconds=1)),
        replace(AT_EASE, last_asked_at=NOW),
        replace(AT_EASE, last_asked_at=NOW - ASK_AGAIN_AFTER + timedelta(seconds=1)),
    ],
)
def test_each_reason_alone_is_enough_not_to_ask(situation: Situation) -> None:
    assert not may_ask(situation, NOW)


def test_long_after_the_last_time_it_may_be_asked_again() -> None:
    assert may_ask(replace(AT_EASE, last_asked_at=NOW - ASK_AGAIN_AFTER), NOW)


def test_a_tally_counts_every_score_and_who_did_not_answer() -> None:
    found = tally([5, None, 4, 5, 1, None])
    assert (found.asked, found.answered) == (6, 4)
    assert dict(found.counts) == {1: 1, 2: 0, 3: 0, 4: 1, 5: 2}
    assert found.mean == Decimal("3.75")
    assert found.satisfied_percent == 75


def test_without_answers_there_is_no_figure() -> None:
    assert (tally([None]).mean, tally([None]).satisfied_percent) == (None, None)


@given(st.lists(st.none() | st.sampled_from(list(SCORES))))
def test_figures_stay_within_the_scale(scores: list[int | None]) -> None:
    found = tally(scores)
    assert found.answered <= found.asked == len(scores)
    if found.mean is not None and found.satisfied_percent is not None:
        assert SCORES[0] <= found.mean <= SCORES[-1]
        assert 0 <= found.satisfied_percent <= 100
