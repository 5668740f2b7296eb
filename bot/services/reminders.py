"""Notices that fell due: read again, decided by the gate, sent once. ``bot.services.notice_planning`` plans them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.outreach.gate import PastNotice, Purpose, Recipient, Verdict, may_send
from bot.outreach.notice import Topic
from bot.outreach.planning import AFTER_RESUMED
from bot.services import audit, contact, notice_planning
from bot.services.accounts import lock_borrower
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.mailboxes import mailbox_of
from bot.services.notice_facts import PASSED_ON
from bot.services.notice_validity import has_point
from bot.store import tables

LEASE = timedelta(minutes=2)
BATCH = 50

RESUMED_FIRST = "resumed_first"
"""The rule under which a notice waits until the borrower was told that notices begin again."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by count. ``failed`` ones are tried again when their lease is over."""

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    superseded: int = 0
    failed: int = 0


def sweep(deps: Deps, limit: int = 500) -> Swept:
    """Decide every notice that has fallen due, one transaction each, so that a crash loses or doubles nothing.

    What several processes find at once is shared out between them. A notice that cannot be decided keeps none of the
    others from being.
    """
    counts = {"sent": 0, "deferred": 0, "refused": 0, "superseded": 0, "failed": 0}
    left = limit
    while left > 0 and (claimed := _claim(deps, min(BATCH, left))):
        left -= len(claimed)
        for reminder_id in claimed:
            try:
                counts[_decide(deps, reminder_id)] += 1
            except Exception as error:
                log.error("reminder_failed", reminder=reminder_id, kind=type(error).__name__, exc_info=error)
                counts["failed"] += 1
    return Swept(**counts)


def decide_now(deps: Deps, reminder_id: str) -> str:
    """Decide one notice that has fallen due; returns what became of it: sent, deferred, refused or superseded."""
    return _decide(deps, reminder_id)


def _claim(deps: Deps, size: int) -> list[str]:
    now = deps.now()
    with deps.begin() as session:
        free = (tables.Reminder.claimed_until.is_(None)) | (tables.Reminder.claimed_until <= now)
        found = session.scalars(
            select(tables.Reminder)
            .where(tables.Reminder.state == "planned", tables.Reminder.send_at <= now, free)
            .order_by(tables.Reminder.send_at)
            .limit(size)
            .with_for_update(skip_locked=True)
        ).all()
        for reminder in found:
            reminder.claimed_until = now + LEASE
        return [reminder.id for reminder in found]


def _decide(deps: Deps, reminder_id: str) -> str:
    with deps.begin() as session:
        borrower_id = session.scalar(select(tables.Reminder.borrower_id).where(tables.Reminder.id == reminder_id))
        if borrower_id is None:
            return "superseded"
        # Two notices to one person are decided one after the other, or each would overlook the other in the history.
        lock_borrower(session, borrower_id)
        reminder = session.get_one(tables.Reminder, reminder_id, with_for_update=True, populate_existing=True)
        reminder.claimed_until = None
        if reminder.state != "planned":
            return "superseded"
        notice_planning.replan_if_due(session, deps, borrower_id)
        if not has_point(session, deps, reminder):
            return _settle(deps, reminder, "superseded", "nothing_due")
        return _ask_gate(session, deps, reminder)


