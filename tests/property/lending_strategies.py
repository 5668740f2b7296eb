"""Ledgers, terms and days as property tests of the lending core draw them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from bot.lending.allocation import AllocationOrder, DatedOrder
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind, RateChange
from bot.lending.ledger import Entry, EntryKind

START = date(2026, 1, 1)
DAYS = 120
END = START + timedelta(days=DAYS)
BOOKED_AT = datetime(2026, 6, 1, tzinfo=UTC)

fen = st.integers(min_value=1, max_value=10_000_000)
days = st.integers(min_value=0, max_value=DAYS).map(lambda ahead: START + timedelta(days=ahead))
due_days = st.integers(min_value=-30, max_value=DAYS).map(lambda ahead: START + timedelta(days=ahead))
"""Some so early that the 91st day past due comes before ``END``."""
orders = st.permutations(list(Component)).map(lambda parts: AllocationOrder("any", tuple(parts)))
dated_orders = st.builds(DatedOrder, orders, orders, days)
balances = st.builds(Balances, *[st.integers(min_value=0, max_value=10_000_000)] * 4)
booking_kinds = st.sampled_from([kind for kind in EntryKind if kind is not EntryKind.REVERSAL])


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """A drawdown and whatever may follow it, some of it reversed."""
    entries = [Entry("drawdown", EntryKind.DRAWDOWN, draw(fen), START, BOOKED_AT, "test")]
    for number in range(draw(st.integers(min_value=0, max_value=8))):
        kind = draw(booking_kinds)
        component = draw(st.sampled_from(list(Component))) if kind is EntryKind.WAIVER else None
        booked_at = BOOKED_AT + timedelta(hours=draw(st.integers(min_value=0, max_value=5)))
        entries.append(Entry(f"entry-{number}", kind, draw(fen), draw(days), booked_at, "test", component))
    for undone in draw(st.lists(st.sampled_from(entries), unique_by=lambda entry: entry.key, max_size=2)):
        entries.append(
            replace(
                undone,
                key=f"reversal:{undone.key}",
                kind=EntryKind.REVERSAL,
                component=None,
                effective_on=draw(days),
                reverses=undone.key,
            )
        )
    return entries


rates = st.decimals(min_value=0, max_value=Decimal("0.24"), places=4)
rate_changes = st.lists(
    st.builds(RateChange, days, rates, rates), max_size=3, unique_by=lambda change: change.from_on
).map(lambda changes: tuple(sorted(changes, key=lambda change: change.from_on)))
terms_with_rates = st.builds(
    ContractTerms,
    product_kind=st.sampled_from(list(ProductKind)),
    annual_rate=rates,
    penalty_annual_rate=rates,
    day_count=st.sampled_from([360, 365]),
    late_fee_rate=st.just(Decimal("0.05")),
    late_fee_minimum_fen=st.just(1000),
    allocation=orders,
    allocation_after_90_days=st.none() | orders,
    grace_days=st.integers(min_value=0, max_value=5),
    rate_changes=rate_changes,
)
