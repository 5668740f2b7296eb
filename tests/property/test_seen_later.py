"""A day of a debt looks the same whether it is seen on that day or after later months have been booked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.lending.accrual import accrue
from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.ledger import Entry, EntryKind
from bot.lending.schedule import add_months
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until

LENT_ON = date(2026, 1, 31)
DUE_ON = date(2026, 4, 15)
TERMS = ContractTerms(
    product_kind=ProductKind.CONSUMER_LOAN,
    annual_rate=Decimal("0.144"),
    penalty_annual_rate=Decimal("0.072"),
    day_count=360,
    late_fee_rate=Decimal(0),
    late_fee_minimum_fen=0,
    allocation=CIVIL_CODE_561,
)

days = st.integers(1, 400).map(lambda ahead: LENT_ON + timedelta(days=ahead))
payments = st.lists(st.tuples(days, st.integers(1, 400_000)), max_size=4)


def entry(key: str, kind: EntryKind, amount_fen: int, day: date) -> Entry:
    booked_at = datetime.combine(day, time(12), tzinfo=SHANGHAI)
    return Entry(key=key, kind=kind, amount_fen=amount_fen, effective_on=day, booked_at=booked_at, source="test")


def booked_by(day: date, paid: list[tuple[date, int]]) -> tuple[Entry, ...]:
    """What the ledger holds on a day: payments so far, and the interest of every full month."""
    entries: tuple[Entry, ...] = (entry("lent", EntryKind.DRAWDOWN, 1_000_000, LENT_ON),)
    entries += tuple(
        entry(f"paid {place}", EntryKind.PAYMENT, amount_fen, on)
        for place, (on, amount_fen) in enumerate(paid)
        if on <= day
    )
    since, months = LENT_ON, 1
    while (end := add_months(LENT_ON, months)) <= day:
        entries += accrue(TERMS, entries, since, end, DUE_ON)
        since, months = end, months + 1
    return entries


@given(days, days, payments)
def test_a_day_looks_the_same_later(one: date, other: date, paid: list[tuple[date, int]]) -> None:
    then, later = min(one, other), max(one, other)
    on_the_day = statement(TERMS, entries_until(TERMS, booked_by(then, paid), DUE_ON, then), DUE_ON, then)
    seen_later = statement(TERMS, entries_until(TERMS, booked_by(later, paid), DUE_ON, then), DUE_ON, then)
    assert seen_later == on_the_day
