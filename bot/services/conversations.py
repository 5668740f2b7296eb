"""Conversations and their messages: every message in either direction is stored here before anything else happens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.desk.ownership import Owner, QueueReason, bot_may_answer
from bot.services.deps import Deps
from bot.services.proof import lapse_if_idle
from bot.store.tables import Button, Conversation, Message, Outbox
from bot.text.scripts import Script, detect_script, to_script

BUTTON_LIFE = timedelta(days=7)
MAX_ATTEMPTS = 8


class Author(StrEnum):
    """Who wrote a message."""

    BORROWER = "borrower"
    BOT = "bot"
    OPERATOR = "operator"
    NOTICE = "notice"


class Problem(StrEnum):
    """Why an inbound message was not taken; the words for it are in ``data/templates/desk.yml``."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNKNOWN_BUTTON = "unknown_button"
    STALE_BUTTON = "stale_button"
    UNKNOWN_CONVERSATION = "session_expired"


@dataclass(frozen=True, slots=True)
class Stored:
    """An inbound message is safe. ``repeated`` says that its key had been seen before and nothing was added."""

    message_id: str
    seq: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button to offer: what it shows and the payload that stays on the server."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the borrower, in Simplified script; it is shown in theirs."""

    text: str
    buttons: tuple[QuickReply, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the dialogue engine made of a message, kept for the transcript."""

    intent: str | None = None
    confidence: float | None = None
    entities: tuple[dict[str, str], ...] = ()
    actions: tuple[str, ...] = ()
    ranking: tuple[tuple[str, float], ...] = ()
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An inbound message that this process may now have answered, until its lease ends."""

    message_id: str
    conversation_id: str
    text: str
    payload: str | None
    channel: str
    attempts: int


@dataclass(frozen=True, slots=True)
class ButtonView:
    """A button as a client may see it."""

    title: str
    token: str
    state: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its own borrower may see it."""

    id: str
    seq: int
    author: str
    text: str
    at: datetime
    key: str | None
    buttons: tuple[ButtonView, ...]


def open_conversation(session: Session, deps: Deps, channel: str, address: str) -> Conversation:
    """Return the conversation of a channel address, opening it with a greeting when it is new."""
    now = deps.now()
    address_hash = deps.vault.lookup(f"address:{channel}", address)
    found = session.scalar(
        select(Conversation).where(Conversation.channel == channel, Conversation.address_hash == address_hash)
    )
    if found is not None:
        return found
    conversation = Conversation(
        channel=channel,
        address_hash=address_hash,
        address_sealed=deps.vault.seal(f"address:{channel}", address),
        created_at=now,
        last_activity_at=now,
    )
    session.add(conversation)
    session.flush()
    for text in deps.wording.all("greeting", lender=deps.settings.lender_name):
        say(session, deps, conversation, Reply(text), author=Author.BOT)
    return conversation


def conversation_for(deps: Deps, channel: str, address: str) -> str:
    """Return the id of a channel address's conversation, opening it with a greeting when it is new."""
    try:
        with deps.begin() as session:
            return open_conversation(session, deps, channel, address).id
    except IntegrityError:  # another process opened it between the look and the write: its row is there now
        with deps.begin() as session:
            return open_conversation(session, deps, channel, address).id


def record_text(deps: Deps, conversation_id: str, key: str, text: str) -> Stored | Problem:
    """Store what a borrower typed, once per client key."""
    if not text.strip():
        return Problem.EMPTY
    if len(text) > deps.settings.message_max_characters:
        return Problem.TOO_LONG
    with deps.begin() as session:
        return _record(session, deps, conversation_id, key, text.strip(), payload=None)


def record_press(deps: Deps, conversation_id: str, key: str, token: str) -> Stored | Problem:
    """Store a button press, once per client key; a button works once, and only in its own conversation."""
    with deps.begin() as session:
        conversation = _locked(session, conversation_id)
        if conversation is None:
            return Problem.UNKNOWN_CONVERSATION
        if repeated := _seen(session, conversation_id, key):
            return repeated
        button = session.get(Button, token)
        if button is None or button.conversation_id != conversation_id:
            return Problem.UNKNOWN_BUTTON
        if button.state != "open" or button.expires_at <= deps.now():
            return Problem.STALE_BUTTON
        siblings = select(Button).where(Button.message_id == button.message_id, Button.state == "open")
        for sibling in session.scalars(siblings):
            sibling.state = "stale"
        button.state = "used"
        return _record(session, deps, conversation_id, key, button.title, payload=button.payload)


def _record(
    session: Session, deps: Deps, conversation_id: str, key: str, text: str, payload: str | None
) -> Stored | Problem:
    conversation = _locked(session, conversation_id)
    if conversation is None:
        return Problem.UNKNOWN_CONVERSATION
    if repeated := _seen(session, conversation_id, key):
        return repeated
    now = deps.now()
    lapse_if_idle(conversation, now, deps.idle)
    conversation.last_inbound_at = now
    conversation.script = (detect_script(text) if payload is None else None) or conversation.script
    if conversation.owner == Owner.CLOSED:
        conversation.owner = Owner.BOT
    answered_by_bot = bot_may_answer(Owner(conversation.owner), _reason(conversation))
    message = _append(
        session,
        conversation,
        now,
        author=Author.BORROWER,
        text=text,
        client_key=key,
        payload=payload,
        handling="pending" if answered_by_bot else "held",
    )
    return Stored(message.id, message.seq, repeated=False)


def _seen(session: Session, conversation_id: str, key: str) -> Stored | None:
    row = session.scalar(select(Message).where(Message.conversation_id == conversation_id, Message.client_key == key))
    return Stored(row.id, row.seq, repeated=True) if row else None


def _locked(session: Session, conversation_id: str) -> Conversation | None:
    return session.scalar(select(Conversation).where(Conversation.id == conversation_id).with_for_update())


def _reason(conversation: Conversation) -> QueueReason | None:
    return QueueReason(conversation.queue_reason) if conversation.queue_reason else None


def _append(session: Session, conversation: Conversation, now: datetime, **columns: object) -> Message:
    conversation.last_seq = session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id)
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    conversation.last_activity_at = now
    message = Message(conversation_id=conversation.id, seq=conversation.last_seq, created_at=now, **columns)
    session.add(message)
    session.flush()
    return message


