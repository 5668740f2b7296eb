"""A card's late fee: once for each missed minimum payment, and right again after a payment that arrives late.

The fee raises ``Component.FEE`` and never bears interest (rule M4). Rule S9 of docs/lending.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.lending.accrual import late_fee_fen, reversal_of, unused_key
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, effective_entries

_SOURCE = "late_fee"


@dataclass(frozen=True, slots=True)
class MinimumPayment:
    """What a statement asked for by a day, in fen. Raises ``ValueError`` unless positive and due later than it."""

    statement_on: date
    due_on: date
    minimum_fen: int

    def __post_init__(self) -> None:
        if self.minimum_fen <= 0 or self.due_on <= self.statement_on:
            raise ValueError(f"not a minimum payment: {self}")

    @property
    def key(self) -> str:
        """The ledger key of its late fee."""
        return f"late_fee:{self.due_on.isoformat()}"

    def charged_on(self, terms: ContractTerms) -> date:
        """The day a late fee counts from: the day after the due date and the grace days."""
        return terms.penalty_from(self.due_on)

    def unpaid_fen(self, terms: ContractTerms, entries: Iterable[Entry]) -> int:
        """Fen of the minimum that were not paid after the statement day and up to the last grace day.

        Raises ``LedgerError`` as ``effective_entries`` does.
        """
        last_day = self.charged_on(terms) - timedelta(days=1)
        payments = (entry for entry in effective_entries(entries, date.max) if entry.kind is EntryKind.PAYMENT)
        paid = sum(entry.amount_fen for entry in payments if self.statement_on < entry.effective_on <= last_day)
        return max(0, self.minimum_fen - paid)


def charge_late_fees(
    terms: ContractTerms,
    entries: Iterable[Entry],
    minimums: Sequence[MinimumPayment],
    until: date,
    booked_at: datetime,
) -> tuple[Entry, ...]:
    """What must be booked so that each minimum missed by the end of ``until`` bears exactly one right late fee.

    New fees, and after a back-dated or bounced payment the reversal of a fee that no longer holds and its replacement;
    nothing if all is right, so it can be run at any time. Run it before ``reaccrue``: a fee may be settled before
    principal. Raises ``ValueError`` for two minimum payments due on one day and ``LedgerError`` for a contradictory
    ledger.
    """
    if len({minimum.due_on for minimum in minimums}) < len(minimums):
        raise ValueError("two minimum payments fall due on the same day")
    ledger = tuple(entries)
    used_keys = {entry.key for entry in ledger}
    standing = {_base_key(entry): entry for entry in effective_entries(ledger, date.max) if _base_key(entry)}
    booked: list[Entry] = []
    for minimum in minimums:
        charged_on = minimum.charged_on(terms)
        if charged_on > until:
            continue
        fee_fen = late_fee_fen(terms, minimum.unpaid_fen(terms, ledger))
        known = standing.get(minimum.key)
        if known is not None and known.amount_fen == fee_fen:
            continue
        if known is not None:
            booked.append(reversal_of(known, booked_at, _SOURCE))
        if fee_fen:
            key = unused_key(minimum.key, used_keys)
            booked.append(Entry(key, EntryKind.LATE_FEE, fee_fen, charged_on, booked_at, _SOURCE))
    return tuple(booked)


def missed_due_date(entry: Entry) -> date | None:
    """The due date of the minimum payment a fee was charged for; None if the key does not tell."""
    key = _base_key(entry)
    if key is None:
        return None
    try:
        return date.fromisoformat(key.removeprefix("late_fee:"))
    except ValueError:
        return None


def late_fee_key(entry: Entry) -> str | None:
    """The key that all revisions of one late fee, and the reversals of them, have in common; None for anything else."""
    parts = (entry.reverses or entry.key).split(":")
    if entry.kind not in (EntryKind.LATE_FEE, EntryKind.REVERSAL) or len(parts) < 2 or parts[0] != "late_fee":
        return None
    return f"late_fee:{parts[1]}"


def _base_key(entry: Entry) -> str | None:
    """A late fee's key without its revision; None for anything else."""
    return late_fee_key(entry) if entry.kind is EntryKind.LATE_FEE else None
