"""Conversations and their messages: every message in either direction is stored here before anything else happens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from bot.desk.extras import Extras, to_text
from bot.desk.ownership import QueueReason
from bot.identity.levels import Level, viewer
from bot.services.deps import Deps
from bot.services.proof import proof_of
from bot.store.base import UtcDateTime
from bot.store.tables import Button, Conversation, Document, Message, MessageDocument, Outbox
from bot.text.scripts import Script, to_script

log = structlog.get_logger()

BUTTON_LIFE = timedelta(days=7)

WEB = "web"
"""The channel that is a page: it shows what is there, and rings nobody's phone."""

REPLY = "reply"
FACT = "fact"
"""A reply written to somebody verified. It may tell of a debt, so ``bot.services.history`` asks for level 2 again."""

_DOCUMENT = "document:"
_EXTRAS = "extras:"
_MARKS = (_DOCUMENT, _EXTRAS)
"""What a payload begins with that belongs to the message and is no button."""

SHARE_PHONE = "share_phone"
"""The payload of a button that sends the phone number of whoever presses it; channels without such a button skip it.

It is no command and nothing a press could send: the client answers it with a message of its own.
"""

ASKS_PHONE = "phone"
"""The state of that button."""

ONE_OF_SEVERAL = "one_of_several"
"""The payload that marks a message as one of several that are compared, and read best as one where each rings a phone.

It marks and is no button.
"""


_SHARES_PHONE = ("telegram",)
"""Channels whose clients have such a button."""


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
    STALE_LINK = "stale_link"
    TOO_FAST = "too_fast"
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
    """One message to the borrower, in Simplified script; it is shown in theirs. It may carry one kept document."""

    text: str
    buttons: tuple[QuickReply, ...] = ()
    document_id: str | None = None


def extras_payload(extras: Extras) -> str:
    """Return the payload that stands for extras among a reply's buttons; like a document's it is no command."""
    return _EXTRAS + to_text(extras)


def document_payload(document_id: str) -> str:
    """Return the payload that stands for a document among a reply's buttons.

    The dialogue engine hands on texts and buttons, nothing else; ``say`` takes such a button for what it is. It is no
    command: a borrower who types it says a few odd letters.
    """
    return _DOCUMENT + document_id


def open_conversation(
    session: Session, deps: Deps, channel: str, address: str, script: Script = Script.HANS
) -> Conversation:
    """Return the conversation of a channel address, opening it with a greeting when it is new.

    ``script`` holds until the borrower writes something that shows theirs.
    """
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
        script=script.value,
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


def seen_before(session: Session, conversation_id: str, key: str) -> Stored | None:
    """Return the message that was stored under a client key, if there is one."""
    row = session.scalar(select(Message).where(Message.conversation_id == conversation_id, Message.client_key == key))
    return Stored(row.id, row.seq, repeated=True) if row else None


def locked(session: Session, conversation_id: str) -> Conversation | None:
    """Return a conversation locked for change until the transaction ends."""
    return session.scalar(select(Conversation).where(Conversation.id == conversation_id).with_for_update())


def locked_of(session: Session, conversation_ids: Sequence[str]) -> set[str]:
    """Lock those of some conversations that nobody else holds, until the transaction ends; returns their ids."""
    free = select(Conversation.id).where(Conversation.id.in_(conversation_ids)).with_for_update(skip_locked=True)
    return set(session.scalars(free))


def queue_reason_of(conversation: Conversation) -> QueueReason | None:
    """Return why a conversation waits for a person, if it does."""
    return QueueReason(conversation.queue_reason) if conversation.queue_reason else None


_COUNT_UP = (
    update(Conversation)
    .where(Conversation.id.in_(bindparam("conversation_ids", expanding=True)))
    .values(last_seq=Conversation.last_seq + 1, last_activity_at=bindparam("now", type_=UtcDateTime))
    .returning(Conversation.id, Conversation.last_seq)
    .execution_options(synchronize_session=False)
)


def append(session: Session, conversation: Conversation, now: datetime, **columns: object) -> Message:
    """Append a message under the conversation's next ``seq``; the row lock makes the count gapless."""
    return _append_all(session, [(conversation, columns)], now)[0]


def _append_all(
    session: Session, new: Sequence[tuple[Conversation, Mapping[str, object]]], now: datetime
) -> list[Message]:
    """Append a message to each of some conversations, none of them twice."""
    ids = [conversation.id for conversation, _ in new]
    seqs = {row[0]: row[1] for row in session.execute(_COUNT_UP, {"conversation_ids": ids, "now": now})}
    messages = []
    for conversation, columns in new:
        # As they are stored by now: there is nothing left to write.
        set_committed_value(conversation, "last_seq", seqs[conversation.id])
        set_committed_value(conversation, "last_activity_at", now)
        message = Message(conversation_id=conversation.id, seq=conversation.last_seq, created_at=now, **columns)
        messages.append(message)
    session.add_all(messages)
    session.flush()
    return messages


