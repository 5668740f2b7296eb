from datetime import date, timedelta

import pytest
from workout_builders import AS_OF

from bot.workout.policy_sections import PromiseTerms
from bot.workout.promise import (
    PaymentMade,
    PromiseRefusal,
    PromiseState,
    PromiseToPay,
    judged,
    paid_towards,
    promised,
)

TERMS = PromiseTerms(minimum_fen=100_00, largest_fen=2_000_00, max_days=15, grace_days=1)
DUE = AS_OF + timedelta(days=10)
PROMISE = PromiseToPay(500_00, AS_OF, DUE, grace_days=1)


def paid(fen: int, days: int) -> PaymentMade:
    return PaymentMade(AS_OF + timedelta(days=days), fen)


def test_a_small_sum_soon_is_noted() -> None:
    assert promised(500_00, DUE, AS_OF, 12_000_00, TERMS) == PROMISE


@pytest.mark.parametrize(
    ("fen", "due_on", "why"),
    [
        (99_99, DUE, PromiseRefusal.TOO_SMALL),
        (2_000_01, DUE, PromiseRefusal.TOO_LARGE),
        (12_000_01, DUE, PromiseRefusal.MORE_THAN_OWED),
        (500_00, AS_OF - timedelta(days=1), PromiseRefusal.DAY_PASSED),
        (500_00, AS_OF + timedelta(days=16), PromiseRefusal.DAY_TOO_FAR),
    ],
)
def test_a_promise_out_of_bounds_is_answered_with_the_reason(fen: int, due_on: date, why: PromiseRefusal) -> None:
    assert promised(fen, due_on, AS_OF, 12_000_00, TERMS) is why


def test_the_bounds_themselves_are_inside() -> None:
    for fen, days in ((100_00, 0), (2_000_00, 15)):
        assert isinstance(promised(fen, AS_OF + timedelta(days=days), AS_OF, 12_000_00, TERMS), PromiseToPay)


def test_what_closes_the_debt_may_be_smaller_than_the_minimum() -> None:
    assert isinstance(promised(20_00, DUE, AS_OF, 20_00, TERMS), PromiseToPay)
    assert promised(19_99, DUE, AS_OF, 20_00, TERMS) is PromiseRefusal.TOO_SMALL


@pytest.mark.parametrize("fen", [0, -5])
def test_nothing_is_no_promise(fen: int) -> None:
    assert promised(fen, DUE, AS_OF, 12_000_00, TERMS) is PromiseRefusal.TOO_SMALL


def test_without_a_section_in_the_policy_the_bot_notes_none() -> None:
    assert promised(500_00, DUE, AS_OF, 12_000_00, None) is PromiseRefusal.NOT_OFFERED


@pytest.mark.parametrize(
    ("payments", "seen_after_days", "state"),
    [
        ([], 10, PromiseState.OPEN),
        ([], 11, PromiseState.OPEN),
        ([], 12, PromiseState.BROKEN),
        ([paid(500_00, 3)], 3, PromiseState.KEPT),
        ([paid(200_00, 3), paid(300_00, 11)], 12, PromiseState.KEPT),
        ([paid(499_99, 3)], 11, PromiseState.OPEN),
        ([paid(499_99, 3)], 12, PromiseState.PARTLY_KEPT),
        ([paid(500_00, 12)], 12, PromiseState.BROKEN),
        ([paid(500_00, -1)], 12, PromiseState.BROKEN),
        ([paid(500_00, 5)], 4, PromiseState.OPEN),
    ],
)
def test_a_promise_is_judged_by_what_took_effect_in_time(
    payments: list[PaymentMade], seen_after_days: int, state: PromiseState
) -> None:
    assert judged(PROMISE, payments, AS_OF + timedelta(days=seen_after_days)) is state


def test_a_payment_that_counts_from_an_earlier_day_mends_a_broken_promise() -> None:
    late = AS_OF + timedelta(days=20)
    assert judged(PROMISE, [], late) is PromiseState.BROKEN

    assert judged(PROMISE, [paid(500_00, 9)], late) is PromiseState.KEPT


def test_only_payments_inside_the_promise_count_towards_it() -> None:
    assert paid_towards(PROMISE, [paid(1_00, -1), paid(2_00, 0), paid(4_00, 11), paid(8_00, 12)]) == 6_00


def test_a_payment_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        PaymentMade(AS_OF, 0)
