"""Figures for the verified borrower: where each comes from, what waiting costs, what ends the debt.

Every figure is derived from the ledger at the moment it is asked for. Only payoff quotes are kept: a borrower relies on
one for some days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.lending.annual_cost import AnnualCost, CostFinding, cost_to_date
from bot.lending.balances import Component
from bot.lending.explanation import Explanation, explain
from bot.lending.outlook import Outlook, outlook
from bot.lending.payoff import PayoffQuote, quote_of
from bot.services import audit, payoff_quotes
from bot.services.accounts import DebtView, NotVerified, counted_ledger, portfolio_of, right_party
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.payoff_quotes import may_be_pressed
from bot.store.tables import AuditEntry

QUOTE_DAYS = 3
"""How many days after today a payoff quote holds."""

_ABOVE_24 = "annual_cost_above_24"


@dataclass(frozen=True, slots=True)
class FigureView:
    """One component of one debt, opened into lines that add up to it."""

    debt: DebtView
    component: Component
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class PayoffView:
    """What ends a debt: a quote, or, under an agreement that stops interest, what it still asks (``planned_fen``)."""

    debt: DebtView
    quote: PayoffQuote | None
    planned_fen: int | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What a debt becomes if nothing is paid until a day."""

    debt: DebtView
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class CostView:
    """What a debt costs a year, all fees included, if it were paid off today."""

    debt: DebtView
    cost: AnnualCost

    @property
    def is_to_be_noted(self) -> bool:
        """Whether the cost is above 24 % a year: the borrower may ask for a check (rule M2)."""
        return CostFinding.ABOVE_24_PERCENT in self.cost.findings


def open_figure(
    deps: Deps, conversation_id: str, debt_id: str, component: Component
) -> FigureView | NotVerified | None:
    """Open one figure of the statement; None when there is no such debt of this borrower."""
    with deps.read() as session:
        debts = _debts(session, deps, conversation_id)
        if isinstance(debts, NotVerified):
            return debts
        debt = next((debt for debt in debts if debt.debt_id == debt_id), None)
        if debt is None:
            return None
        ledger = counted_ledger(session, debt)
        opened = explain(ledger.terms, ledger.counted, ledger.due_on, debt.statement.as_of, component)
        return FigureView(debt, component, opened)


def quote_payoff(deps: Deps, conversation_id: str) -> tuple[PayoffView, ...] | NotVerified:
    """Quote what ends each open debt that may be spoken of, valid for today and ``QUOTE_DAYS`` more, and keep it."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        debts = portfolio_of(session, deps, party).open_debts
        views = tuple(_payoff(session, debt) for debt in debts if may_be_pressed(debt))
    quotes = [view.quote for view in views if view.quote is not None]
    payoff_quotes.keep(deps, party.borrower_id, conversation_id, quotes)
    return views


def wait_until(deps: Deps, conversation_id: str, by: date) -> tuple[WaitingView, ...] | NotVerified:
    """Show what each open debt becomes by a day; debts under an agreement do not grow and are left out."""
    with deps.read() as session:
        debts = _debts(session, deps, conversation_id)
        if isinstance(debts, NotVerified):
            return debts
        seen: list[WaitingView] = []
        for debt in debts:
            if may_be_pressed(debt) and debt.plan_number is None:
                ledger = counted_ledger(session, debt)
                ahead = outlook(ledger.terms, ledger.booked, ledger.due_on, debt.statement.as_of, by)
                seen.append(WaitingView(debt, ahead))
        return tuple(seen)


def yearly_costs(deps: Deps, conversation_id: str) -> tuple[CostView, ...] | NotVerified:
    """Return what each open debt costs a year so far. The first time one is above 24 %, a person is asked (rule M2)."""
    with deps.begin() as session:
        debts = _debts(session, deps, conversation_id)
        if isinstance(debts, NotVerified):
            return debts
        seen: list[CostView] = []
        for debt in debts:
            ledger = counted_ledger(session, debt)
            cost = cost_to_date(ledger.terms, ledger.counted, ledger.due_on, debt.statement.as_of)
            if isinstance(cost, AnnualCost):
                view = CostView(debt, cost)
                seen.append(view)
                if view.is_to_be_noted:
                    _ask_for_check(session, deps, conversation_id, debt.debt_id)
        return tuple(seen)


def _ask_for_check(session: Session, deps: Deps, conversation_id: str, debt_id: str) -> None:
    """Put a cost on record and queue the conversation, once for each debt: however often it is looked at again."""
    noted = select(AuditEntry.id).where(
        AuditEntry.subject_kind == "debt", AuditEntry.subject_id == debt_id, AuditEntry.event == _ABOVE_24
    )
    if session.scalar(noted.limit(1)) is not None:
        return
    audit.record(session, deps.now(), audit.BOT, _ABOVE_24, ("debt", debt_id))
    conversation = locked(session, conversation_id)
    if conversation is not None:
        enqueue(session, conversation, QueueReason.HIGH_COST, deps.now())


def in_days(deps: Deps, days: int) -> date:
    """Return the day so many days from today in Asia/Shanghai."""
    return business_date(deps.now()) + timedelta(days=days)


def _debts(session: Session, deps: Deps, conversation_id: str) -> tuple[DebtView, ...] | NotVerified:
    party = right_party(session, deps, conversation_id)
    return party if isinstance(party, NotVerified) else portfolio_of(session, deps, party).open_debts


def _payoff(session: Session, debt: DebtView) -> PayoffView:
    if debt.plan_number is not None and not debt.plan_interest_runs:
        return PayoffView(debt, None, debt.statement.balances.total_fen - debt.waived_on_completion_fen)
    as_of = debt.statement.as_of
    ledger = counted_ledger(session, debt)
    quote = quote_of(debt.debt_id, ledger.owed_on, as_of, as_of + timedelta(days=QUOTE_DAYS))
    return PayoffView(debt, quote if isinstance(quote, PayoffQuote) else None, None)