def say(
    session: Session,
    deps: Deps,
    conversation: Conversation,
    reply: Reply,
    *,
    author: Author,
    in_reply_to: str | None = None,
    operator_id: str | None = None,
    purpose: str = "reply",
    key: str | None = None,
) -> Message | None:
    """Write one outbound message, in the borrower's script, with its buttons and its outbox row.

    With a ``key`` the message is written once; a second call returns None. This is the only writer of outbound
    messages; whatever is not a reply has passed ``bot.outreach.gate`` before.
    """
    if key is not None and _seen(session, conversation.id, key):
        return None
    now = deps.now()
    script = Script(conversation.script)
    message = _append(
        session,
        conversation,
        now,
        author=author,
        text=reply.text if author is Author.OPERATOR else to_script(reply.text, script),
        client_key=key,
        in_reply_to=in_reply_to,
        operator_id=operator_id,
        purpose=purpose,
    )
    for position, button in enumerate(reply.buttons):
        session.add(
            Button(
                token=secrets.token_urlsafe(18),
                conversation_id=conversation.id,
                message_id=message.id,
                position=position,
                title=to_script(button.title, script),
                payload=button.payload,
                expires_at=now + BUTTON_LIFE,
            )
        )
    if conversation.channel != "web":
        session.add(
            Outbox(
                key=f"message:{message.id}", message_id=message.id, channel=conversation.channel, next_attempt_at=now
            )
        )
    return message


def claim_next(deps: Deps, conversation_id: str, lease: timedelta) -> Claimed | None:
    """Claim the oldest unanswered message of a conversation, or None when there is none or another holds it."""
    now = deps.now()
    with deps.begin() as session:
        conversation = _locked(session, conversation_id)
        if conversation is None:
            return None
        message = session.scalar(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.handling == "pending")
            .order_by(Message.seq)
            .limit(1)
        )
        if message is None or (message.claimed_until is not None and message.claimed_until > now):
            return None
        if not bot_may_answer(Owner(conversation.owner), _reason(conversation)):
            message.handling = "held"
            return None
        message.claimed_until = now + lease
        message.attempts += 1
        return Claimed(
            message.id, conversation_id, message.text, message.payload, conversation.channel, message.attempts
        )


def release(deps: Deps, message_id: str, retry_at: datetime) -> None:
    """Give a claim back after a failure, to be tried again at ``retry_at``."""
    with deps.begin() as session:
        session.execute(
            update(Message)
            .where(Message.id == message_id, Message.handling == "pending")
            .values(claimed_until=retry_at)
        )


