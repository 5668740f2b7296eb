"""The month's budget in a negotiation's row: what was told, what is asked about it, and what is settled."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.deps import Deps
from bot.services.offer_request import request_of, stated_of
from bot.store import tables
from bot.workout.budget import IncomeTold, StatedBudget
from bot.workout.budget_talk import BudgetQuestion, next_question

_INCOME_CODEC: TypeAdapter[IncomeTold] = TypeAdapter(IncomeTold)

_ASKED_ANEW = {
    BudgetQuestion.OTHER_DEBTS_ABOVE_INCOME: BudgetQuestion.OTHER_DEBTS,
    BudgetQuestion.MANY_DEPENDANTS: BudgetQuestion.DEPENDANTS,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a month's budget that were told just now; None is what was not. Amounts in fen."""

    income_fen: int | None = None
    essential_fen: int | None = None
    dependants: int | None = None
    other_debts_fen: int | None = None
    income_told: IncomeTold | None = None

    @property
    def told(self) -> int:
        """How many figures there are."""
        figures = (self.income_fen, self.essential_fen, self.dependants, self.other_debts_fen)
        return sum(figure is not None for figure in figures)


@dataclass(frozen=True, slots=True)
class ToldBudget:
    """A budget as it was told, and how the income was put."""

    stated: StatedBudget
    income_told: IncomeTold | None


def asked_of(negotiation: tables.Negotiation) -> BudgetQuestion | None:
    """Return the question about the budget that is open, beyond income and essential spending."""
    return BudgetQuestion(negotiation.budget_asks) if negotiation.budget_asks else None


def take(negotiation: tables.Negotiation, figures: Figures) -> None:
    """Put figures into the row. A check that is open counts as answered by them: its second answer is taken."""
    asked = asked_of(negotiation)
    if figures.told and asked is not None and asked.is_check:
        _settle(negotiation, asked)
    if figures.income_fen is not None:
        negotiation.monthly_income_fen = figures.income_fen
        told = figures.income_told
        negotiation.income_told = _INCOME_CODEC.dump_python(told, mode="json") if told is not None else None
    if figures.essential_fen is not None:
        negotiation.monthly_essential_fen = figures.essential_fen
    if figures.dependants is not None:
        negotiation.dependants = figures.dependants
    if figures.other_debts_fen is not None:
        negotiation.other_debts_monthly_fen = figures.other_debts_fen


def settle_asked(negotiation: tables.Negotiation) -> None:
    """Take the open question as answered without a figure: it stays as it was told, or untold."""
    if (asked := asked_of(negotiation)) is not None:
        _settle(negotiation, asked)


def settle_everything(negotiation: tables.Negotiation) -> None:
    """Take every question about the budget as answered: the figures come from a plan that was agreed."""
    negotiation.budget_settled = [question.value for question in BudgetQuestion]
    negotiation.budget_asks = None


def settle_open(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> None:
    """Take every question as answered that the figures there are would raise; a figure told later raises its own."""
    ask_next(session, deps, party, negotiation)
    while negotiation.budget_asks is not None:
        settle_asked(negotiation)
        ask_next(session, deps, party, negotiation)


def carry_over(told: tables.Negotiation, negotiation: tables.Negotiation) -> None:
    """Begin with the budget that was told in another negotiation, and with how its income was put."""
    negotiation.monthly_income_fen, negotiation.income_told = told.monthly_income_fen, told.income_told
    negotiation.monthly_essential_fen = told.monthly_essential_fen
    negotiation.dependants = told.dependants
    negotiation.other_debts_monthly_fen = told.other_debts_monthly_fen


def take_back(negotiation: tables.Negotiation, *, essentials: bool) -> None:
    """Take back the figure that the open check is about, so that it is asked anew; once only.

    ``essentials`` says which of two figures it is where the check is about both.
    """
    asked = asked_of(negotiation)
    if asked is None or not asked.is_check:
        return
    _settle(negotiation, asked)
    negotiation.budget_asks = None
    if (anew := _ASKED_ANEW.get(asked)) is not None:
        negotiation.budget_asks = anew.value
        if anew is BudgetQuestion.OTHER_DEBTS:
            negotiation.other_debts_monthly_fen = None
        else:
            negotiation.dependants = None
    elif essentials:
        negotiation.monthly_essential_fen = None
    else:
        negotiation.monthly_income_fen = negotiation.income_told = None


def ask_other_debts(negotiation: tables.Negotiation) -> None:
    """Ask for other debts at the borrower's wish, whether or not it was asked before."""
    question = BudgetQuestion.OTHER_DEBTS.value
    negotiation.budget_settled = [value for value in negotiation.budget_settled or [] if value != question]
    negotiation.budget_asks = question


def ask_next(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> None:
    """Find out what to ask next about the budget and note it; nothing before debts and income are known."""
    if not negotiation.debt_ids or negotiation.monthly_income_fen is None:
        negotiation.budget_asks = None
        return
    settled = frozenset(BudgetQuestion(value) for value in negotiation.budget_settled or ())
    asks = next_question(stated_of(negotiation), settled, request_of(session, deps, party, negotiation))
    negotiation.budget_asks = asks.value if asks is not None else None


def income_told_of(negotiation: tables.Negotiation) -> IncomeTold | None:
    """Return how the income was put; None where it was one figure a month and nothing else."""
    return _INCOME_CODEC.validate_python(negotiation.income_told) if negotiation.income_told is not None else None


def told_budget(deps: Deps, conversation_id: str) -> ToldBudget | None:
    """Return the budget that the verified borrower told last, while it is kept; None if there is none."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return None
        row = session.scalars(
            select(tables.Negotiation)
            .where(
                tables.Negotiation.borrower_id == party.borrower_id,
                tables.Negotiation.monthly_income_fen.is_not(None)
                | tables.Negotiation.monthly_essential_fen.is_not(None),
            )
            .order_by(tables.Negotiation.updated_at.desc(), tables.Negotiation.created_at.desc())
            .limit(1)
        ).first()
        return ToldBudget(stated_of(row), income_told_of(row)) if row is not None else None


def _settle(negotiation: tables.Negotiation, question: BudgetQuestion) -> None:
    known = negotiation.budget_settled or []
    if question.value not in known:
        negotiation.budget_settled = [*known, question.value]
