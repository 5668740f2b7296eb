"""After a sign of danger: somebody looks after the borrower until they lift the hold, or an alarm is raised."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
    with deps.read() as session:
        held = session.scalars(
            select(Hold.id).where(Hold.kind == HoldKind.DISTRESS, standing(deps.now())).order_by(Hold.placed_at)
        ).all()
        due = [hold_id for hold_id in held if _is_due(session, deps, session.get_one(Hold, hold_id))]
    return sum(_alarm(deps, hold_id) for hold_id in due)


def _alarm(deps: Deps, hold_id: str) -> bool:
    """Put the conversation at the head of the queue again, and the lapse on record."""
    with deps.begin() as session:
        conversation_id = session.scalar(select(Hold.conversation_id).where(Hold.id == hold_id))
        conversation = locked(session, conversation_id) if conversation_id is not None else None
        hold = session.scalar(select(Hold).where(Hold.id == hold_id, standing(deps.now())).with_for_update())
        if hold is None or not _is_due(session, deps, hold):
            return False
        audit.record(session, deps.now(), audit.SYSTEM, ALARM, ("hold", hold_id))
        if conversation is not None:
            enqueue(session, conversation, QueueReason.DISTRESS, deps.now())
        log.warning(ALARM, hold=hold_id)
        return True


def _is_due(session: Session, deps: Deps, hold: Hold) -> bool:
    last_word: datetime | None = session.scalar(
        select(func.max(Message.created_at)).where(
            Message.conversation_id == hold.conversation_id,
            Message.author == Author.OPERATOR,
            Message.created_at >= hold.placed_at,
        )
    )
    last_alarm: datetime | None = session.scalar(
        select(func.max(AuditEntry.at)).where(
            AuditEntry.subject_kind == "hold", AuditEntry.subject_id == hold.id, AuditEntry.event == ALARM
        )
    )
    return deps.now() >= due_at(hold.placed_at, last_word, last_alarm)