def say(
    session: Session,
    deps: Deps,
    conversation: Conversation,
    reply: Reply,
    *,
    author: Author,
    in_reply_to: str | None = None,
    operator_id: str | None = None,
    purpose: str = REPLY,
    key: str | None = None,
) -> Message | None:
    """Write one outbound message, in the borrower's script, with its buttons and its outbox row.

    With a ``key`` the message is written once; a second call returns None. This is the only writer of outbound
    messages; whatever is not a reply has passed ``bot.outreach.gate`` before. A reply of the bot or of an operator to
    somebody verified is stored as a ``FACT``. A document is carried only to the borrower it is about.
    """
    if key is not None and seen_before(session, conversation.id, key):
        return None
    now = deps.now()
    if purpose == REPLY and author is not Author.NOTICE and _is_verified(deps, conversation, now):
        purpose = FACT
    script = Script(conversation.script)
    message = append(
        session,
        conversation,
        now,
        author=author,
        text=reply.text if author is Author.OPERATOR else to_script(reply.text, script),
        client_key=key,
        in_reply_to=in_reply_to,
        operator_id=operator_id,
        purpose=purpose,
        **_drawn(conversation, reply),
    )
    _attach(session, conversation, message, reply)
    skipped = (ONE_OF_SEVERAL,) if conversation.channel in _SHARES_PHONE else (ONE_OF_SEVERAL, SHARE_PHONE)
    buttons = [b for b in reply.buttons if not b.payload.startswith(_MARKS) and b.payload not in skipped]
    for position, button in enumerate(buttons):
        session.add(
            Button(
                token=secrets.token_urlsafe(18),
                conversation_id=conversation.id,
                message_id=message.id,
                position=position,
                title=to_script(button.title, script),
                payload=button.payload,
                state=ASKS_PHONE if button.payload == SHARE_PHONE else "open",
                expires_at=now + BUTTON_LIFE,
            )
        )
    _put_out(session, conversation, message, now)
    return message


def _drawn(conversation: Conversation, reply: Reply) -> dict[str, object]:
    """Return the column for what a page may draw beside the words; no other channel draws anything."""
    marks = (b.payload.removeprefix(_EXTRAS) for b in reply.buttons if b.payload.startswith(_EXTRAS))
    found = next(marks, None) if conversation.channel == WEB else None
    return {} if found is None else {"extras": json.loads(found)}


@dataclass(frozen=True, slots=True)
class Notice:
    """Words that answer nothing, in Simplified script; ``key`` makes writing them twice the same message."""

    conversation: Conversation
    text: str
    purpose: str
    key: str


def say_notices(session: Session, deps: Deps, notices: Sequence[Notice]) -> dict[str, Message]:
    """Write the bot's notices down as ``say`` does, at most one for each conversation; by key, those that are new.

    The caller has passed ``bot.outreach.gate`` for each, and holds the conversations (``locked_of``).
    """
    if not notices:
        return {}
    there = session.execute(
        select(Message.conversation_id, Message.client_key).where(
            Message.conversation_id.in_([notice.conversation.id for notice in notices]),
            Message.client_key.in_([notice.key for notice in notices]),
        )
    )
    known = {(row.conversation_id, row.client_key) for row in there}
    new = [notice for notice in notices if (notice.conversation.id, notice.key) not in known]
    if not new:
        return {}
    now = deps.now()
    messages = _append_all(session, [(notice.conversation, _columns(notice)) for notice in new], now)
    for notice, message in zip(new, messages, strict=True):
        _put_out(session, notice.conversation, message, now)
    return {notice.key: message for notice, message in zip(new, messages, strict=True)}


def _columns(notice: Notice) -> dict[str, object]:
    return {
        "author": Author.BOT,
        "text": to_script(notice.text, Script(notice.conversation.script)),
        "client_key": notice.key,
        "purpose": notice.purpose,
    }


def _put_out(session: Session, conversation: Conversation, message: Message, now: datetime) -> None:
    """Have a message pushed where its channel needs that."""
    if conversation.channel != WEB:
        session.add(
            Outbox(
                key=f"message:{message.id}", message_id=message.id, channel=conversation.channel, next_attempt_at=now
            )
        )


def _is_verified(deps: Deps, conversation: Conversation, now: datetime) -> bool:
    return viewer(proof_of(conversation), now, deps.idle, deps.fresh).level is Level.VERIFIED


def _attach(session: Session, conversation: Conversation, message: Message, reply: Reply) -> None:
    named = (b.payload.removeprefix(_DOCUMENT) for b in reply.buttons if b.payload.startswith(_DOCUMENT))
    document_id = reply.document_id or next(named, None)
    if document_id is None:
        return
    document = session.get(Document, document_id)
    if document is None or document.borrower_id != conversation.borrower_id:
        # The conversation became somebody else's while the answer was made: the words go out, the paper does not.
        log.error("document_not_attached", conversation=conversation.id, known=document is not None)
        return
    session.add(MessageDocument(message_id=message.id, document_id=document.id))
