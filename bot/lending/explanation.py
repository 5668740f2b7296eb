"""Any figure of a statement opened, down to the days, rates and payments it comes from.

The lines of a component add up to its balance, and those of one kind to the statement's summary line, to the fen. They
are derived from the entries as booked: where a booked accrual is not what the ledger now gives (a back-dated payment
that has not been corrected yet), the line says so instead of hiding it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate

from bot.lending.accrual import AccrualSpan, accrued_period
from bot.lending.allocation import AllocationPart
from bot.lending.balances import Component
from bot.lending.contract import ContractTerms
from bot.lending.late_fee import missed_due_date
from bot.lending.ledger import Entry, EntryKind, Posting, effective_entries, postings
from bot.lending.statement import StatementLine, lines_of


@dataclass(frozen=True, slots=True)
class AccrualLine:
    """Interest or penalty interest of one span. ``amount_fen`` is what was booked, ``span`` how it is computed."""

    entry_key: str
    kind: EntryKind
    amount_fen: int
    span: AccrualSpan

    @property
    def rounding_fen(self) -> Decimal:
        """What rounding added, in fen: from -0.5 up to and including 0.5 when the line holds."""
        return self.amount_fen - self.span.raw_fen

    @property
    def holds(self) -> bool:
        """Whether the booked amount is what the principal, rate and days of the ledger give now."""
        return self.amount_fen == self.span.amount_fen


@dataclass(frozen=True, slots=True)
class LateFeeRule:
    """How a late fee is found: ``rate`` of the missed minimum payment, at least ``minimum_fen``; charged once.

    ``missed_due_on`` is the due date of that minimum payment, None where the entry does not tell.
    """

    rate: Decimal
    minimum_fen: int
    missed_due_on: date | None


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A drawdown, a fee, or interest taken over without its days. ``source`` says where the entry came from.

    ``rule`` is set for a late fee.
    """

    entry_key: str
    kind: EntryKind
    amount_fen: int
    on: date
    source: str
    rule: LateFeeRule | None


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """What a payment or a waiver did on one day: below 0 for a component, of either sign for the credit.

    ``on`` is the day of the effect: for credit used later, the day it was used. ``booked_fen`` is the whole payment or
    waiver, ``settled`` where it went that day, this component included.
    """

    entry_key: str
    kind: EntryKind
    amount_fen: int
    on: date
    booked_fen: int
    settled: tuple[AllocationPart, ...]


ExplanationLine = AccrualLine | ChargeLine | SettlementLine


@dataclass(frozen=True, slots=True)
class Explanation:
    """A balance and the lines that make it, oldest first. ``component`` None is the borrower's credit."""

    component: Component | None
    as_of: date
    balance_fen: int
    lines: tuple[ExplanationLine, ...]


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """A summary line of the statement and the lines it opens into; they add up to it, to the fen."""

    summary: StatementLine
    lines: tuple[ExplanationLine, ...]


def explain(
    terms: ContractTerms, entries: Iterable[Entry], due_on: date, as_of: date, component: Component | None
) -> Explanation:
    """Open the balance of one component, or with None the borrower's credit, at the end of ``as_of``.

    Interest must have been accrued up to ``as_of`` before, as for ``bot.lending.statement.statement``.
    Raises ``LedgerError`` for a contradictory ledger.
    """
    lines = _Reading(terms, entries, due_on, as_of).lines(component)
    return Explanation(component, as_of, sum(line.amount_fen for line in lines), lines)


def open_statement(terms: ContractTerms, entries: Iterable[Entry], due_on: date, as_of: date) -> tuple[OpenedLine, ...]:
    """Every summary line of the statement, in the statement's order, with its lines, oldest first.

    Raises ``LedgerError`` for a contradictory ledger.
    """
    reading = _Reading(terms, entries, due_on, as_of)
    lines = {component: reading.lines(component) for component in (*Component, None)}
    return tuple(
        OpenedLine(summary, tuple(line for line in lines[summary.component] if line.kind is summary.kind))
        for summary in lines_of(reading.made, reading.entries)
    )


class _Reading:
    """A ledger replayed once, with the principal at the end of each day on which it changed."""

    def __init__(self, terms: ContractTerms, entries: Iterable[Entry], due_on: date, as_of: date) -> None:
        counted = effective_entries(entries, as_of)
        self.terms = terms
        self.entries = {entry.key: entry for entry in counted}
        self.made = postings(counted, terms.order_for(due_on), as_of)
        moves = [posting for posting in self.made if posting.component is Component.PRINCIPAL]
        self._move_days = [posting.effective_on for posting in moves]
        self._principal_after = [0, *accumulate(posting.amount_fen for posting in moves)]
        self._effects: dict[tuple[str, date], list[Posting]] = {}
        for posting in self.made:
            self._effects.setdefault((posting.entry_key, posting.effective_on), []).append(posting)

    def lines(self, component: Component | None) -> tuple[ExplanationLine, ...]:
        """The lines of one component, one for each entry and day; what cancels out within a day is left out."""
        lines: list[ExplanationLine] = []
        for (key, day), made in self._effects.items():
            amount_fen = sum(posting.amount_fen for posting in made if posting.component is component)
            if amount_fen:
                lines.append(self._line(self.entries[key], day, amount_fen))
        return tuple(lines)

    def _line(self, entry: Entry, day: date, amount_fen: int) -> ExplanationLine:
        if entry.kind in (EntryKind.PAYMENT, EntryKind.WAIVER):
            return SettlementLine(entry.key, entry.kind, amount_fen, day, entry.amount_fen, self._settled(entry, day))
        period = accrued_period(entry)
        if period is not None:
            return AccrualLine(entry.key, entry.kind, amount_fen, self._span(entry.kind, period))
        rule = None
        if entry.kind is EntryKind.LATE_FEE:
            rule = LateFeeRule(self.terms.late_fee_rate, self.terms.late_fee_minimum_fen, missed_due_date(entry))
        return ChargeLine(entry.key, entry.kind, amount_fen, day, entry.source, rule)

    def _settled(self, entry: Entry, day: date) -> tuple[AllocationPart, ...]:
        parts = [(posting.component, -posting.amount_fen) for posting in self._effects[entry.key, day]]
        return tuple(AllocationPart(component, fen) for component, fen in parts if component is not None)

    def _span(self, kind: EntryKind, period: tuple[date, date]) -> AccrualSpan:
        from_on, until_on = period
        rate_on = self.terms.annual_rate_on if kind is EntryKind.INTEREST else self.terms.penalty_annual_rate_on
        principal_fen = self._principal_after[bisect_right(self._move_days, from_on)]
        return AccrualSpan(kind, from_on, until_on, principal_fen, rate_on(from_on), self.terms.day_count)
