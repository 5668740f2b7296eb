"""What a borrower's own client may see of a conversation: messages in order, their buttons, how far it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.store.tables import Button, Conversation, Message


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


def messages_after(deps: Deps, conversation_id: str, seq: int, limit: int = 500) -> list[MessageView]:
    """Return the conversation's messages after ``seq`` in order, as its borrower may see them."""
    with deps.read() as session:
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
    with deps.read() as session:
        button = session.get(Button, token)
        message = session.get(Message, button.message_id) if button else None
        if message is None:
            return None
        return message.id, views(session, [message], deps.now())[0].buttons


def last_seqs(deps: Deps, conversation_ids: Sequence[str]) -> dict[str, tuple[int, str, bool]]:
    """Return for each conversation its last ``seq``, its owner and whether it is verified."""
    with deps.read() as session:
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
