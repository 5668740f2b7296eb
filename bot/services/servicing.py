"""What becomes of a plan after it was agreed: instalments settled by payments, late ones, completion, breach.

The rules are pure and stand in ``bot.workout.servicing``; here their results are written down and acted upon, in the
transaction of the payment that caused them or in the scheduler's sweep. Whoever calls inside a transaction holds the
borrower's row (``bot.services.accounts.lock_borrower``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.lending.ledger import EntryKind, effective_entries
from bot.lending.schedule import ScheduledInstalment
from bot.outreach.gate import HoldKind
from bot.services import audit, clearance, notice_planning, payment_traces, plan_interest, plan_notices
from bot.services.accounts import ledger_of, lock_borrower
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.holds import lift, open_holds
from bot.services.offer_table import read_offer
from bot.services.one_by_one import attempted
from bot.services.plan_completion import asks_nothing_more, clear_debts
from bot.store.tables import Agreement, Conversation, Hold, Instalment, Negotiation, Offer, PlanEvent
from bot.workout.offer import Offer as OfferTerms
from bot.workout.promise import PaymentMade
from bot.workout.servicing import (
    GRACE_DAYS,
    BreachRule,
    InstalmentState,
    PlanHealth,
    ServicedPlan,
    serviced,
    would_break,
)

TOLD_BEFORE = timedelta(days=3)
"""How long before its end the borrower must have been told that a plan may end."""

LOOK_AGAIN = timedelta(days=1)
_WAIT_FOR = frozenset(
    {
        HoldKind.COMPLAINT,
        HoldKind.DECEASED,
        HoldKind.DISPUTE,
        HoldKind.DISTRESS,
        HoldKind.INCAPACITY,
        HoldKind.MINOR,
        HoldKind.PERSON,
    }
)
"""Holds under which no plan is ended without a person."""


class PlanEventKind(StrEnum):
    """What happened to an agreement."""

    MISSED = "missed"
    BREACH = "breach"
    UNEVEN = "uneven"
    COMPLETED = "completed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class PlansSwept:
    """What one sweep did, by count: plans looked at, persons asked, plans ended after a breach."""

    looked_at: int = 0
    persons_asked: int = 0
    ended: int = 0


def settle_plans(session: Session, deps: Deps, borrower_id: str) -> None:
    """Bring a borrower's plans in force up to date with the ledgers, inside an open transaction."""
    session.flush()
    for agreement in _in_force(session, borrower_id):
        settle(session, deps, agreement)


def settle(session: Session, deps: Deps, agreement: Agreement, *, ageing: bool = False) -> ServicedPlan:
    """Write down what payments have made of one plan, and complete it if nothing is left of it.

    That an instalment has become late or missed is written down with ``ageing`` only: by the sweep, which acts on it.
    """
    rows = _instalments(session, agreement.id)
    offer = read_offer(session.get_one(Offer, agreement.offer_id))
    payments = _payments(session, deps, agreement)
    plan_interest.ask_anew(session, deps, agreement, offer, rows, payments)
    schedule = [ScheduledInstalment(row.number, row.due_on, row.amount_fen) for row in rows]
    plan = serviced(schedule, payments, business_date(deps.now()), _rule(session, deps, agreement))
    for row, part in zip(rows, plan.instalments, strict=True):
        row.paid_fen = part.paid_fen
        if ageing or not part.state.is_overdue:
            row.state = part.state.value
        elif row.state == InstalmentState.DUE and part.paid_fen:
            row.state = InstalmentState.PARTLY_PAID.value
    settled = [row.id for row, part in zip(rows, plan.instalments, strict=True) if part.state.is_settled]
    plan_notices.supersede(session, deps, settled, "paid")
    if plan.health is PlanHealth.COMPLETED or asks_nothing_more(session, deps, agreement, offer):
        _complete(session, deps, agreement, offer, plan)
    return plan


def sweep(deps: Deps, limit: int = 100) -> PlansSwept:
    """Look at every plan on which a day has changed something, one transaction each; see ``docs/lending.md``.

    A late instalment gets one gentle notice, through the gate. After the days of grace a person is asked. A plan that
    is broken by its rule ends only when the borrower was told of that before; then the hold on collection ends as well.
    One that cannot be looked at waits for the next round and takes nobody's place in this one.
    """
    looked_at = persons_asked = ended = 0
    seen: set[str] = set()
    while looked_at < limit and (waiting := _waiting(deps, limit - looked_at, seen)):
        seen.update(waiting)
        for agreement_id in waiting:
            done = attempted(partial(_look, deps, agreement_id), "plan_not_serviced", agreement=agreement_id)
            if done is not None:
                looked_at, persons_asked, ended = looked_at + 1, persons_asked + done[0], ended + done[1]
    return PlansSwept(looked_at, persons_asked, ended)


