"""The quick answers about a debt are never contradicted by the whole reckoning, whatever charges come on top."""

from datetime import date

from hypothesis import example, given
from lending_strategies import BOOKED_AT, END, START, days, ledgers, orders

from bot.lending.allocation import CIVIL_CODE_561, AllocationOrder
from bot.lending.ledger import Entry, EntryKind, replay
from bot.lending.surely import moves_of, never_in_credit, surely_open

LENT = Entry("drawdown", EntryKind.DRAWDOWN, 1_000, START, BOOKED_AT, "test")
ALL_PAID = Entry("payment", EntryKind.PAYMENT, 1_000, END, BOOKED_AT, "test")


@given(ledgers(), orders, days)
@example([LENT, ALL_PAID], CIVIL_CODE_561, START)
def test_what_is_surely_open_is_open(entries: list[Entry], order: AllocationOrder, on: date) -> None:
    if surely_open(moves_of(entries), on):
        assert replay(entries, order, on).total_fen > 0


@given(ledgers(), orders, days)
@example([LENT, ALL_PAID], CIVIL_CODE_561, END)
def test_what_is_never_in_credit_shows_none_on_any_day(entries: list[Entry], order: AllocationOrder, on: date) -> None:
    if never_in_credit(moves_of(entries)):
        assert replay(entries, order, on).credit_fen == 0


def test_paying_exactly_what_was_lent_is_answered_and_a_fen_more_is_not() -> None:
    assert surely_open(moves_of([LENT]), START)
    assert not surely_open(moves_of([LENT, ALL_PAID]), END)
    assert never_in_credit(moves_of([LENT, ALL_PAID]))
    more = Entry("more", EntryKind.PAYMENT, 1, END, BOOKED_AT, "test")
    assert not never_in_credit(moves_of([LENT, ALL_PAID, more]))


def test_what_was_paid_before_more_was_lent_may_have_been_credit() -> None:
    later = Entry("again", EntryKind.DRAWDOWN, 500, END, BOOKED_AT, "test")
    early = Entry("early", EntryKind.PAYMENT, 1_200, START, BOOKED_AT, "test")
    assert not never_in_credit(moves_of([LENT, later, early]))
