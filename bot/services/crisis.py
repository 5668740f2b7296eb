"""What happens when the crisis guard sees a sign of danger. Works without the dialogue engine."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.care.crisis import CrisisSign
from bot.desk.ownership import Owner, QueueReason
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.handoff import enqueue, place_hold
from bot.services.rule_versions import rule_versions
from bot.store.tables import Conversation, Message
from bot.text.normalize import normalize_text

SAFETY = "safety"
COMFORT_EVERY = timedelta(minutes=1)
ATTENTIVE = timedelta(minutes=5)


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Look at a message that is being stored; on a sign of danger say the fixed words and call a person.

    Debt talk stops, every reminder is held until a person lifts the hold, the conversation goes to the head of the
    queue. While it waits there, nobody who writes is left without a word.
    """
    sign = None
    if message.payload is None:
        sign = sign_in(deps, message.text)
    if sign is not None:
        _note(deps, message, sign)
        words = _alarm(session, deps, conversation, sign.kind)
    elif conversation.owner == Owner.QUEUED and conversation.queue_reason == QueueReason.DISTRESS:
        words = () if _comforted_lately(session, deps, conversation) else deps.wording.all("crisis_again")
    else:
        return
    for text in words:
        say(session, deps, conversation, Reply(text), author=Author.BOT, in_reply_to=message.id, purpose=SAFETY)


def sign_in(deps: Deps, text: str) -> CrisisSign | None:
    """Return the sign of danger in a text that was typed, if there is one."""
    return deps.crisis_guard.check(normalize_text(text)) or deps.crisis_guard.check(text)


def _comforted_lately(session: Session, deps: Deps, conversation: Conversation) -> bool:
    last = session.scalar(
        select(func.max(Message.created_at)).where(
            Message.conversation_id == conversation.id, Message.purpose == SAFETY
        )
    )
    return last is not None and deps.now() - last < COMFORT_EVERY


def respond(deps: Deps, conversation_id: str, kind: str) -> tuple[str, ...]:
    """Raise the same alarm for a sign seen elsewhere; returns the words to say."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        return _alarm(session, deps, conversation, kind) if conversation is not None else ()


def _alarm(session: Session, deps: Deps, conversation: Conversation, kind: str) -> tuple[str, ...]:
    already = conversation.queue_reason == QueueReason.DISTRESS
    now = deps.now()
    place_hold(session, HoldKind.DISTRESS, now, conversation)
    enqueue(session, conversation, QueueReason.DISTRESS, now)
    audit.record(session, now, audit.BOT, "crisis_sign", ("conversation", conversation.id), kind=kind)
    if conversation.owner == Owner.HUMAN and _person_is_there(session, deps, conversation):
        return ()
    return deps.wording.all("crisis_again" if already else "crisis")


def _person_is_there(session: Session, deps: Deps, conversation: Conversation) -> bool:
    """Whether the operator who owns the conversation has written within the last minutes. If not, nobody may be."""
    last = session.scalar(
        select(func.max(Message.created_at)).where(
            Message.conversation_id == conversation.id, Message.author == Author.OPERATOR
        )
    )
    return last is not None and deps.now() - last < ATTENTIVE


def _note(deps: Deps, message: Message, sign: CrisisSign) -> None:
    message.handling = "handled"
    message.intent = "express_distress"
    message.confidence = 1.0
    message.understanding = {
        "entities": [],
        "actions": ["crisis_guard"],
        "ranking": [],
        "model": f"guard:{sign.kind}",
        "rules": dict(rule_versions(deps)),
    }
