"""Another plan in the place of one that cannot be kept, or whose pay day no longer suits.

The new plan starts from today's facts, and the old one stays in force until the new one is agreed to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.schedule import add_months
from bot.services import agreement_line, audit
from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.negotiation import propose
from bot.services.negotiation_budget import settle_everything
from bot.services.negotiation_state import Result, State, state_of
from bot.services.offer_request import request_of
from bot.services.offer_table import active, close
from bot.store import tables
from bot.workout.counter import BorrowerProposal
from bot.workout.replan import ReplanRefusal, replan


class NoReplan(StrEnum):
    """Why the bot makes no other plan. ``NO_PLAN`` apart, a person goes on from here."""

    NO_PLAN = "no_plan"
    COMPLETED = "completed"
    NO_REPLANS_LEFT = "no_replans_left"
    MEANS_UNKNOWN = "means_unknown"
    ON_HOLD = "on_hold"


@dataclass(frozen=True, slots=True)
class _Plan:
    """An agreement in force with what is left of it."""

    agreement: tables.Agreement
    left: Sequence[tables.Instalment]


def begin(deps: Deps, conversation_id: str) -> State | NoReplan | NotVerified:
    """Open a negotiation for another plan in the place of the one in force, or go on with the one that is open.

    Of several plans it is the one with the earliest instalment that is still to be paid. A negotiation about other
    debts ends: there is one at a time.
    """
    try:
        return _begin(deps, conversation_id)
    except IntegrityError:  # opened over another channel between the look and the write: it is there now
        return _begin(deps, conversation_id)


def move_pay_day(deps: Deps, conversation_id: str, pay_day: int) -> Result | NoReplan | NotVerified:
    """Offer the same number of remaining instalments on another day of the month (1 to 31).

    The means are those the plan in force was made with: nothing is asked of the borrower but the day.
    """
    begun = begin(deps, conversation_id)
    if not isinstance(begun, State):
        return begun
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation, plan = active(session, party), _plan_of(session, party)
        if negotiation is None or plan is None:
            return NoReplan.NO_PLAN
        before = session.get_one(tables.Negotiation, plan.agreement.negotiation_id)
        if before.monthly_income_fen is None or before.monthly_essential_fen is None:
            close(session, deps, negotiation, "ended")
            return NoReplan.MEANS_UNKNOWN
        negotiation.monthly_income_fen = before.monthly_income_fen
        negotiation.monthly_essential_fen = before.monthly_essential_fen
        negotiation.dependants = before.dependants
        negotiation.other_debts_monthly_fen = before.other_debts_monthly_fen
        negotiation.income_told = before.income_told
        settle_everything(negotiation)
        negotiation.hardship = before.hardship or "other"
        negotiation.pay_day = pay_day
        first_on = _first_on(plan, pay_day, business_date(deps.now()))
        wish = BorrowerProposal(months=len([part for part in plan.left if part.number]) or None, first_on=first_on)
    return propose(deps, conversation_id, wish)


def _begin(deps: Deps, conversation_id: str) -> State | NoReplan | NotVerified:
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        if open_holds(session, party.borrower_id, deps.now()).silencing:
            return NoReplan.ON_HOLD
        plan = _plan_of(session, party)
        if plan is None:
            return NoReplan.NO_PLAN
        existing = active(session, party)
        if existing is not None:
            if existing.replaces_agreement_id == plan.agreement.id:
                return state_of(session, deps, party, existing)
            close(session, deps, existing, "ended")
            session.flush()
        product = session.get_one(tables.Debt, plan.agreement.debt_ids[0]).contract.product
        now, policy = deps.now(), deps.policies[product.policy_code]
        negotiation = tables.Negotiation(
            borrower_id=party.borrower_id,
            active_key=party.borrower_id,
            debt_ids=list(plan.agreement.debt_ids),
            policy_code=policy.code,
            policy_version=policy.version,
            replaces_agreement_id=plan.agreement.id,
            created_at=now,
            updated_at=now,
        )
        session.add(negotiation)
        session.flush()
        record = agreement_line.record_of(session, plan.agreement)
        allowed = replan(record, request_of(session, deps, party, negotiation))
        if isinstance(allowed, ReplanRefusal):
            close(session, deps, negotiation, "ended")
            return _REFUSED[allowed]
        audit.record(
            session, now, audit.BOT, "replanning_opened", ("negotiation", negotiation.id), plan=plan.agreement.number
        )
        return state_of(session, deps, party, negotiation)


_REFUSED = {
    ReplanRefusal.PLAN_COMPLETED: NoReplan.COMPLETED,
    ReplanRefusal.NO_REPLANS_LEFT: NoReplan.NO_REPLANS_LEFT,
}


def _plan_of(session: Session, party: RightParty) -> _Plan | None:
    """Return the agreement in force whose next instalment is due first."""
    rows = session.scalars(
        select(tables.Agreement)
        .where(tables.Agreement.borrower_id == party.borrower_id, tables.Agreement.state == agreement_line.IN_FORCE)
        .order_by(tables.Agreement.accepted_at)
    )
    plans = [_Plan(row, _left(session, row)) for row in rows]
    return min(plans, key=lambda plan: plan.left[0].due_on if plan.left else date.max, default=None)


def _left(session: Session, agreement: tables.Agreement) -> list[tables.Instalment]:
    parts = agreement_line.instalments_of(session, agreement)
    return [part for part in parts if part.paid_fen < part.amount_fen]


def _first_on(plan: _Plan, pay_day: int, today: date) -> date:
    """The new pay day in the month in which the next instalment falls due, or the first one after today."""
    due_on = plan.left[0].due_on if plan.left else today
    ahead = 0
    while add_months(max(due_on, today), ahead, pay_day) <= today:
        ahead += 1
    return add_months(max(due_on, today), ahead, pay_day)
