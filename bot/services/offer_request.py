"""The facts of a negotiation as the request its offers are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.lending.balances import Component
from bot.services.accounts import DebtView, portfolio_of, terms_of
from bot.services.circumstances import pace_of_borrower
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.offer_table import read_offer, stated_of, tabled
from bot.services.proof import Reader
from bot.store import tables
from bot.workout.bounds import DebtPosition, OfferRequest, RunningContract
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import OfferKind
from bot.workout.policy_sections import HardshipKind
from bot.workout.request import MOST_SHOWN

__all__ = ["FEWER_SHOWN", "WISH_CODEC", "request_of", "stated_of", "wish_of"]

WISH_CODEC: TypeAdapter[BorrowerProposal] = TypeAdapter(BorrowerProposal)

FEWER_SHOWN = 2
"""Plans at once for somebody with whom one speaks shortly: a gentle one, and one other (A3)."""


def request_of(
    session: Session, deps: Deps, reader: Reader, negotiation: tables.Negotiation, as_of: date | None = None
) -> OfferRequest:
    """Return what a negotiation's offers are computed from, its debts as they stand today or stood on ``as_of``.

    The means, the offers made and the holds are those of now; means that have not been told count as nothing. The
    debts are the reader's: a negotiation of somebody else has none of them. Raises ``KeyError`` if the negotiation's
    policy is no longer among the approved ones, and ``ValueError`` if it has no debts yet.
    """
    if not negotiation.debt_ids:
        raise ValueError("no debts have been chosen yet")
    owed = portfolio_of(session, deps, reader, as_of)
    debts = [debt for debt in owed.debts if debt.debt_id in negotiation.debt_ids]
    return OfferRequest(
        debts=tuple(_position(session, debt) for debt in debts),
        affordability=stated_of(negotiation).affordability,
        policy=deps.policies[negotiation.policy_code],
        as_of=owed.as_of,
        pay_day=negotiation.pay_day,
        history=tuple(read_offer(row) for row in tabled(session, negotiation)),
        on_hold=bool(open_holds(session, negotiation.borrower_id, deps.now()).silencing)
        or any(debt.disputed for debt in debts),
        available_now_fen=negotiation.available_now_fen or 0,
        hardship=HardshipKind(negotiation.hardship) if negotiation.hardship else None,
        deferrals_used=_deferrals_used(session, negotiation),
        kinds=frozenset(OfferKind),
        waivable=frozenset(Component),
        may_seek_approval=True,
        most_shown=FEWER_SHOWN if pace_of_borrower(session, deps, negotiation.borrower_id).is_shorter else MOST_SHOWN,
    )


def wish_of(negotiation: tables.Negotiation) -> BorrowerProposal | None:
    """Return what the borrower asked for and has not been answered yet."""
    return WISH_CODEC.validate_python(negotiation.wish) if negotiation.wish is not None else None


def _position(session: Session, debt: DebtView) -> DebtPosition:
    late = debt.statement.days_past_due > 0
    return DebtPosition(
        debt_id=debt.debt_id,
        product_kind=debt.kind,
        balances=debt.statement.balances,
        days_past_due=debt.statement.days_past_due,
        limitation=debt.limitation,
        running_annual_rate=debt.annual_rate + (debt.penalty_annual_rate if late else 0),
        contract=RunningContract(terms_of(session.get_one(tables.Debt, debt.debt_id).contract), debt.due_on),
    )


def _deferrals_used(session: Session, negotiation: tables.Negotiation) -> int:
    """Count the deferrals this borrower has agreed to on any of these debts."""
    rows: Sequence[tables.Offer] = session.scalars(
        select(tables.Offer)
        .join(tables.Agreement, tables.Agreement.offer_id == tables.Offer.id)
        .where(tables.Agreement.borrower_id == negotiation.borrower_id)
    ).all()
    wanted = set(negotiation.debt_ids)
    offers = [read_offer(row) for row in rows]
    return sum(bool(o.deferral_months) and any(share.debt_id in wanted for share in o.shares) for o in offers)