def waiting_conversations(deps: Deps) -> list[str]:
    """Return conversations with an unanswered message that nobody is working on."""
    with deps.begin() as session:
        rows = session.scalars(
            select(Message.conversation_id)
            .where(
                Message.handling == "pending",
                (Message.claimed_until.is_(None)) | (Message.claimed_until <= deps.now()),
            )
            .distinct()
        )
        return list(rows)


def record_turn(
    deps: Deps, message_id: str, replies: Sequence[Reply], understanding: Understanding, author: Author = Author.BOT
) -> bool:
    """Store the answers to a message and mark it handled, in one transaction. Returns False if it already was.

    If a person has taken the conversation meanwhile, the bot's words are dropped: two voices at once confuse.
    """
    with deps.begin() as session:
        message = session.get(Message, message_id)
        if message is None:
            return False
        conversation = _locked(session, message.conversation_id)
        session.refresh(message)
        if conversation is None or message.handling != "pending":
            return False
        message.handling = "handled"
        message.claimed_until = None
        message.intent = understanding.intent
        message.confidence = understanding.confidence
        message.understanding = {
            "entities": list(understanding.entities),
            "actions": list(understanding.actions),
            "ranking": [[name, round(score, 4)] for name, score in understanding.ranking],
            "model": understanding.model,
        }
        if conversation.owner != Owner.HUMAN:
            for reply in replies:
                say(session, deps, conversation, reply, author=author, in_reply_to=message_id)
        return True


def notice_once(deps: Deps, message_id: str, name: str) -> None:
    """Tell the borrower once about a message that has to wait (``engine_down``, ``engine_slow`` …)."""
    with deps.begin() as session:
        message = session.get(Message, message_id)
        if message is None:
            return
        conversation = _locked(session, message.conversation_id)
        session.refresh(message)
        if conversation is not None and message.handling == "pending":
            text = deps.wording.one(name)
            say(session, deps, conversation, Reply(text), author=Author.NOTICE, key=f"{name}:{message_id}")


def messages_after(deps: Deps, conversation_id: str, seq: int, limit: int = 500) -> list[MessageView]:
    """Return the conversation's messages after ``seq`` in order, as its borrower may see them."""
    with deps.begin() as session:
        rows = session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.seq > seq)
            .order_by(Message.seq.desc())
            .limit(limit)
        ).all()
        return views(session, list(reversed(rows)), deps.now())


def views(session: Session, rows: Sequence[Message], now: datetime) -> list[MessageView]:
    """Turn messages into what their borrower may see, buttons included."""
    buttons: dict[str, list[ButtonView]] = {}
    ids = [row.id for row in rows]
    for button in session.scalars(select(Button).where(Button.message_id.in_(ids)).order_by(Button.position)):
        state = "stale" if button.state == "open" and button.expires_at <= now else button.state
        buttons.setdefault(button.message_id, []).append(ButtonView(button.title, button.token, state))
    return [
        MessageView(
            id=row.id,
            seq=row.seq,
            author=row.author,
            text=row.text,
            at=row.created_at,
            key=row.client_key if row.author == Author.BORROWER else None,
            buttons=tuple(buttons.get(row.id, ())),
        )
        for row in rows
    ]


def buttons_of_reply(deps: Deps, token: str) -> tuple[str, tuple[ButtonView, ...]] | None:
    """Return the message a button belongs to and all its buttons as they stand now."""
    with deps.begin() as session:
        button = session.get(Button, token)
        message = session.get(Message, button.message_id) if button else None
        if message is None:
            return None
        return message.id, views(session, [message], deps.now())[0].buttons


def last_seqs(deps: Deps, conversation_ids: Sequence[str]) -> dict[str, tuple[int, str, bool]]:
    """Return for each conversation its last ``seq``, its owner and whether it is verified."""
    with deps.begin() as session:
        rows = session.execute(
            select(Conversation.id, Conversation.last_seq, Conversation.owner, Conversation.verified_at).where(
                Conversation.id.in_(conversation_ids)
            )
        )
        return {row.id: (row.last_seq, row.owner, row.verified_at is not None) for row in rows}


def mark_seen(deps: Deps, conversation_id: str, seq: int) -> None:
    """Note how far the borrower's page has shown the conversation."""
    with deps.begin() as session:
        session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, Conversation.last_seen_seq < seq, Conversation.last_seq >= seq)
            .values(last_seen_seq=seq)
        )
