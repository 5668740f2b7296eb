"""Short ways to say what a ledger test is about."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.ledger import Component, Entry, EntryKind

BOOKED_AT = datetime(2026, 11, 1, 2, tzinfo=UTC)

PLAIN_TERMS = ContractTerms(
    product_kind=ProductKind.CONSUMER_LOAN,
    annual_rate=Decimal("0.18"),
    penalty_annual_rate=Decimal("0.09"),
    day_count=360,
    late_fee_rate=Decimal("0.05"),
    late_fee_minimum_fen=1000,
    allocation=CIVIL_CODE_561,
)


def entry(kind: EntryKind, amount_fen: int, on: date, key: str = "", component: Component | None = None) -> Entry:
    return Entry(key or f"{kind.value}:{on}:{amount_fen}", kind, amount_fen, on, BOOKED_AT, "test", component)


def drawdown(amount_fen: int, on: date) -> Entry:
    return entry(EntryKind.DRAWDOWN, amount_fen, on)


def payment(amount_fen: int, on: date, key: str = "") -> Entry:
    return entry(EntryKind.PAYMENT, amount_fen, on, key)


def late_fee(amount_fen: int, on: date) -> Entry:
    return entry(EntryKind.LATE_FEE, amount_fen, on)


def waiver(amount_fen: int, on: date, component: Component) -> Entry:
    return entry(EntryKind.WAIVER, amount_fen, on, component=component)


def reversal(of: Entry, on: date, key: str = "") -> Entry:
    undone = entry(EntryKind.PAYMENT, of.amount_fen, on, key or f"reversal:{of.key}")
    return replace(undone, kind=EntryKind.REVERSAL, reverses=of.key)
