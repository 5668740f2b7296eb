"""What the desk does for somebody vulnerable, and the holds that people place by hand.

Two circumstances stop all talk of debt as soon as they are told; whoever talks with the borrower names the others. What
follows from each is ``bot.care.vulnerability.CARE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.care.vulnerability import CARE, Silence, Vulnerability, read_stop
from bot.clock import SHANGHAI, business_date
from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Permission, may
from bot.outreach.gate import HoldKind, Purpose
from bot.services import audit, circumstances, holds
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.locking import locked_in_turn
from bot.services.operators import OperatorView
from bot.store.tables import Conversation, Message
from bot.text.normalize import normalize_text

SAID_EVERY = timedelta(minutes=5)
LONGEST_REASON = 200

LONGEST_SILENCE = timedelta(days=3 * 365)
"""What is to last longer has no end given, so that a person ends it."""

PLACEABLE = (HoldKind.PERSON, HoldKind.INCAPACITY, HoldKind.MINOR, HoldKind.DECEASED)
"""Holds that an operator places; every other kind is the borrower's own, or follows from a record."""


class CareRefusal(StrEnum):
    """Why an operator's act was refused; the words for it are in ``_words.html``."""

    UNKNOWN = "unknown"
    ROLE_TOO_LOW = "role_too_low"
    NOT_PLACEABLE = "hold_not_placeable"
    NO_REASON = "hold_no_reason"
    END_NOT_AHEAD = "hold_end_not_ahead"
    END_TOO_FAR = "hold_end_too_far"


@dataclass(frozen=True, slots=True)
class CareDone:
    """The act took effect; ``until`` (aware) is when the hold ends of itself, if there is one and it does."""

    hold_id: str | None
    until: datetime | None = None


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Look at a message that is being stored, after the crisis guard; on a minor or violence at home stop talk of debt.

    The fixed words are said at once, notices are held until a person lifts that, and a person is called. While the
    conversation waits for them, nobody who writes is left without a word.
    """
    if message.payload is not None or conversation.queue_reason == QueueReason.DISTRESS:
        return
    told = read_stop(normalize_text(message.text))
    if told is not None:
        words = _stop(session, deps, conversation, message, told)
    elif conversation.owner == Owner.QUEUED and conversation.queue_reason == QueueReason.VULNERABLE:
        words = () if _said_lately(session, deps, conversation) else deps.wording.all("care_again")
    else:
        return
    for text in words:
        say(session, deps, conversation, Reply(text), author=Author.BOT, in_reply_to=message.id, purpose=Purpose.SAFETY)


def name(deps: Deps, operator: OperatorView, conversation_id: str, kind: Vulnerability) -> CareDone | CareRefusal:
    """Put on record what an operator learned of somebody, and do what follows: silence with its end, a person."""
    care, now = CARE[kind], deps.now()
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return CareRefusal.UNKNOWN
        if not may(operator.role, Permission.REPLY):
            return CareRefusal.ROLE_TOO_LOW
        actor = audit.Actor("operator", operator.id)
        audit.record(session, now, actor, "vulnerability_named", ("conversation", conversation_id), kind=kind.value)
        circumstances.put(session, deps, conversation, kind, operator.id)
        if care.calls_person:
            enqueue(session, conversation, QueueReason.VULNERABLE, now)
        if care.silence is Silence.NONE:
            return CareDone(None)
        until = now + timedelta(days=care.silent_days) if care.silent_days is not None else None
        placed = _silence(session, deps, conversation, HoldKind(care.silence.value), kind.value, operator.id, until)
        return CareDone(placed.hold_id, until)


def place(
    deps: Deps, operator: OperatorView, conversation_id: str, kind: HoldKind, reason: str, last_day: date | None = None
) -> CareDone | CareRefusal:
    """Hold everything the desk would write first to somebody, for a reason that is kept.

    ``last_day`` (Asia/Shanghai) is the last day of the silence, within ``LONGEST_SILENCE``. Without one a person who
    may ends it.
    """
    reason = reason.strip()[:LONGEST_REASON]
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return CareRefusal.UNKNOWN
        if not may(operator.role, Permission.REPLY):
            return CareRefusal.ROLE_TOO_LOW
        if kind not in PLACEABLE:
            return CareRefusal.NOT_PLACEABLE
        if not reason:
            return CareRefusal.NO_REASON
        today = business_date(deps.now())
        if last_day is not None and last_day < today:
            return CareRefusal.END_NOT_AHEAD
        if last_day is not None and last_day > today + LONGEST_SILENCE:
            return CareRefusal.END_TOO_FAR
        until = datetime.combine(last_day + timedelta(days=1), time(0), SHANGHAI) if last_day is not None else None
        placed = _silence(session, deps, conversation, kind, reason, operator.id, until)
        return CareDone(placed.hold_id, until)


def _stop(
    session: Session, deps: Deps, conversation: Conversation, message: Message, told: Vulnerability
) -> tuple[str, ...]:
    now, already = deps.now(), conversation.queue_reason == QueueReason.VULNERABLE
    _silence(session, deps, conversation, HoldKind(CARE[told].silence.value), told.value, None, None)
    circumstances.put(session, deps, conversation, told)
    audit.record(session, now, audit.BOT, "vulnerability_told", ("conversation", conversation.id), kind=told.value)
    if conversation.owner == Owner.HUMAN:
        return ()  # whoever answers reads it, and sees the hold
    enqueue(session, conversation, QueueReason.VULNERABLE, now)
    message.handling, message.intent, message.confidence = "handled", "state_hardship", 1.0
    message.understanding = {"entities": [], "actions": ["care_guard"], "ranking": [], "model": f"guard:{told.value}"}
    return deps.wording.all("care_again" if already else f"care_{told.value}")


def _silence(
    session: Session,
    deps: Deps,
    conversation: Conversation,
    kind: HoldKind,
    reason: str,
    operator_id: str | None,
    until: datetime | None,
) -> holds.Placed:
    return holds.place(
        session,
        deps.now(),
        kind,
        borrower_id=conversation.borrower_id,
        conversation_id=conversation.id,
        reason=reason,
        placed_by=operator_id,
        until=until,
    )


def _said_lately(session: Session, deps: Deps, conversation: Conversation) -> bool:
    said = select(func.max(Message.created_at)).where(
        Message.conversation_id == conversation.id, Message.purpose == Purpose.SAFETY
    )
    last = session.scalar(said)
    return last is not None and deps.now() - last < SAID_EVERY
