"""What a debt becomes if nothing is paid, and what a day costs now.

Only interest and penalty interest are foreseen. A late fee that may still be charged is not: whether it will be depends
on what is paid. A debt whose interest an agreement has stopped has no such outlook; do not ask for one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot.lending.accrual import AccrualSpan
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind
from bot.lending.money import round_to_fen
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until, known_on


@dataclass(frozen=True, slots=True)
class Outlook:
    """A debt at the end of ``as_of`` and, nothing paid in between, at the end of ``by``.

    ``next_day`` holds how ``as_of`` itself bears interest, and penalty interest once that has begun.
    """

    as_of: date
    by: date
    now: Balances
    then: Balances
    next_day: tuple[AccrualSpan, ...]

    def added_fen(self, component: Component) -> int:
        """What waiting adds to a component, in fen; never negative."""
        return self.then.of(component) - self.now.of(component)

    @property
    def added_total_fen(self) -> int:
        """What waiting costs in all, in fen."""
        return self.then.total_fen - self.now.total_fen

    @property
    def next_day_fen(self) -> int:
        """What one more day costs now, rounded to the fen."""
        return round_to_fen(sum((span.raw_fen for span in self.next_day), Decimal(0)))


def outlook(terms: ContractTerms, booked: Iterable[Entry], due_on: date, as_of: date, by: date) -> Outlook:
    """Look ahead from ``as_of`` to ``by`` with what counts by ``as_of``; interest need not have been accrued.

    Raises ``ValueError`` if ``by`` is before ``as_of``, and as ``bot.lending.accrual.accrual_spans`` does.
    """
    if by < as_of:
        raise ValueError(f"{by} is before {as_of}")
    known = known_on(booked, as_of)
    now, then = (
        statement(terms, entries_until(terms, known, due_on, day), due_on, day).balances for day in (as_of, by)
    )
    rates = {EntryKind.INTEREST: terms.annual_rate_on(as_of)}
    if as_of >= terms.penalty_from(due_on):
        rates[EntryKind.PENALTY_INTEREST] = terms.penalty_annual_rate_on(as_of)
    tomorrow = as_of + timedelta(days=1)
    spans = (
        AccrualSpan(kind, as_of, tomorrow, now.principal_fen, rate, terms.day_count) for kind, rate in rates.items()
    )
    return Outlook(as_of, by, now, then, tuple(span for span in spans if span.raw_fen))
