"""Paying a debt off in instalments while its contract's interest goes on (rules R1 to R5 of docs/lending.md).

A debt has principal and charges on it when the instalments begin. Interest runs on principal as the ledger counts it,
penalty interest and fees do not; what is paid settles the components in the contract's order. So a course paid on its
dates brings the ledger to exactly 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms
from bot.lending.equal_payment import EqualPayment, EqualPayments, Stretch, Stretches
from bot.lending.money import floor_to_fen, split_evenly


@dataclass(frozen=True, slots=True)
class RepaymentStart:
    """A debt on the day from which its instalments are counted, with what is paid before the first of them.

    ``owed`` is owed at the end of ``on``, waivers taken off; ``paid_fen`` is paid on ``paid_on``. ``due_on`` is the
    contract's own due date, by which the order of settlement may change.
    Raises ``ValueError`` for a negative payment or one before ``on``.
    """

    terms: ContractTerms
    due_on: date
    owed: Balances
    on: date
    paid_fen: int = 0
    paid_on: date | None = None

    def __post_init__(self) -> None:
        if self.paid_fen < 0 or (self.paid_on or self.on) < self.on:
            raise ValueError(f"{self.paid_fen} fen on {self.paid_on} cannot be paid before the instalments")


class RepaymentRow(NamedTuple):
    """One instalment in fen: what it settles of principal, the rest being interest, penalty and fees.

    ``accrued_fen`` is the interest that the days before it have added; ``left_fen`` is owed after it.
    """

    due_on: date
    amount_fen: int
    principal_fen: int
    accrued_fen: int
    left_fen: int


@dataclass(frozen=True, slots=True)
class Repayment:
    """Instalments that end a debt, in fen. ``interest_fen`` is all that runs until then.

    ``penalty_spared_fen`` is the penalty interest that the contract would have charged on the same principal, rounded
    down.
    """

    rows: tuple[RepaymentRow, ...]
    interest_fen: int
    penalty_spared_fen: int


class RepaymentCourse:
    """Every way to pay one debt off on given dates. It never changes; what has been worked out once is kept."""

    def __init__(self, start: RepaymentStart, due_dates: Sequence[date]) -> None:
        """Count from ``start`` to the dates, which rise and lie after it. Raises ``ValueError`` if they do not."""
        paid_on = start.paid_on or start.on
        if not due_dates or any(later <= earlier for earlier, later in pairwise((paid_on, *due_dates))):
            raise ValueError("due dates must rise and lie after the start")
        self._start = start
        self.due_dates = tuple(due_dates)
        self._periods, stretches = _timetable(start.terms, start.due_on, (paid_on, *due_dates))
        self._ahead = _period(start.terms, start.due_on, start.on, paid_on) if start.paid_fen else None
        self._equal = EqualPayments(_State(start, self._ahead).balances, stretches)
        self._level: dict[int, tuple[int, ...] | None] = {}

    def equal(self, count: int) -> EqualPayment | None:
        """Equal instalments: the smallest amount for which the last one is no larger; None if none is left for it."""
        return self._equal.over(count)

    def equal_amounts(self, count: int) -> tuple[int, ...] | None:
        """The same, every instalment by itself."""
        found = self.equal(count)
        return found.amounts_fen if found else None

    def equal_principal_amounts(self, count: int) -> tuple[int, ...] | None:
        """Equal parts of what is owed, each with the interest of its period on top; the last is all that is left."""
        state = _State(self._start, self._ahead)
        if state.total_fen < count:
            return None
        amounts: list[int] = []
        for period, part_fen in zip(self._periods, split_evenly(state.total_fen, count), strict=False):
            amounts.append(part_fen + state.accrue(period))
            state.pay(amounts[-1], period)
        return tuple(amounts)

    def level_amounts(self, amount_fen: int) -> tuple[int, ...] | None:
        """Instalments of exactly this amount and a smaller last one; None if the dates do not suffice."""
        if amount_fen not in self._level:
            self._level[amount_fen] = self._at_level(amount_fen)
        return self._level[amount_fen]

    def _at_level(self, amount_fen: int) -> tuple[int, ...] | None:
        state = _State(self._start, self._ahead)
        for place, period in enumerate(self._periods):
            state.accrue(period)
            if state.total_fen <= amount_fen:
                return (*(amount_fen,) * place, state.total_fen)
            state.pay(amount_fen, period)
        return None

    def paid(self, amounts_fen: Sequence[int]) -> Repayment:
        """These amounts on the first dates.

        Raises ``ValueError`` unless all are positive and the last one, and no earlier one, ends the debt.
        """
        state = _State(self._start, self._ahead)
        rows: list[RepaymentRow] = []
        for period, amount_fen in zip(self._periods, amounts_fen, strict=False):
            accrued_fen, principal_fen = state.accrue(period), state.of(Component.PRINCIPAL)
            if not 0 < amount_fen <= state.total_fen:
                raise ValueError(f"{amount_fen} fen of {state.total_fen} fen cannot be paid on {period.until}")
            state.pay(amount_fen, period)
            settled_fen = principal_fen - state.of(Component.PRINCIPAL)
            rows.append(RepaymentRow(period.until, amount_fen, settled_fen, accrued_fen, state.total_fen))
        if not rows or len(rows) < len(amounts_fen) or rows[-1].left_fen:
            raise ValueError(f"{len(amounts_fen)} instalments do not end the debt")
        return Repayment(tuple(rows), state.interest_fen, floor_to_fen(state.spared_fen))


@dataclass(frozen=True, slots=True)
class _Span:
    """Days of one rate: interest on principal is principal x ``units`` / ``divisor``; ``penalty`` likewise, a day."""

    units: int
    divisor: int
    penalty: Decimal


@dataclass(frozen=True, slots=True)
class _Period:
    """The days before a payment, and the order in which it settles the components."""

    until: date
    spans: tuple[_Span, ...]
    order: tuple[Component, ...]

    @property
    def stretch(self) -> Stretch:
        """The same in the plain numbers of the search for equal instalments."""
        return Stretch(tuple((span.units, span.divisor) for span in self.spans), self.order)


class _State:
    """What is owed while a course is walked through; ``interest_fen`` and ``spared_fen`` gather what has run."""

    __slots__ = ("_owed", "interest_fen", "spared_fen", "total_fen")

    def __init__(self, start: RepaymentStart, ahead: _Period | None) -> None:
        self._owed = {component: start.owed.of(component) for component in Component}
        self.total_fen = start.owed.total_fen
        self.interest_fen, self.spared_fen = 0, Decimal(0)
        if ahead is not None:
            self.accrue(ahead)
            self.pay(start.paid_fen, ahead)

    @property
    def balances(self) -> Balances:
        return Balances(
            principal_fen=self._owed[Component.PRINCIPAL],
            interest_fen=self._owed[Component.INTEREST],
            penalty_fen=self._owed[Component.PENALTY],
            fee_fen=self._owed[Component.FEE],
        )

    def of(self, component: Component) -> int:
        return self._owed[component]

    def accrue(self, period: _Period) -> int:
        """Add the interest of a period; each span is rounded half up by itself, as the ledger does."""
        principal_fen, added_fen = self._owed[Component.PRINCIPAL], 0
        for span in period.spans:
            added_fen += (2 * principal_fen * span.units + span.divisor) // (2 * span.divisor)
            self.spared_fen += principal_fen * span.penalty
        self._owed[Component.INTEREST] += added_fen
        self.interest_fen += added_fen
        self.total_fen += added_fen
        return added_fen

    def pay(self, amount_fen: int, period: _Period) -> None:
        """Settle the components in their order, no further than what is owed."""
        for component in period.order:
            part_fen = min(amount_fen, self._owed[component])
            self._owed[component] -= part_fen
            self.total_fen -= part_fen
            amount_fen -= part_fen


@lru_cache(maxsize=64)
def _timetable(terms: ContractTerms, due_on: date, days: tuple[date, ...]) -> tuple[tuple[_Period, ...], Stretches]:
    """The periods between the days, the same for every waiver and down payment that a plan on these dates may hold."""
    periods = tuple(_period(terms, due_on, since, until) for since, until in pairwise(days))
    return periods, Stretches([period.stretch for period in periods])


def _period(terms: ContractTerms, due_on: date, since: date, until: date) -> _Period:
    order = terms.order_for(due_on).on(until).components
    return _Period(until, tuple(_spans(terms, due_on, since, until)), order)


def _spans(terms: ContractTerms, due_on: date, since: date, until: date) -> Iterator[_Span]:
    """The days of a period, cut where the ledger cuts them: where rates change and where penalty interest begins."""
    penalty_from = terms.penalty_from(due_on)
    cuts = {penalty_from, *(change.from_on for change in terms.rate_changes)}
    for first, end in pairwise(sorted({since, until, *(day for day in cuts if since < day < until)})):
        days = (end - first).days
        units, divisor = terms.annual_rate_on(first).as_integer_ratio()
        penalty = Decimal(0)
        if first >= penalty_from:
            penalty = days * terms.penalty_annual_rate_on(first) / terms.day_count
        yield _Span(units * days, divisor * terms.day_count, penalty)


def without_penalty(terms: ContractTerms) -> ContractTerms:
    """The same contract while a plan is kept: interest runs, penalty interest does not."""
    nought = Decimal(0)
    changes = tuple(replace(change, penalty_annual_rate=nought) for change in terms.rate_changes)
    return replace(terms, penalty_annual_rate=nought, rate_changes=changes)
