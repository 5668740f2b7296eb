"""Handing a conversation to a person and back: one step in, one step out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.ownership import Act, NotAllowed, Owner, QueueReason, after, more_urgent
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.conversations import Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.store.tables import Conversation, Hold, Message, Negotiation, Operator


class Refusal(StrEnum):
    """Why an operator's act on a conversation was refused."""

    UNKNOWN = "unknown"
    NOT_ALLOWED = "not_allowed"
    NOT_YOURS = "not_yours"
    EMPTY = "empty"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Done:
    """The act took effect; ``owner`` answers now."""

    owner: Owner


def ask_human(deps: Deps, conversation_id: str, reason: QueueReason) -> Done | Refusal:
    """Put a conversation into the queue. Asking again keeps the place and the more urgent reason."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner == Owner.HUMAN:
            return Done(Owner.HUMAN)
        enqueue(session, conversation, reason, deps.now())
        return Done(Owner.QUEUED)


def enqueue(session: Session, conversation: Conversation, reason: QueueReason, now: datetime) -> None:
    """Queue a conversation inside an open transaction; no effect while a person already answers."""
    owner = after(Owner(conversation.owner), Act.ASK_HUMAN)
    if isinstance(owner, NotAllowed):
        return
    earlier = QueueReason(conversation.queue_reason) if conversation.queue_reason else reason
    conversation.owner = owner
    conversation.queue_reason = more_urgent(earlier, reason)
    conversation.queued_at = conversation.queued_at or now
    audit.record(session, now, audit.BOT, "queued", ("conversation", conversation.id), reason=reason.value)


def withdraw(deps: Deps, conversation_id: str) -> bool:
    """Leave the queue at the borrower's wish. A conversation queued for distress stays until a person was there."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None or conversation.owner != Owner.QUEUED:
            return False
        if conversation.queue_reason == QueueReason.DISTRESS:
            return False
        conversation.owner = Owner.BOT
        _leave_queue(conversation)
        audit.record(session, deps.now(), audit.Actor("borrower"), "queue_left", ("conversation", conversation_id))
        return True


def take(deps: Deps, conversation_id: str, operator_id: str) -> Done | Refusal:
    """Give a conversation to an operator. Of two who press at once, one wins and the other is refused."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        operator = session.get(Operator, operator_id)
        if conversation is None or operator is None:
            return Refusal.UNKNOWN
        if conversation.owner == Owner.HUMAN:
            mine = conversation.owner_operator_id == operator_id
            return Done(Owner.HUMAN) if mine else Refusal.NOT_ALLOWED
        owner = after(Owner(conversation.owner), Act.TAKE)
        if isinstance(owner, NotAllowed):
            return Refusal.NOT_ALLOWED
        now = deps.now()
        conversation.owner = owner
        conversation.owner_operator_id = operator_id
        for message in _waiting(session, conversation_id):
            message.handling = "held"
        audit.record(session, now, audit.Actor("operator", operator_id), "taken", ("conversation", conversation_id))
        text = deps.wording.one("in_human_hands", operator=operator.display_name)
        say(session, deps, conversation, Reply(text), author=Author.NOTICE)
        return Done(owner)


def reply(deps: Deps, conversation_id: str, operator_id: str, text: str, key: str) -> Done | Refusal:
    """Send an operator's words into the borrower's channel, once per key. Only the owner may speak."""
    text = text.strip()
    if not text:
        return Refusal.EMPTY
    if len(text) > deps.settings.message_max_characters:
        return Refusal.TOO_LONG
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner != Owner.HUMAN or conversation.owner_operator_id != operator_id:
            return Refusal.NOT_YOURS
        say(
            session,
            deps,
            conversation,
            Reply(text),
            author=Author.OPERATOR,
            operator_id=operator_id,
            key=f"operator:{key}",
        )
        return Done(Owner.HUMAN)


def give_back(deps: Deps, conversation_id: str, operator_id: str) -> Done | Refusal:
    """Hand the conversation back to the bot. Holds stay as they are: lifting one is an act of its own."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner != Owner.HUMAN or conversation.owner_operator_id != operator_id:
            return Refusal.NOT_YOURS
        now = deps.now()
        conversation.owner = Owner.BOT
        conversation.owner_operator_id = None
        _leave_queue(conversation)
        audit.record(
            session, now, audit.Actor("operator", operator_id), "given_back", ("conversation", conversation_id)
        )
        unfinished = select(Negotiation.id).where(Negotiation.active_key == conversation.borrower_id)
        go_on = QuickReply(deps.wording.one("handed_back_go_on"), "/request_installment")
        buttons = (go_on,) if conversation.borrower_id and session.scalar(unfinished) else ()
        say(session, deps, conversation, Reply(deps.wording.one("handed_back"), buttons), author=Author.NOTICE)
        return Done(Owner.BOT)


def lift_hold(deps: Deps, hold_id: str, operator_id: str) -> bool:
    """Lift a hold by a person's decision; False if it is unknown or already lifted."""
    with deps.begin() as session:
        hold = session.get(Hold, hold_id)
        if hold is None or hold.lifted_at is not None:
            return False
        hold.lifted_at = deps.now()
        hold.lifted_by = operator_id
        audit.record(
            session,
            hold.lifted_at,
            audit.Actor("operator", operator_id),
            "hold_lifted",
            ("hold", hold_id),
            kind=hold.kind,
        )
        return True


def place_hold(
    session: Session, kind: HoldKind, now: datetime, conversation: Conversation, debt_id: str | None = None
) -> None:
    """Place a hold on a conversation and its borrower, once while one of the kind is open."""
    open_one = select(Hold.id).where(
        Hold.conversation_id == conversation.id, Hold.kind == kind, Hold.debt_id == debt_id, Hold.lifted_at.is_(None)
    )
    if session.scalar(open_one):
        return
    session.add(
        Hold(
            borrower_id=conversation.borrower_id,
            conversation_id=conversation.id,
            debt_id=debt_id,
            kind=kind.value,
            placed_at=now,
        )
    )
    audit.record(session, now, audit.BOT, "hold_placed", ("conversation", conversation.id), kind=kind.value)


def _leave_queue(conversation: Conversation) -> None:
    conversation.queue_reason = None
    conversation.queued_at = None


def _waiting(session: Session, conversation_id: str) -> list[Message]:
    return list(
        session.scalars(
            select(Message).where(Message.conversation_id == conversation_id, Message.handling == "pending")
        )
    )
