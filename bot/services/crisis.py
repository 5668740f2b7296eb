"""What happens when the crisis guard sees a sign of danger. Works without the dialogue engine."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.care.crisis import TONE, CrisisSign
from bot.care.reassurance import says_fine
from bot.desk.ownership import Owner, QueueReason
from bot.outreach.gate import HoldKind
from bot.services import audit, holds
from bot.services.conversations import Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.services.handoff import enqueue, place_hold
from bot.services.rule_versions import rule_versions
from bot.store.tables import AuditEntry, Conversation, Hold, Message
from bot.text.normalize import normalize_text

SAFETY = "safety"
CLASSIFIER = "classifier"
"""The kind of a sign that only the dialogue engine saw."""
DOUBTFUL = frozenset({TONE, CLASSIFIER})
"""Signs that stand in no saying and were only learned: they may be none, and who says so is not shut out."""
FINE = '/express_distress{"choice": "fine"}'
"""What the button means by which somebody says that they are in no danger."""
COMFORT_EVERY = timedelta(minutes=1)
ATTENTIVE = timedelta(minutes=5)


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Look at a message that is being stored; on a sign of danger say the fixed words and call a person.

    Debt talk stops, every reminder is held until a person lifts the hold, the conversation goes to the head of the
    queue. While it waits there, nobody who writes is left without a word. After a sign in ``DOUBTFUL``, whoever says
    that they are fine may go on with the bot; notices rest on and a person still looks in.
    """
    waits = conversation.owner == Owner.QUEUED and conversation.queue_reason == QueueReason.DISTRESS
    typed = normalize_text(message.text) if message.payload is None else ""
    # 没想不开 holds the very words of danger.
    is_fine = message.payload == FINE or (waits and says_fine(typed))
    sign = None if is_fine or message.payload is not None else sign_in(deps, message.text)
    if sign is not None:
        _note(deps, message, sign)
        words = _alarm(session, deps, conversation, sign.kind)
    elif is_fine:
        message.handling = "handled"
        words = _let_go_on(session, deps, conversation)
    elif waits:
        words = () if _comforted_lately(session, deps, conversation) else _again(session, deps, conversation)
    else:
        return
    for reply in words:
        say(session, deps, conversation, reply, author=Author.BOT, in_reply_to=message.id, purpose=SAFETY)


def may_end_hold(text: str, payload: str | None) -> bool:
    """Whether a message may say that somebody is in no danger: ``guard`` then needs the borrower locked before it."""
    return payload == FINE or (payload is None and says_fine(normalize_text(text)))


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


def respond(deps: Deps, conversation_id: str) -> tuple[Reply, ...]:
    """Raise the same alarm for a sign that only the dialogue engine saw; returns what to say."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return ()
        answering = session.scalar(  # the engine answers in order
            select(Message.id)
            .where(Message.conversation_id == conversation_id, Message.handling == "pending")
            .order_by(Message.seq)
            .limit(1)
        )
        return _alarm(session, deps, conversation, CLASSIFIER, answering)


def _alarm(
    session: Session, deps: Deps, conversation: Conversation, kind: str, answering: str | None = None
) -> tuple[Reply, ...]:
    already = conversation.queue_reason == QueueReason.DISTRESS
    now = deps.now()
    place_hold(session, HoldKind.DISTRESS, now, conversation)
    enqueue(session, conversation, QueueReason.DISTRESS, now, answering)
    audit.record(session, now, audit.BOT, "crisis_sign", ("conversation", conversation.id), kind=kind)
    if conversation.owner == Owner.HUMAN and _person_is_there(session, deps, conversation):
        return ()
    if already:
        return _again(session, deps, conversation)
    words = tuple(map(Reply, deps.wording.all("crisis")))
    return (*words, Reply(deps.wording.one("crisis_doubt"), _way_back(deps))) if kind in DOUBTFUL else words


def _again(session: Session, deps: Deps, conversation: Conversation) -> tuple[Reply, ...]:
    buttons = _way_back(deps) if _is_doubtful(session, deps, conversation) else ()
    return (Reply(deps.wording.one("crisis_again"), buttons),)


def _way_back(deps: Deps) -> tuple[QuickReply, ...]:
    return (QuickReply(deps.wording.one("crisis_fine_button"), FINE),)


def _let_go_on(session: Session, deps: Deps, conversation: Conversation) -> tuple[Reply, ...]:
    """Let the bot answer again while a person is still awaited; after a plain saying of danger only a person may."""
    if conversation.owner == Owner.HUMAN:
        return ()
    if conversation.queue_reason == QueueReason.DISTRESS:
        if not _is_doubtful(session, deps, conversation):
            return _again(session, deps, conversation)
        for hold in session.scalars(_standing_holds(conversation, deps.now())):
            holds.lift(session, deps, hold.id, lifted_by=None)
        place_hold(session, HoldKind.PERSON, deps.now(), conversation)
        conversation.queue_reason = QueueReason.SAID_FINE
        audit.record(
            session, deps.now(), audit.Actor("borrower"), "crisis_sign_denied", ("conversation", conversation.id)
        )
    go_on = QuickReply(deps.wording.one("handed_back_go_on"), "/request_installment")
    person = QuickReply(deps.wording.one("crisis_person_button"), "/request_human")
    is_looked_in_on = conversation.queue_reason == QueueReason.SAID_FINE
    words = tuple(map(Reply, deps.wording.all("crisis_fine_person"))) if is_looked_in_on else ()
    return (*words, Reply(deps.wording.one("crisis_fine"), (go_on, person)))


def _is_doubtful(session: Session, deps: Deps, conversation: Conversation) -> bool:
    """Whether every sign of danger since the hold was placed is one that may be none."""
    since = min((hold.placed_at for hold in session.scalars(_standing_holds(conversation, deps.now()))), default=None)
    if since is None:
        return False
    signs = select(AuditEntry.detail).where(
        AuditEntry.event == "crisis_sign",
        AuditEntry.subject_kind == "conversation",
        AuditEntry.subject_id == conversation.id,
        AuditEntry.at >= since,
    )
    return all(detail.get("kind") in DOUBTFUL for detail in session.scalars(signs))


def _standing_holds(conversation: Conversation, now: datetime) -> Select[Hold]:
    return select(Hold).where(
        Hold.conversation_id == conversation.id, Hold.kind == HoldKind.DISTRESS, holds.standing(now)
    )


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
