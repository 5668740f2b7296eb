"""The offers of a negotiation as rows: what is on the table, what was, and the negotiation's own row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.services import audit, notice_planning
from bot.services.accounts import DebtView, RightParty, lock_borrower, portfolio_of
from bot.services.deps import Deps
from bot.store import tables
from bot.workout.budget import StatedBudget
from bot.workout.offer import Offer

OFFER_CODEC: TypeAdapter[Offer] = TypeAdapter(Offer)
BUDGET_CODEC: TypeAdapter[StatedBudget] = TypeAdapter(StatedBudget)


def active(session: Session, party: RightParty) -> tables.Negotiation | None:
    """Return the borrower's open negotiation, locked until the transaction ends, the borrower's row before it."""
    lock_borrower(session, party.borrower_id)
    return session.scalar(
        select(tables.Negotiation).where(tables.Negotiation.active_key == party.borrower_id).with_for_update()
    )


def close(session: Session, deps: Deps, negotiation: tables.Negotiation, how: str) -> None:
    """Close a negotiation inside an open transaction: ``agreed`` or ``ended``."""
    negotiation.active_key = None
    negotiation.state = how
    negotiation.updated_at = deps.now()
    notice_planning.touch(session, negotiation.borrower_id, deps.now())
    audit.record(session, deps.now(), audit.BOT, f"negotiation_{how}", ("negotiation", negotiation.id))


def debts_of(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation, as_of: date | None = None
) -> list[DebtView]:
    """Return the debts a negotiation is about, as they stand today or stood on ``as_of``."""
    wanted = set(negotiation.debt_ids)
    return [debt for debt in portfolio_of(session, deps, party, as_of).debts if debt.debt_id in wanted]


def tabled(session: Session, negotiation: tables.Negotiation) -> list[tables.Offer]:
    """Return every offer made in a negotiation, oldest first."""
    return list(
        session.scalars(
            select(tables.Offer)
            .where(tables.Offer.negotiation_id == negotiation.id)
            .order_by(tables.Offer.round, tables.Offer.position)
        )
    )


def read_offer(row: tables.Offer) -> Offer:
    """Return a stored offer."""
    return OFFER_CODEC.validate_python(row.terms)


def stated_of(negotiation: tables.Negotiation) -> StatedBudget:
    """Return the month's budget as far as it has been told."""
    return StatedBudget(
        negotiation.monthly_income_fen,
        negotiation.monthly_essential_fen,
        negotiation.dependants,
        negotiation.other_debts_monthly_fen,
    )


def budget_of(row: tables.Offer) -> StatedBudget | None:
    """Return the budget that a stored offer was computed from; None where it was not kept with it."""
    return BUDGET_CODEC.validate_python(row.budget) if row.budget is not None else None


def rests_on_budget(session: Session, negotiation: tables.Negotiation) -> bool:
    """Whether the offers put on the table last were computed from the budget as it is told now."""
    rows = tabled(session, negotiation)
    last_round = max((row.round for row in rows), default=0)
    told = stated_of(negotiation).affordability
    budgets = [budget_of(row) for row in rows if row.round == last_round]
    return all(budget is not None and budget.affordability == told for budget in budgets)


def put_on_table(session: Session, deps: Deps, negotiation: tables.Negotiation, offers: Sequence[Offer]) -> None:
    """Put offers on the table as the latest round; one made before keeps its row and moves to this round."""
    rows = {row.id: row for row in tabled(session, negotiation)}
    this_round = max((row.round for row in rows.values()), default=0) + 1
    for position, offer in enumerate(offers, start=1):
        key = row_id(negotiation, offer.offer_id)
        known = rows.get(key)
        if known is not None:
            known.round, known.position = this_round, position
            known.budget = BUDGET_CODEC.dump_python(stated_of(negotiation), mode="json")
            continue
        session.add(
            tables.Offer(
                id=key,
                negotiation_id=negotiation.id,
                round=this_round,
                position=position,
                content_hash=offer.offer_id,
                terms=OFFER_CODEC.dump_python(offer, mode="json"),
                budget=BUDGET_CODEC.dump_python(stated_of(negotiation), mode="json"),
                expires_at=end_of(offer),
            )
        )
    session.flush()
    notice_planning.touch(session, negotiation.borrower_id, deps.now())


def row_id(negotiation: tables.Negotiation, offer_id: str) -> str:
    """Return the key of an offer's row: the same offer in the same negotiation has one row."""
    return hashlib.sha256(f"{negotiation.id}:{offer_id}".encode()).hexdigest()[:32]


def end_of(offer: Offer) -> datetime:
    """Return the instant an offer ends: midnight in Shanghai after its last day."""
    return datetime.combine(offer.expires_on + timedelta(days=1), time.min, tzinfo=SHANGHAI)
