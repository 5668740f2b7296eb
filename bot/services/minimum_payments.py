"""The minimum payments of card statements as they are stored, and the late fees that follow from them.

A late fee that has not been booked is counted in the statement all the same, as interest is; rules S9 and S10 of
``docs/lending.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.lending.contract import ContractTerms
from bot.lending.late_fee import MinimumPayment, charge_late_fees
from bot.lending.ledger import Entry
from bot.store import tables
from bot.store.many import among
from bot.workout.interest_stop import InterestStop, fee_is_stopped

_MINIMUMS = (
    select(tables.MinimumPayment)
    .where(tables.MinimumPayment.debt_id.in_(bindparam("debt_ids", expanding=True)))
    .order_by(tables.MinimumPayment.due_on)
)


def minimums_of(session: Session, debt_id: str) -> tuple[MinimumPayment, ...]:
    """Return what a card's statements asked for, oldest first; nothing for other debts."""
    return minimums_of_all(session, (debt_id,)).get(debt_id, ())


def minimums_of_all(session: Session, debt_ids: Collection[str]) -> dict[str, tuple[MinimumPayment, ...]]:
    """Return what the statements of some debts asked for, oldest first, by debt; those without any are left out."""
    found: dict[str, tuple[MinimumPayment, ...]] = {}
    for row in session.scalars(_MINIMUMS, {"debt_ids": list(debt_ids)}):
        minimum = MinimumPayment(row.statement_on, row.due_on, row.minimum_fen)
        found[row.debt_id] = (*found.get(row.debt_id, ()), minimum)
    return found


def late_fees(
    terms: ContractTerms,
    booked: Iterable[Entry],
    minimums: Sequence[MinimumPayment],
    until: date,
    stops: Sequence[InterestStop],
    booked_at: datetime | None = None,
) -> tuple[Entry, ...]:
    """Return what is missing of the late fees up to the end of ``until``, corrections of wrong ones included.

    None is charged on a day on which a plan stops interest and fees. ``booked_at`` defaults to midnight of ``until`` in
    Shanghai. Raises as ``bot.lending.late_fee.charge_late_fees`` does.
    """
    charged = [each for each in minimums if not fee_is_stopped(each.charged_on(terms), stops)]
    at = booked_at or datetime.combine(until, time(), tzinfo=SHANGHAI)
    return charge_late_fees(terms, booked, charged, until, at) if charged else ()


def settled_until(session: Session, debt_ids: Collection[str], today: date) -> dict[str, date]:
    """Return for each debt with minimum payments the first day from which a payment changes no late fee any more.

    Only fees charged by ``today`` count: a later one is not known yet.
    """
    minimum, debt, contract = tables.MinimumPayment, tables.Debt, tables.Contract
    rows = session.execute(
        select(minimum.debt_id, minimum.due_on, contract.grace_days)
        .join(debt, debt.id == minimum.debt_id)
        .join(contract, contract.id == debt.contract_id)
        .where(among(session, minimum.debt_id, debt_ids))
    )
    found: dict[str, date] = {}
    for debt_id, due_on, grace_days in rows:
        charged_on = date.fromordinal(due_on.toordinal() + grace_days + 1)
        if charged_on <= today:
            found[debt_id] = max(found.get(debt_id, date.min), charged_on)
    return found
