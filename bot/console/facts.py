"""Debts and plans for the card beside a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import structlog

from bot.lending.ledger import LedgerError
from bot.services import accounts, agreements
from bot.services.accounts import DebtView, NotVerified
from bot.services.agreements import AgreementView
from bot.services.deps import Deps
from bot.services.negotiation_budget import ToldBudget, told_budget

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the verified borrower owes and has agreed to; amounts in fen, as of a day in Asia/Shanghai.

    ``budget`` is the month's budget as it was told last, None where none was or it is kept no longer.
    """

    as_of: date
    debts: tuple[DebtView, ...]
    total_fen: int
    plans: tuple[AgreementView, ...]
    budget: ToldBudget | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The stored contract or ledger makes no sense: the conversation must open all the same, and the card says so."""


def card_facts(deps: Deps, conversation_id: str) -> CardFacts | Unreadable | None:
    """Return what the operator may talk about, or None while the borrower is not verified: then nothing may be said."""
    try:
        portfolio = accounts.portfolio(deps, conversation_id)
        plans = agreements.plan_in_force(deps, conversation_id)
        budget = told_budget(deps, conversation_id)
    except (LedgerError, ValueError):
        _log.exception("card_facts_unreadable", conversation_id=conversation_id)
        return Unreadable()
    if isinstance(portfolio, NotVerified) or isinstance(plans, NotVerified):
        return None
    return CardFacts(portfolio.as_of, portfolio.open_debts, portfolio.total_fen, plans, budget)
