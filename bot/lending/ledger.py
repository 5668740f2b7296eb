"""An append-only list of entries, and the balances derived from it.

Nothing here keeps a running balance: balances are replayed in the order of effective dates, so a payment that arrives
late but counts from an earlier day re-allocates everything after it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby

from bot.lending.allocation import OrderOnDay, allocate
from bot.lending.balances import Balances, Component

__all__ = [
    "Balances",
    "Component",
    "Entry",
    "EntryKind",
    "LedgerError",
    "LedgerFault",
    "Posting",
    "balances_of",
    "effective_entries",
    "postings",
    "replay",
    "same_body",
]


class EntryKind(StrEnum):
    """What happened. Charges raise a component, payments and waivers lower it, a reversal undoes one entry."""

    DRAWDOWN = "drawdown"
    INTEREST = "interest"
    PENALTY_INTEREST = "penalty_interest"
    LATE_FEE = "late_fee"
    OTHER_FEE = "other_fee"
    PAYMENT = "payment"
    WAIVER = "waiver"
    REVERSAL = "reversal"


_CHARGED_COMPONENT = {
    EntryKind.DRAWDOWN: Component.PRINCIPAL,
    EntryKind.INTEREST: Component.INTEREST,
    EntryKind.PENALTY_INTEREST: Component.PENALTY,
    EntryKind.LATE_FEE: Component.FEE,
    EntryKind.OTHER_FEE: Component.FEE,
}


class LedgerFault(StrEnum):
    """Why a list of entries is not a ledger."""

    KEY_REUSED = "key_reused"
    REVERSES_UNKNOWN = "reverses_unknown"
    REVERSED_TWICE = "reversed_twice"
    REVERSES_REVERSAL = "reverses_reversal"
    REVERSAL_DIFFERS = "reversal_differs"


class LedgerError(Exception):
    """The stored entries contradict each other; no balance derived from them may be shown."""

    def __init__(self, fault: LedgerFault, key: str) -> None:
        super().__init__(f"{fault.value}: entry {key!r}")
        self.fault = fault
        self.key = key


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact about a debt, never changed once booked.

    ``key`` is unique in the ledger and doubles as the idempotency key. ``amount_fen`` is positive; the kind gives the
    direction. ``effective_on`` is the day it counts from, ``booked_at`` the aware instant it was written. ``source``
    says where it came from (a file, the accrual, a person). ``component`` is needed for a waiver only; a charge may
    repeat the one its kind implies. ``reverses`` is the key that a reversal undoes, in full.

    Raises ``ValueError`` or ``TypeError`` when these do not hold.
    """

    key: str
    kind: EntryKind
    amount_fen: int
    effective_on: date
    booked_at: datetime
    source: str
    component: Component | None = None
    reverses: str | None = None

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("an entry needs a key")
        if type(self.amount_fen) is not int:
            raise TypeError(f"entry {self.key!r}: amounts are whole fen, not {type(self.amount_fen).__name__}")
        if self.amount_fen <= 0:
            raise ValueError(f"entry {self.key!r}: amount must be positive, got {self.amount_fen}")
        if isinstance(self.effective_on, datetime):
            raise TypeError(f"entry {self.key!r}: effective_on is a date, not an instant")
        if self.booked_at.tzinfo is None:
            raise ValueError(f"entry {self.key!r}: booked_at must carry a time zone")
        if (self.kind is EntryKind.REVERSAL) != (self.reverses is not None):
            raise ValueError(f"entry {self.key!r}: a reversal, and only a reversal, names the entry it undoes")
        if self.kind is EntryKind.WAIVER:
            if self.component is None:
                raise ValueError(f"entry {self.key!r}: a waiver names the component it waives")
        elif self.component is not None and self.component is not _CHARGED_COMPONENT.get(self.kind):
            raise ValueError(f"entry {self.key!r}: {self.kind.value} cannot name {self.component.value}")


@dataclass(frozen=True, slots=True)
class Posting:
    """The effect of one entry on one figure, in signed fen. ``component`` None is the borrower's credit.

    ``effective_on`` is the day of the effect: for a credit used later, the day it was used.
    """

    entry_key: str
    kind: EntryKind
    component: Component | None
    amount_fen: int
    effective_on: date


def same_body(entry_a: Entry, entry_b: Entry) -> bool:
    """Whether two entries say the same thing, whenever each was booked.

    A repeated key with the same body is a retry; with another body it is a conflict that must not be booked.
    """
    return replace(entry_a, booked_at=entry_b.booked_at) == entry_b


