from dataclasses import replace
from datetime import date, timedelta

import pytest
from lending_builders import BOOKED_AT, PLAIN_TERMS, drawdown, late_fee, payment, reversal

from bot.lending.accrual import accrue
from bot.lending.late_fee import MinimumPayment, charge_late_fees, missed_due_date
from bot.lending.ledger import Entry, EntryKind, replay

STATEMENT = date(2026, 9, 20)
DUE = date(2026, 10, 10)
END = date(2026, 11, 1)
TERMS = replace(PLAIN_TERMS, grace_days=3)
SPENT = drawdown(1_000_000, date(2026, 9, 1))
MINIMUM = MinimumPayment(STATEMENT, DUE, 100_000)


def charged(*entries: Entry, until: date = END) -> tuple[Entry, ...]:
    return charge_late_fees(TERMS, [SPENT, *entries], [MINIMUM], until, BOOKED_AT)


def fees(*entries: Entry) -> list[int]:
    return [entry.amount_fen for entry in charged(*entries)]


def test_a_missed_minimum_bears_one_fee_on_the_day_after_the_grace_days() -> None:
    (fee,) = charged()

    # 5 % of 1,000.00
    assert (fee.key, fee.kind, fee.amount_fen) == ("late_fee:2026-10-10", EntryKind.LATE_FEE, 5000)
    assert fee.effective_on == date(2026, 10, 14)
    assert charged(fee) == ()
    assert missed_due_date(fee) == DUE


def test_the_fee_is_a_share_of_what_is_missing_but_not_below_the_floor() -> None:
    assert fees(payment(40_000, DUE)) == [3000]
    assert fees(payment(99_000, DUE)) == [1000]


def test_nothing_is_charged_for_a_minimum_paid_by_the_last_grace_day() -> None:
    assert fees(payment(60_000, DUE), payment(40_000, DUE + timedelta(days=3))) == []


@pytest.mark.parametrize("day", [STATEMENT, DUE + timedelta(days=4)], ids=["on the statement day", "after the grace"])
def test_what_is_paid_too_early_or_too_late_is_not_the_minimum(day: date) -> None:
    assert fees(payment(100_000, day)) == [5000]


def test_no_fee_before_its_day() -> None:
    assert charged(until=date(2026, 10, 13)) == ()


def test_a_payment_that_arrives_late_undoes_the_fee_and_one_that_bounces_brings_it_back() -> None:
    (fee,) = charged()
    late = payment(100_000, DUE, key="arrived late")
    (undone,) = charged(fee, late)
    bounce = reversal(late, END)

    (again,) = charged(fee, late, undone, bounce)

    assert (undone.kind, undone.reverses, undone.effective_on) == (EntryKind.REVERSAL, fee.key, fee.effective_on)
    assert (again.key, again.amount_fen, again.effective_on) == ("late_fee:2026-10-10:r2", 5000, fee.effective_on)
    assert charged(fee, late, undone, bounce, again) == ()
    assert missed_due_date(again) == DUE


def test_a_part_that_arrives_late_replaces_the_fee_by_a_smaller_one() -> None:
    (fee,) = charged()

    made = charged(fee, payment(40_000, DUE, key="arrived late"))

    assert [(entry.kind, entry.amount_fen) for entry in made] == [
        (EntryKind.REVERSAL, 5000),
        (EntryKind.LATE_FEE, 3000),
    ]


def test_a_late_fee_bears_no_interest() -> None:
    (fee,) = charged()
    interest = accrue(TERMS, [SPENT, fee], date(2026, 10, 14), date(2026, 10, 24), END)

    # 10 days on 10,000.00 alone
    assert [entry.amount_fen for entry in interest] == [5000]
    assert replay([SPENT, fee, *interest], TERMS.allocation, END).fee_fen == 5000


def test_a_fee_whose_key_tells_no_day_has_none() -> None:
    assert missed_due_date(late_fee(500, DUE)) == DUE
    assert missed_due_date(replace(late_fee(500, DUE), key="late_fee:1")) is None
    assert missed_due_date(replace(late_fee(500, DUE), key="opening fee")) is None
    assert missed_due_date(SPENT) is None


def test_impossible_minimums_are_refused() -> None:
    with pytest.raises(ValueError, match="not a minimum"):
        MinimumPayment(DUE, DUE, 100)
    with pytest.raises(ValueError, match="not a minimum"):
        MinimumPayment(STATEMENT, DUE, 0)
    with pytest.raises(ValueError, match="same day"):
        charge_late_fees(TERMS, [SPENT], [MINIMUM, MINIMUM], END, BOOKED_AT)
