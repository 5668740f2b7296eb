"""Notices about plans and payments: planned ahead, decided again by the gate when they fall due, sent once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.identity.levels import Level
from bot.outreach.gate import HoldKind, Purpose, Verdict
from bot.services import audit, contact
from bot.services.accounts import NotVerified
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.services.proof import viewer_of
from bot.store import tables

DAYS_BEFORE = (3, 1)
"""F4: at most two notices before a due date."""

SEND_TIME = time(10, 0)
LEASE = timedelta(minutes=2)


class Topic(StrEnum):
    """What a notice is about. Its words are in ``data/templates/desk.yml``, as ``reminder_`` and the value.

    None of them tells a fact about a debt: whoever holds the phone reads them (I2).
    """

    PLAN = "plan"
    LATE = "late"
    ENDING = "ending"
    COMPLETED = "completed"
    PAYMENT_FOUND = "payment_found"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by count."""

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    superseded: int = 0


def plan_for_agreement(session: Session, deps: Deps, agreement: tables.Agreement) -> int:
    """Plan the notices of an agreement's instalments inside an open transaction; returns how many are ahead."""
    now, planned = deps.now(), 0
    parts = session.scalars(select(tables.Instalment).where(tables.Instalment.agreement_id == agreement.id))
    for part in parts:
        for days in DAYS_BEFORE:
            send_at = datetime.combine(part.due_on - timedelta(days=days), SEND_TIME, tzinfo=SHANGHAI)
            if send_at <= now:
                continue
            session.add(
                tables.Reminder(
                    key=f"instalment:{part.id}:D-{days}",
                    borrower_id=agreement.borrower_id,
                    instalment_id=part.id,
                    purpose=Purpose.PLAN_NOTICE.value,
                    topic=Topic.PLAN.value,
                    due_on=part.due_on,
                    send_at=send_at,
                    created_at=now,
                )
            )
            planned += 1
    return planned


def sweep(deps: Deps, limit: int = 100) -> Swept:
    """Decide every notice that has fallen due, one transaction each, so that a crash loses or doubles nothing."""
    counts = {"sent": 0, "deferred": 0, "refused": 0, "superseded": 0}
    for _ in range(limit):
        reminder_id = _claim(deps)
        if reminder_id is None:
            break
        counts[_decide(deps, reminder_id)] += 1
    return Swept(**counts)


def opt_out(deps: Deps, conversation_id: str) -> int:
    """Stop every reminder to whoever this conversation is bound to, at once (F5). Returns how many were planned."""
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        if conversation is None:
            return 0
        now = deps.now()
        already = session.scalar(
            select(tables.Hold).where(
                tables.Hold.conversation_id == conversation_id,
                tables.Hold.kind == HoldKind.OPT_OUT,
                tables.Hold.lifted_at.is_(None),
            )
        )
        if already is None:
            session.add(
                tables.Hold(
                    borrower_id=conversation.borrower_id,
                    conversation_id=conversation_id,
                    kind=HoldKind.OPT_OUT.value,
                    placed_at=now,
                )
            )
        else:  # said before identity was proved: from now on it stands for the borrower, wherever they write
            already.borrower_id = already.borrower_id or conversation.borrower_id
        audit.record(session, now, audit.Actor("borrower"), "opted_out", ("conversation", conversation_id))
        if conversation.borrower_id is None:
            return 0
        stopped = session.execute(
            update(tables.Reminder)
            .where(tables.Reminder.borrower_id == conversation.borrower_id, tables.Reminder.state == "planned")
            .values(state="refused", rule="F5", decided_at=now)
            .returning(tables.Reminder.id)
        )
        return len(stopped.all())


def opt_in(deps: Deps, conversation_id: str) -> bool | NotVerified:
    """Take reminders up again at the borrower's own wish (F5). Returns whether they had stopped.

    Only a verified borrower undoes an opt-out, over any of their conversations; anybody else who holds the phone gets
    ``NotVerified``, if there is one to undo.
    """
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        if conversation is None:
            return False
        now = deps.now()
        mine = tables.Hold.conversation_id == conversation_id
        if conversation.borrower_id is not None:
            own = select(tables.Conversation.id).where(tables.Conversation.borrower_id == conversation.borrower_id)
            mine = mine | (tables.Hold.borrower_id == conversation.borrower_id) | tables.Hold.conversation_id.in_(own)
        stopped = session.scalars(
            select(tables.Hold).where(mine, tables.Hold.kind == HoldKind.OPT_OUT, tables.Hold.lifted_at.is_(None))
        ).all()
        if not stopped:
            return False
        if viewer_of(session, deps, conversation_id).level is not Level.VERIFIED:
            return NotVerified()
        for hold in stopped:
            hold.lifted_at = now
        audit.record(session, now, audit.Actor("borrower"), "opted_in", ("conversation", conversation_id))
        if conversation.borrower_id is not None:
            session.execute(
                update(tables.Reminder)
                .where(
                    tables.Reminder.borrower_id == conversation.borrower_id,
                    tables.Reminder.state == "refused",
                    tables.Reminder.rule == "F5",
                    tables.Reminder.send_at > now,
                )
                .values(state="planned", rule=None, decided_at=None)
            )
        return True


