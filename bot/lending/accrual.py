"""Interest and penalty interest, day by day, on principal only.

Nothing is ever charged on interest, penalty or fees; for cards the central bank forbids interest on late fees (M4).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count, pairwise
from zoneinfo import ZoneInfo

from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, effective_entries, replay
from bot.lending.money import round_to_fen

_SOURCE = "accrual"
_KEY_PREFIX = {EntryKind.INTEREST: "interest", EntryKind.PENALTY_INTEREST: "penalty"}
_SPAN_ENDING = frozenset({EntryKind.DRAWDOWN, EntryKind.PAYMENT, EntryKind.WAIVER})
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class AccrualSpan:
    """One line of the calculation, for explaining it: the same principal and rate on every day of the span.

    Days run from ``from_on`` up to but not including ``until_on``. ``raw_fen`` is unrounded and not booked;
    ``amount_fen`` is what is charged.
    """

    kind: EntryKind
    from_on: date
    until_on: date
    principal_fen: int
    annual_rate: Decimal
    day_count: int

    @property
    def days(self) -> int:
        """Days that bear interest."""
        return (self.until_on - self.from_on).days

    @property
    def raw_fen(self) -> Decimal:
        """Principal x days x rate / day count, in fen, unrounded."""
        return Decimal(self.principal_fen) * self.days * self.annual_rate / self.day_count

    @property
    def amount_fen(self) -> int:
        """The charge: rounded once, for the whole span."""
        return round_to_fen(self.raw_fen)

    @property
    def key(self) -> str:
        """The ledger key, the same whenever the same days are accrued."""
        return f"{_KEY_PREFIX[self.kind]}:{self.from_on.isoformat()}:{self.until_on.isoformat()}"


def accrual_spans(
    terms: ContractTerms,
    entries: Iterable[Entry],
    since: date,
    until: date,
    due_on: date,
    cuts: Collection[date] = (),
) -> tuple[AccrualSpan, ...]:
    """The spans of constant principal and rates from ``since`` up to but not including ``until``, oldest first.

    The day of a drawdown bears interest, the day of a repayment does not. Penalty interest begins the day after
    ``due_on`` and the grace days. A span also ends at each payment and waiver, which settle the interest due by then,
    where the contract's rates change, and on each day of ``cuts``: the days, such as month ends, on which interest is
    booked whatever happens.
    Accruals already booked for these days are set aside and computed afresh, so a second run gives the same spans;
    those booked before ``since`` stand.

    Raises ``ValueError`` if ``until`` is before ``since`` or ``since`` falls inside a period already accrued, and
    ``LedgerError`` for a contradictory ledger.
    """
    if until < since:
        raise ValueError(f"cannot accrue from {since} to {until}")
    penalty_from = terms.penalty_from(due_on)
    working: list[Entry] = []
    for entry in effective_entries(entries, date.max):
        period = accrued_period(entry)
        if period is not None and period[0] < since < period[1]:
            raise ValueError(f"{since} falls inside the period already accrued by {entry.key!r}")
        if period is None or period[0] < since:
            working.append(entry)
    order = terms.order_for(due_on)
    changes = {entry.effective_on for entry in working if entry.kind in _SPAN_ENDING} | {penalty_from, *cuts}
    changes |= {change.from_on for change in terms.rate_changes}
    edges = sorted({since, until, *(day for day in changes if since < day < until)})
    spans: list[AccrualSpan] = []
    for from_on, until_on in pairwise(edges):
        principal_fen = replay(working, order, from_on).principal_fen
        rates = [(EntryKind.INTEREST, terms.annual_rate_on(from_on))]
        if from_on >= penalty_from:
            rates.append((EntryKind.PENALTY_INTEREST, terms.penalty_annual_rate_on(from_on)))
        for kind, rate in rates:
            span = AccrualSpan(kind, from_on, until_on, principal_fen, rate, terms.day_count)
            if span.amount_fen:
                spans.append(span)
                # Booked before the next span is computed: a payment at its end may settle it first.
                working.append(_entry_of(span, span.key, None))
    return tuple(spans)


def accrue(
    terms: ContractTerms,
    entries: Iterable[Entry],
    since: date,
    until: date,
    due_on: date,
    booked_at: datetime | None = None,
    cuts: Collection[date] = (),
) -> tuple[Entry, ...]:
    """Interest and penalty interest entries for the days from ``since`` up to but not including ``until``.

    Each is effective on the day its span ends and carries a key such as ``interest:2026-10-01:2026-11-01``, so booking
    the same days twice is the same entry. ``booked_at`` defaults to midnight in Shanghai of that day.
    ``cuts`` is as for ``accrual_spans``, and it raises as that does.
    """
    spans = accrual_spans(terms, entries, since, until, due_on, cuts)
    return tuple(_entry_of(span, span.key, booked_at) for span in spans)


def reaccrue(
    terms: ContractTerms,
    entries: Iterable[Entry],
    since: date,
    until: date,
    due_on: date,
    booked_at: datetime,
    cuts: Collection[date] = (),
) -> tuple[Entry, ...]:
    """What must be booked so that the accruals of these days are right again, e.g. after a back-dated payment.

    Returns reversals of the accruals that no longer hold and the entries that replace them; nothing if all is right, so
    it can be run at any time. ``since`` and ``until`` must not cut an accrued period. ``cuts`` must name the days on
    which interest was booked in between, or the months become one span. Raises as ``accrual_spans`` does.
    """
    ledger = tuple(entries)
    spans = accrual_spans(terms, ledger, since, until, due_on, cuts)
    wanted = {(span.kind, span.from_on, span.until_on): span for span in spans}
    used_keys = {entry.key for entry in ledger}
    corrections: list[Entry] = []
    for entry in effective_entries(ledger, date.max):
        period = accrued_period(entry)
        if period is None or period[0] < since or period[0] >= until:
            continue
        if period[1] > until:
            raise ValueError(f"{until} falls inside the period already accrued by {entry.key!r}")
        span = wanted.get((entry.kind, *period))
        if span is not None and span.amount_fen == entry.amount_fen:
            del wanted[entry.kind, *period]
        else:
            corrections.append(reversal_of(entry, booked_at, _SOURCE))
    corrections += [_entry_of(span, unused_key(span.key, used_keys), booked_at) for span in wanted.values()]
    return tuple(corrections)


def accrued_period(entry: Entry) -> tuple[date, date] | None:
    """The days (first, first not included) an accrual entry covers; None for any other entry."""
    return period_of(entry.kind, entry.key)


def period_of(kind: EntryKind, key: str) -> tuple[date, date] | None:
    """The days (first, first not included) that an entry of this kind and key covers; None if it is no accrual."""
    if kind not in _KEY_PREFIX:
        return None
    parts = key.split(":")
    if len(parts) < 3 or parts[0] != _KEY_PREFIX[kind]:
        return None
    try:
        return date.fromisoformat(parts[1]), date.fromisoformat(parts[2])
    except ValueError:
        return None


def late_fee_fen(terms: ContractTerms, unpaid_minimum_fen: int) -> int:
    """The late fee for a minimum payment missed by ``unpaid_minimum_fen``: a share of it, at least the minimum; 0 if
    nothing was missed. Charged once a statement and never itself bearing interest.
    """
    if unpaid_minimum_fen <= 0:
        return 0
    return max(round_to_fen(terms.late_fee_rate * unpaid_minimum_fen), terms.late_fee_minimum_fen)


def _entry_of(span: AccrualSpan, key: str, booked_at: datetime | None) -> Entry:
    return Entry(
        key=key,
        kind=span.kind,
        amount_fen=span.amount_fen,
        effective_on=span.until_on,
        booked_at=booked_at or datetime.combine(span.until_on, time.min, tzinfo=_SHANGHAI),
        source=_SOURCE,
    )


def reversal_of(entry: Entry, booked_at: datetime, source: str) -> Entry:
    """The entry that undoes a computed charge from the day it was charged."""
    return Entry(
        key=f"reversal:{entry.key}",
        kind=EntryKind.REVERSAL,
        amount_fen=entry.amount_fen,
        effective_on=entry.effective_on,
        booked_at=booked_at,
        source=source,
        reverses=entry.key,
    )


def unused_key(key: str, used_keys: Collection[str]) -> str:
    """The key itself, or its next revision: a reversed entry keeps its key for ever."""
    if key not in used_keys:
        return key
    revisions = (f"{key}:r{number}" for number in count(2))
    return next(revision for revision in revisions if revision not in used_keys)
