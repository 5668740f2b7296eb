"""After a sign of danger: somebody looks after the borrower until they lift the hold, or an alarm is raised."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Select, func, select

from bot.care.follow_up import due_at
from bot.desk.ownership import QueueReason
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.conversations import Author, locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.holds import standing
from bot.store.tables import AuditEntry, Hold, Message

ALARM = "distress_unattended"

log = structlog.get_logger()


def sweep(deps: Deps) -> int:
    """Raise the alarms that are due, one transaction each; returns how many. Several may sweep at once."""
    now = deps.now()
    with deps.read() as session:
        due = [hold.id for hold, *last in session.execute(_looked_after(now)) if now >= due_at(hold.placed_at, *last)]
    return sum(_alarmed(deps, hold_id) for hold_id in due)


def _alarmed(deps: Deps, hold_id: str) -> bool:
    try:
        return _alarm(deps, hold_id)
    except Exception as error:  # the next round tries again; the others must not wait for it
        log.error("distress_alarm_failed", hold=hold_id, kind=type(error).__name__, exc_info=error)
        return False


def _alarm(deps: Deps, hold_id: str) -> bool:
    """Put the conversation at the head of the queue again, and the lapse on record."""
    with deps.begin() as session:
        conversation_id = session.scalar(select(Hold.conversation_id).where(Hold.id == hold_id))
        conversation = locked(session, conversation_id) if conversation_id is not None else None
        now = deps.now()
        if session.scalar(select(Hold.id).where(Hold.id == hold_id).with_for_update()) is None:
            return False
        row = session.execute(_looked_after(now).where(Hold.id == hold_id)).one_or_none()
        if row is None or now < due_at(row[0].placed_at, row[1], row[2]):
            return False
        audit.record(session, deps.now(), audit.SYSTEM, ALARM, ("hold", hold_id))
        if conversation is not None:
            enqueue(session, conversation, QueueReason.DISTRESS, deps.now())
        log.warning(ALARM, hold=hold_id)
        return True


def _looked_after(now: datetime) -> Select[Hold, datetime | None, datetime | None]:
    """The signs of danger that stand, the oldest first, with a person's last word after each and its last alarm."""
    last_word = (
        select(func.max(Message.created_at))
        .where(
            Message.conversation_id == Hold.conversation_id,
            Message.author == Author.OPERATOR,
            Message.created_at >= Hold.placed_at,
        )
        .correlate(Hold)
        .scalar_subquery()
    )
    last_alarm = (
        select(func.max(AuditEntry.at))
        .where(AuditEntry.subject_kind == "hold", AuditEntry.subject_id == Hold.id, AuditEntry.event == ALARM)
        .correlate(Hold)
        .scalar_subquery()
    )
    return (
        select(Hold, last_word, last_alarm)
        .where(Hold.kind == HoldKind.DISTRESS, standing(now))
        .order_by(Hold.placed_at)
    )