def _claim(deps: Deps) -> str | None:
    now = deps.now()
    with deps.begin() as session:
        free = (tables.Reminder.claimed_until.is_(None)) | (tables.Reminder.claimed_until <= now)
        reminder = session.scalar(
            select(tables.Reminder)
            .where(tables.Reminder.state == "planned", tables.Reminder.send_at <= now, free)
            .order_by(tables.Reminder.send_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if reminder is None:
            return None
        reminder.claimed_until = now + LEASE
        return reminder.id


def _decide(deps: Deps, reminder_id: str) -> str:
    with deps.begin() as session:
        reminder = session.scalar(select(tables.Reminder).where(tables.Reminder.id == reminder_id).with_for_update())
        if reminder is None or reminder.state != "planned":
            return "superseded"
        # Two notices to one person are decided one after the other, or each would overlook the other in the history.
        session.scalar(
            select(tables.Borrower.id).where(tables.Borrower.id == reminder.borrower_id).with_for_update(key_share=True)
        )
        now = deps.now()
        reminder.claimed_until = None
        if _moot(session, reminder, business_date(now)):
            return _settle(reminder, "superseded", "nothing_due", now)
        conversation = _mailbox(session, reminder.borrower_id, now)
        topic = Topic(reminder.topic or Topic.PLAN)
        # Only what is said before a due date counts against it (F4).
        due_key = reminder.instalment_id if topic is Topic.PLAN else None
        decision = contact.decide(session, deps, reminder.borrower_id, conversation, Purpose(reminder.purpose), due_key)
        if decision.verdict is Verdict.DEFERRED and decision.until is not None:
            reminder.send_at = decision.until
            reminder.rule = decision.rule
            return "deferred"
        if decision.verdict is not Verdict.ALLOWED or conversation is None:
            audit.record(session, now, audit.SYSTEM, "reminder_refused", ("reminder", reminder.id), rule=decision.rule)
            return _settle(reminder, "refused", decision.rule, now)
        text = deps.wording.one(f"reminder_{topic.value}", lender=deps.settings.lender_name)
        message = say(
            session,
            deps,
            conversation,
            Reply(text),
            author=Author.BOT,
            purpose=Purpose.PLAN_NOTICE.value,
            key=f"reminder:{reminder.key}",
        )
        reminder.message_id = message.id if message else None
        audit.record(session, now, audit.SYSTEM, "reminder_sent", ("reminder", reminder.id), rule=decision.rule)
        return _settle(reminder, "sent", decision.rule, now)


def _settle(reminder: tables.Reminder, state: str, rule: str, now: datetime) -> str:
    reminder.state = state
    reminder.rule = rule
    reminder.decided_at = now
    return state


def _moot(session: Session, reminder: tables.Reminder, today: date) -> bool:
    """Whether there is nothing left to say: the instalment is paid, its plan ended, or its day has passed."""
    if reminder.topic in (Topic.COMPLETED, Topic.PAYMENT_FOUND):
        return False
    if reminder.topic == Topic.PROMISE:
        promise = session.get(tables.Promise, reminder.key.split(":")[1])
        return promise is None or promise.state != "open" or (promise.due_on is not None and promise.due_on < today)
    if reminder.instalment_id is None:
        return True
    part = session.get_one(tables.Instalment, reminder.instalment_id)
    agreement = session.get_one(tables.Agreement, part.agreement_id)
    if agreement.state != "in_force" or part.state in ("paid", "paid_late"):
        return True
    return part.due_on < today and reminder.topic not in (Topic.LATE, Topic.ENDING)


def _mailbox(session: Session, borrower_id: str, now: datetime) -> tables.Conversation | None:
    """The conversation the borrower used last, among those bound to them that they can still open.

    A web conversation is opened by its browser's session only; when that has expired, nobody would ever read it.
    """
    openable = (
        select(tables.WebSession.token_hash)
        .where(tables.WebSession.conversation_id == tables.Conversation.id, tables.WebSession.expires_at > now)
        .exists()
    )
    return session.scalar(
        select(tables.Conversation)
        .where(tables.Conversation.borrower_id == borrower_id, (tables.Conversation.channel != "web") | openable)
        .order_by(tables.Conversation.last_inbound_at.desc().nulls_last())
        .limit(1)
    )