def effective_entries(entries: Iterable[Entry], as_of: date) -> tuple[Entry, ...]:
    """Entries that count on ``as_of``, in replay order: reversed entries and their reversals are left out.

    Order: effective date; within a day charges, then waivers, then payments; then booking time; then key.
    A reversal counts from its own effective date, and then undoes its entry from the beginning.
    Raises ``LedgerError`` if keys or reversals contradict each other.
    """
    by_key: dict[str, Entry] = {}
    for entry in entries:
        known = by_key.setdefault(entry.key, entry)
        if known is not entry and not same_body(known, entry):
            raise LedgerError(LedgerFault.KEY_REUSED, entry.key)
    undone: set[str] = set()
    reversed_keys: set[str] = set()
    for entry in by_key.values():
        if entry.reverses is None:
            continue
        target = by_key.get(entry.reverses)
        if target is None:
            raise LedgerError(LedgerFault.REVERSES_UNKNOWN, entry.key)
        if target.reverses is not None:
            raise LedgerError(LedgerFault.REVERSES_REVERSAL, entry.key)
        if target.amount_fen != entry.amount_fen:
            raise LedgerError(LedgerFault.REVERSAL_DIFFERS, entry.key)
        if target.key in reversed_keys:
            raise LedgerError(LedgerFault.REVERSED_TWICE, target.key)
        reversed_keys.add(target.key)
        if entry.effective_on <= as_of:
            undone.add(target.key)
    counting = (e for e in by_key.values() if e.reverses is None and e.key not in undone and e.effective_on <= as_of)
    return tuple(sorted(counting, key=_replay_position))


def postings(entries: Iterable[Entry], order: OrderOnDay, as_of: date) -> tuple[Posting, ...]:
    """Every effect of every entry up to and including ``as_of``; they add up to the balances.

    Payments settle what is owed at their place in the replay. What a payment leaves over is kept as credit and settles
    later charges, oldest credit first. A waiver forgives at most what is owed of its component; the rest lapses, for
    a waiver is not money. Raises ``LedgerError`` as ``effective_entries`` does.
    """
    made: list[Posting] = []
    owed: Counter[Component] = Counter()
    kept_credit: list[tuple[Entry, int]] = []

    def post(entry: Entry, component: Component | None, amount_fen: int, day: date) -> None:
        made.append(Posting(entry.key, entry.kind, component, amount_fen, day))
        if component is not None:
            owed[component] += amount_fen

    for day, todays in groupby(effective_entries(entries, as_of), key=lambda entry: entry.effective_on):
        funds, kept_credit = kept_credit, []
        arriving: list[Entry] = []
        for entry in todays:
            if entry.kind is EntryKind.PAYMENT:
                arriving.append(entry)
            elif entry.component is not None and entry.kind is EntryKind.WAIVER:
                if forgiven := min(entry.amount_fen, owed[entry.component]):
                    post(entry, entry.component, -forgiven, day)
            else:
                post(entry, _CHARGED_COMPONENT[entry.kind], entry.amount_fen, day)
        for entry in arriving:
            post(entry, None, entry.amount_fen, day)
        for entry, available in [*funds, *((entry, entry.amount_fen) for entry in arriving)]:
            allocation = allocate(available, _balances(owed, 0), order.on(day))
            for part in allocation.parts:
                post(entry, None, -part.amount_fen, day)
                post(entry, part.component, -part.amount_fen, day)
            if allocation.left_over_fen:
                kept_credit.append((entry, allocation.left_over_fen))
    return tuple(made)


def balances_of(made: Iterable[Posting]) -> Balances:
    """Add postings up."""
    owed: Counter[Component] = Counter()
    credit_fen = 0
    for posting in made:
        if posting.component is None:
            credit_fen += posting.amount_fen
        else:
            owed[posting.component] += posting.amount_fen
    return _balances(owed, credit_fen)


def replay(entries: Iterable[Entry], order: OrderOnDay, as_of: date) -> Balances:
    """What is owed at the end of ``as_of``, derived from the entries alone.

    ``order`` is an ``AllocationOrder``, or a ``DatedOrder`` where the contract changes it with time.
    Raises ``LedgerError`` as ``effective_entries`` does.
    """
    return balances_of(postings(entries, order, as_of))


_KIND_RANK = {EntryKind.WAIVER: 1, EntryKind.PAYMENT: 2}


def _replay_position(entry: Entry) -> tuple[date, int, datetime, str]:
    return entry.effective_on, _KIND_RANK.get(entry.kind, 0), entry.booked_at, entry.key


def _balances(owed: Counter[Component], credit_fen: int) -> Balances:
    return Balances(
        principal_fen=owed[Component.PRINCIPAL],
        interest_fen=owed[Component.INTEREST],
        penalty_fen=owed[Component.PENALTY],
        fee_fen=owed[Component.FEE],
        credit_fen=credit_fen,
    )
