"""When wrong answers lock verification."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.attempts import Attempt, locked_until

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LOCK = timedelta(minutes=30)
ALLOWED = 3


def minutes_ago(*spans: float, passed: bool = False) -> list[Attempt]:
    return [Attempt(NOW - timedelta(minutes=span), passed) for span in spans]


def test_no_answers_lock_nothing() -> None:
    assert locked_until([], NOW, ALLOWED, LOCK) is None


def test_fewer_wrong_answers_than_allowed_lock_nothing() -> None:
    assert locked_until(minutes_ago(1, 2), NOW, ALLOWED, LOCK) is None


def test_the_last_allowed_wrong_answer_locks_from_then_on() -> None:
    assert locked_until(minutes_ago(1, 2, 5), NOW, ALLOWED, LOCK) == NOW + timedelta(minutes=29)


def test_the_order_of_the_record_does_not_matter() -> None:
    assert locked_until(minutes_ago(5, 1, 2), NOW, ALLOWED, LOCK) == locked_until(
        minutes_ago(1, 2, 5), NOW, ALLOWED, LOCK
    )


def test_a_right_answer_in_between_does_not_wipe_the_wrong_ones() -> None:
    attempts = minutes_ago(1, 5) + minutes_ago(3, passed=True) + minutes_ago(8)
    assert locked_until(attempts, NOW, ALLOWED, LOCK) is not None


def test_right_answers_never_lock() -> None:
    assert locked_until(minutes_ago(1, 2, 3, 4, 5, passed=True), NOW, ALLOWED, LOCK) is None


def test_the_lock_opens_when_its_time_is_over() -> None:
    assert locked_until(minutes_ago(30, 31, 32), NOW, ALLOWED, LOCK) is None
    assert locked_until(minutes_ago(29, 31, 32), NOW, ALLOWED, LOCK) == NOW + timedelta(minutes=1)


def test_wrong_answers_further_apart_than_the_lock_do_not_add_up() -> None:
    assert locked_until(minutes_ago(1, 20, 31), NOW, ALLOWED, LOCK) is None


def test_one_wrong_answer_after_a_lock_does_not_open_it() -> None:
    attempts = minutes_ago(10, 28, 32, 35)
    assert locked_until(attempts, NOW, ALLOWED, LOCK) == NOW + timedelta(minutes=20)


def test_a_single_allowed_answer_locks_at_once() -> None:
    assert locked_until(minutes_ago(0), NOW, 1, LOCK) == NOW + LOCK


@given(
    st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=12),
    st.integers(min_value=1, max_value=5),
)
def test_a_further_wrong_answer_never_opens_the_lock_or_shortens_it(
    history: list[tuple[int, bool]], allowed: int
) -> None:
    attempts = [Attempt(NOW - timedelta(minutes=span), passed) for span, passed in history]
    before = locked_until(attempts, NOW, allowed, LOCK)
    after = locked_until([*attempts, Attempt(NOW, passed=False)], NOW, allowed, LOCK)
    assert before is None or NOW < before <= NOW + LOCK
    assert before is None or (after is not None and after >= before)


@pytest.mark.parametrize("rate_minutes", [1, 5, 10, 14])
def test_a_thief_gets_no_more_than_the_allowed_answers_a_lock_span(rate_minutes: int) -> None:
    attempts: list[Attempt] = []
    for minute in range(0, 24 * 60, rate_minutes):
        moment = NOW + timedelta(minutes=minute)
        if locked_until(attempts, moment, ALLOWED, LOCK) is None:
            attempts.append(Attempt(moment, passed=False))
    assert len(attempts) <= ALLOWED * 24 * 60 / 30
