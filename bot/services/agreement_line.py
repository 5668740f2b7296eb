"""The line of agreements on one set of debts: each may take the place of the one before, and nothing is rewritten."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import audit, plan_notices
from bot.services.deps import Deps
from bot.services.offer_table import read_offer
from bot.store import tables
from bot.workout.policy import ReliefPolicy
from bot.workout.replan import InstalmentRecord, PlanRecord, replans_left

IN_FORCE, REPLACED, BROKEN = "in_force", "replaced", "broken"


def latest(
    session: Session, borrower_id: str, debt_ids: Collection[str], states: Collection[str]
) -> tables.Agreement | None:
    """Return the borrower's latest agreement in one of some states that covers any of these debts."""
    rows = session.scalars(
        select(tables.Agreement)
        .where(tables.Agreement.borrower_id == borrower_id, tables.Agreement.state.in_(states))
        .order_by(tables.Agreement.accepted_at.desc(), tables.Agreement.version.desc())
    )
    return next((row for row in rows if set(row.debt_ids) & set(debt_ids)), None)


def broken_before(session: Session, borrower_id: str, debt_ids: Collection[str]) -> tables.Agreement | None:
    """Return the agreement whose breach left these debts without a plan, if that is how they came to have none."""
    last = latest(session, borrower_id, debt_ids, (IN_FORCE, REPLACED, BROKEN, "completed"))
    return last if last is not None and last.state == BROKEN else None


def instalments_of(session: Session, agreement: tables.Agreement) -> list[tables.Instalment]:
    """Return an agreement's instalments in order, the down payment first."""
    return list(
        session.scalars(
            select(tables.Instalment)
            .where(tables.Instalment.agreement_id == agreement.id)
            .order_by(tables.Instalment.number)
        )
    )


def record_of(session: Session, agreement: tables.Agreement) -> PlanRecord:
    """Return a plan as it was lived; the version tells how many plans it has replaced."""
    parts = tuple(
        InstalmentRecord(part.due_on, part.amount_fen, part.paid_fen) for part in instalments_of(session, agreement)
    )
    return PlanRecord(parts, agreement.version - 1)


def may_be_replaced(session: Session, agreement: tables.Agreement, policy: ReliefPolicy) -> bool:
    """Whether the policy lets the bot make another plan after this one."""
    return replans_left(record_of(session, agreement), policy) > 0


def next_number(agreement: tables.Agreement) -> str:
    """Return the number of the agreement that takes this one's place: ``…-2`` after the first, then ``…-3``."""
    root = agreement.number.removesuffix(f"-{agreement.version}") if agreement.version > 1 else agreement.number
    return f"{root}-{agreement.version + 1}"


def interest_stopped_on(session: Session, agreement: tables.Agreement) -> date:
    """Return the day up to which the debts of an agreement bear interest."""
    offer = read_offer(session.get_one(tables.Offer, agreement.offer_id))
    return agreement.interest_stopped_on or offer.as_of


def replace(session: Session, deps: Deps, old: tables.Agreement, new: tables.Agreement) -> None:
    """Let one agreement take another's place inside an open transaction; notices of the old one are called off.

    Interest that the old one had stopped stays stopped; where it ran, the new one counts from its own offer on. One
    that was broken before stays on record as that: its interest has run again, and the new agreement stops it from its
    own offer on.
    """
    if old.state != IN_FORCE:
        return
    if not read_offer(session.get_one(tables.Offer, old.offer_id)).interest_during_plan:
        new.interest_stopped_on = interest_stopped_on(session, old)
    old.state = REPLACED
    plan_notices.supersede(session, deps, [part.id for part in instalments_of(session, old)], REPLACED)
    audit.record(session, deps.now(), audit.BOT, "agreement_replaced", ("agreement", old.id), by=new.number)
