"""Bringing the debts of a paid plan to zero: the waivers that were waiting for it, and the clearance letter."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.balances import Balances, Component
from bot.lending.ledger import Entry, EntryKind, LedgerError, LedgerFault
from bot.services.accounts import DebtView, book, portfolio_of
from bot.services.deps import Deps
from bot.services.proof import DeskWork, Purpose
from bot.services.waivers import book_waivers
from bot.store.tables import Agreement
from bot.workout.offer import Offer
from bot.workout.servicing import ServicedPlan


def clear_debts(session: Session, deps: Deps, agreement: Agreement, offer: Offer, plan: ServicedPlan) -> bool:
    """Book the conditional waivers and return whether every debt of the plan then stands at zero.

    A payment from before the agreement that arrived late may have settled what was to be waived. What then remains of
    the agreed relief is waived of whatever is left, never more than was agreed for that debt. False where the ledgers
    do not fit the plan: money lies on one debt while another is open, or there is a charge the plan knows nothing of.
    What was booked must then be rolled back.
    """
    if offer.conditional_on_completion:
        book_waivers(session, agreement, offer, deps.now())
        session.flush()
    left = _debts(session, deps, agreement, offer)
    credit_fen = sum(debt.statement.balances.credit_fen for debt in left)
    if any(debt.is_open for debt in left) and credit_fen != plan.credit_fen:
        return False
    relief = {share.debt_id: share.waived_fen for share in offer.shares}
    for debt in left:
        if debt.statement.balances.total_fen > relief[debt.debt_id]:
            return False
        _waive_rest(session, deps, agreement, plan, debt.debt_id, debt.statement.balances)
    session.flush()
    return not any(debt.is_open for debt in _debts(session, deps, agreement, offer))


def asks_nothing_more(session: Session, deps: Deps, agreement: Agreement, offer: Offer) -> bool:
    """Whether what the plan's debts still owe is all to be waived, even if instalments are open.

    That happens when a payment from before the agreement arrives late: it takes interest away that the plan counted.
    """
    debts = _debts(session, deps, agreement, offer)
    return all(debt.statement.balances.total_fen <= debt.waived_on_completion_fen for debt in debts)


def _debts(session: Session, deps: Deps, agreement: Agreement, offer: Offer) -> list[DebtView]:
    owed = portfolio_of(session, deps, DeskWork(agreement.borrower_id, Purpose.PLAN_SERVICING))
    covered = {share.debt_id for share in offer.shares}
    return [debt for debt in owed.debts if debt.debt_id in covered]


def _waive_rest(
    session: Session, deps: Deps, agreement: Agreement, plan: ServicedPlan, debt_id: str, left: Balances
) -> None:
    for component in Component:
        if not (amount_fen := left.of(component)):
            continue
        entry = Entry(
            key=f"waiver:{agreement.number}:{component.value}:rest",
            kind=EntryKind.WAIVER,
            component=component,
            amount_fen=amount_fen,
            effective_on=plan.completed_on or business_date(deps.now()),
            booked_at=deps.now(),
            source="agreement",
        )
        if book(session, debt_id, entry) is not None:
            raise LedgerError(LedgerFault.KEY_REUSED, entry.key)