def _in_force(session: Session, borrower_id: str) -> Sequence[Agreement]:
    """A borrower's plans in force, locked: one may be about to be replaced."""
    return session.scalars(
        select(Agreement)
        .where(Agreement.borrower_id == borrower_id, Agreement.state == "in_force")
        .order_by(Agreement.accepted_at)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _instalments(session: Session, agreement_id: str) -> Sequence[Instalment]:
    return session.scalars(
        select(Instalment).where(Instalment.agreement_id == agreement_id).order_by(Instalment.number)
    ).all()


def _payments(session: Session, deps: Deps, agreement: Agreement) -> list[PaymentMade]:
    """The payments that the agreed figures do not contain yet, whatever day they count from."""
    agreed_on = business_date(agreement.accepted_at)
    return [
        PaymentMade(entry.effective_on, entry.amount_fen)
        for debt_id in agreement.debt_ids
        for entry in effective_entries(ledger_of(session, debt_id), business_date(deps.now()))
        if entry.kind is EntryKind.PAYMENT
        and (entry.booked_at > agreement.accepted_at or entry.effective_on > agreed_on)
    ]


def _rule(session: Session, deps: Deps, agreement: Agreement) -> BreachRule:
    """The days of grace that every text names, and the number of missed instalments that the policy names."""
    negotiation = session.get_one(Negotiation, agreement.negotiation_id)
    policy = deps.policies.get(negotiation.policy_code)
    return BreachRule(missed_in_a_row=policy.missed_in_a_row_breaks) if policy else BreachRule()


def _complete(session: Session, deps: Deps, agreement: Agreement, offer: OfferTerms, plan: ServicedPlan) -> None:
    """End a plan that is paid: its waivers are booked and its debts stand at zero, or a person has to look."""
    now, completed_on = deps.now(), plan.completed_on or plan.as_of
    attempt = session.begin_nested()
    agreement.state = "completed"
    _record(session, agreement, PlanEventKind.COMPLETED, completed_on, now)
    if not clear_debts(session, deps, agreement, offer, plan):
        attempt.rollback()
        if _record(session, agreement, PlanEventKind.UNEVEN, plan.as_of, now):
            _ask_person(session, deps, agreement, QueueReason.PAYMENT_TRACE)
        return
    attempt.commit()
    _lift_plan_hold(session, deps, agreement)
    plan_notices.supersede(session, deps, [row.id for row in _instalments(session, agreement.id)], "completed")
    clearance.letter_of_agreement(session, deps, agreement)
    plan_notices.plan_thanks(session, deps, agreement)
    audit.record(session, now, audit.SYSTEM, "plan_completed", ("agreement", agreement.id))


def _waiting(deps: Deps, limit: int, seen: Collection[str]) -> list[str]:
    """Agreements with an instalment whose stored state a day has overtaken, or with a decision that is due.

    Oldest first; those that were ``seen`` in this round are left out.
    """
    now = deps.now()
    today = business_date(now)
    ahead = Instalment.state.in_((InstalmentState.DUE, InstalmentState.PARTLY_PAID)) & (Instalment.due_on < today)
    lapsed = (Instalment.state == InstalmentState.LATE) & (Instalment.due_on < today - timedelta(days=GRACE_DAYS))
    overtaken = select(Instalment.id).where(Instalment.agreement_id == Agreement.id, ahead | lapsed).exists()
    decision = (
        select(PlanEvent.id).where(PlanEvent.agreement_id == Agreement.id, PlanEvent.look_again_at <= now).exists()
    )
    with deps.read() as session:
        return list(
            session.scalars(
                select(Agreement.id)
                .where(Agreement.state == "in_force", overtaken | decision, Agreement.id.not_in(seen))
                .order_by(Agreement.accepted_at, Agreement.id)
                .limit(limit)
            )
        )


def _look(deps: Deps, agreement_id: str) -> tuple[bool, bool]:
    """Look at one plan; returns whether a person was asked and whether it ended."""
    with deps.begin() as session:
        agreement = session.get_one(Agreement, agreement_id)
        lock_borrower(session, agreement.borrower_id)
        session.refresh(agreement, with_for_update=True)
        if agreement.state != "in_force":
            return False, False
        rows = _instalments(session, agreement_id)
        were = {row.id: InstalmentState(row.state) for row in rows}
        plan = settle(session, deps, agreement, ageing=True)
        if agreement.state != "in_force":
            return False, False
        parts = list(zip(rows, plan.instalments, strict=True))
        newly_overdue = [row for row, part in parts if part.state.is_overdue and not were[row.id].is_overdue]
        missed = [row for row, part in parts if part.state is InstalmentState.MISSED]
        if newly_overdue:
            ending = would_break(plan, _rule(session, deps, agreement))
            plan_notices.plan_late(session, deps, agreement, newly_overdue[-1], ending=ending)
        today, now = plan.as_of, deps.now()
        new = [row for row in missed if _record(session, agreement, PlanEventKind.MISSED, today, now, row)]
        if new:
            _ask_person(session, deps, agreement, QueueReason.PLAN_MISSED)
        return bool(new), _judge_breach(session, deps, agreement, plan, missed)


def _judge_breach(
    session: Session, deps: Deps, agreement: Agreement, plan: ServicedPlan, missed: Sequence[Instalment]
) -> bool:
    """End a broken plan whose borrower was told in time, else see to it that they are told; True if it ended."""
    now = deps.now()
    key = f"{agreement.id}:{PlanEventKind.BREACH.value}"
    breach = session.scalar(select(PlanEvent).where(PlanEvent.key == key))
    if plan.health is not PlanHealth.BROKEN:
        if breach is not None:
            breach.look_again_at = None
        return False
    if breach is None:
        breach = _record(session, agreement, PlanEventKind.BREACH, plan.as_of, now)
    told_at = plan_notices.told_of_ending_at(session, [row.id for row in missed])
    if told_at is None:
        plan_notices.plan_late(session, deps, agreement, missed[-1], ending=True)
    if breach is not None and (told_at is None or now - told_at < TOLD_BEFORE or _must_wait(session, deps, agreement)):
        breach.look_again_at = now + LOOK_AGAIN
        return False
    _end(session, deps, agreement)
    return True


def _must_wait(session: Session, deps: Deps, agreement: Agreement) -> bool:
    """Whether a payment is being looked for, or a hold says that a person decides."""
    if payment_traces.is_looked_for(session, agreement.borrower_id, agreement.debt_ids):
        return True
    return bool(open_holds(session, agreement.borrower_id, deps.now()).kinds & _WAIT_FOR)


def _end(session: Session, deps: Deps, agreement: Agreement) -> None:
    """End a broken plan: interest runs again from today, the hold on collection and the plan's notices end."""
    now = deps.now()
    agreement.state = "broken"
    _record(session, agreement, PlanEventKind.BROKEN, business_date(now), now)
    _lift_plan_hold(session, deps, agreement)
    plan_notices.supersede(session, deps, [row.id for row in _instalments(session, agreement.id)], "broken")
    notice_planning.touch(session, agreement.borrower_id, now)
    _ask_person(session, deps, agreement, QueueReason.PLAN_MISSED)
    audit.record(session, now, audit.SYSTEM, "plan_broken", ("agreement", agreement.id))


def _record(
    session: Session,
    agreement: Agreement,
    kind: PlanEventKind,
    happened_on: date,
    now: datetime,
    instalment: Instalment | None = None,
) -> PlanEvent | None:
    """Write an event down; None if that was done before."""
    key = ":".join([agreement.id, kind.value, *([instalment.id] if instalment else [])])
    if session.scalar(select(func.count()).select_from(PlanEvent).where(PlanEvent.key == key)):
        return None
    event = PlanEvent(
        key=key,
        agreement_id=agreement.id,
        instalment_id=instalment.id if instalment else None,
        kind=kind.value,
        happened_on=happened_on,
        recorded_at=now,
    )
    session.add(event)
    session.flush()
    return event


def _lift_plan_hold(session: Session, deps: Deps, agreement: Agreement) -> None:
    """Lift the hold on collection unless another plan of the borrower is in force; one hold stands for all of them."""
    session.flush()
    if _in_force(session, agreement.borrower_id):
        return
    standing = session.scalars(
        select(Hold.id).where(
            Hold.borrower_id == agreement.borrower_id, Hold.kind == HoldKind.PLAN.value, Hold.lifted_at.is_(None)
        )
    ).all()
    for hold_id in standing:
        lift(session, deps, hold_id, lifted_by=None)


def _ask_person(session: Session, deps: Deps, agreement: Agreement, reason: QueueReason) -> None:
    """Queue the conversation that the borrower used last, or the one in which the plan was agreed."""
    used_last = session.scalar(
        select(Conversation.id)
        .where(Conversation.borrower_id == agreement.borrower_id)
        .order_by(Conversation.last_inbound_at.desc().nulls_last())
        .limit(1)
    )
    conversation = locked(session, used_last or agreement.accepted_conversation_id or "")
    if conversation is not None:
        enqueue(session, conversation, reason, deps.now())