def _ask_gate(session: Session, deps: Deps, reminder: tables.Reminder) -> str:
    now, purpose = deps.now(), Purpose(reminder.purpose)
    conversation = _mailbox(session, deps, reminder.borrower_id)
    recipient = contact.recipient_of(session, deps, reminder.borrower_id, conversation, purpose)
    decision = may_send(purpose, contact.due_key_of(reminder, business_date(now)), recipient, now, deps.limits)
    if decision.verdict is Verdict.DEFERRED and decision.until is not None:
        reminder.send_at, reminder.rule = decision.until, decision.rule
        return "deferred"
    if decision.verdict is not Verdict.ALLOWED or conversation is None:
        audit.record(session, now, audit.SYSTEM, "reminder_refused", ("reminder", reminder.id), rule=decision.rule)
        return _settle(deps, reminder, "refused", decision.rule)
    if (later := _after_resumed(session, deps, reminder)) is not None:
        reminder.send_at, reminder.rule = later, RESUMED_FIRST
        return "deferred"
    if reminder.topic == Topic.OVERDUE and _unanswered(recipient) >= deps.limits.unanswered_before_pause:
        _ask_person(session, deps, reminder, recipient, conversation)
        return _settle(deps, reminder, "superseded", PASSED_ON)
    _send(session, deps, reminder, conversation)
    audit.record(session, now, audit.SYSTEM, "reminder_sent", ("reminder", reminder.id), rule=decision.rule)
    return _settle(deps, reminder, "sent", decision.rule)


def _send(session: Session, deps: Deps, reminder: tables.Reminder, conversation: tables.Conversation) -> None:
    topic = Topic(reminder.topic or Topic.PLAN)
    text = deps.notice_words.text(topic, reminder.stage, reminder.key, deps.settings.lender_name)
    message = say(
        session,
        deps,
        conversation,
        Reply(text),
        author=Author.BOT,
        purpose=reminder.purpose,
        key=f"reminder:{reminder.key}",
    )
    reminder.message_id = message.id if message else None
    reminder.channel = conversation.channel


def _settle(deps: Deps, reminder: tables.Reminder, state: str, rule: str) -> str:
    reminder.state, reminder.rule, reminder.decided_at = state, rule, deps.now()
    return state


def _after_resumed(session: Session, deps: Deps, reminder: tables.Reminder) -> datetime | None:
    """When a notice may follow the words that notices begin again; None if it need not wait for them, or any more."""
    wait = AFTER_RESUMED if reminder.topic == Topic.OVERDUE else deps.limits.apart
    told = session.scalars(
        select(tables.Reminder).where(
            tables.Reminder.borrower_id == reminder.borrower_id,
            tables.Reminder.topic == Topic.RESUMED,
            tables.Reminder.state.in_(("planned", "sent")),
            tables.Reminder.id != reminder.id,
        )
    )
    now = deps.now()
    ends = [(row.decided_at or max(row.send_at, now)) + wait for row in told]
    return max((end for end in ends if end > now), default=None)


def _since_answer(recipient: Recipient) -> list[PastNotice]:
    last = recipient.last_inbound_at
    return [notice for notice in recipient.history or () if last is None or notice.sent_at > last]


def _unanswered(recipient: Recipient) -> int:
    return len(_since_answer(recipient))


def _ask_person(
    session: Session,
    deps: Deps,
    reminder: tables.Reminder,
    recipient: Recipient,
    conversation: tables.Conversation,
) -> None:
    """Queue the conversation of somebody who has left notices unanswered, once until they answer (F3)."""
    since = recipient.last_inbound_at
    asked = select(tables.Reminder.id).where(
        tables.Reminder.borrower_id == reminder.borrower_id,
        tables.Reminder.state == "superseded",
        tables.Reminder.rule == PASSED_ON,
    )
    if since is not None:
        asked = asked.where(tables.Reminder.decided_at > since)
    if session.scalar(asked.limit(1)) is not None:
        return
    enqueue(session, conversation, QueueReason.NO_ANSWER, deps.now())
    audit.record(session, deps.now(), audit.SYSTEM, "person_asked", ("borrower", reminder.borrower_id), rule=PASSED_ON)


def _mailbox(session: Session, deps: Deps, borrower_id: str) -> tables.Conversation | None:
    """Where the notice goes: to the channel the borrower wishes for, if that can be."""
    wishes = contact.wishes_of(session, borrower_id)
    return mailbox_of(session, deps, borrower_id, wishes.channel if wishes is not None else None)
