"""What a borrower's own client may see of a conversation: messages in order, their buttons, how far it has read.

A session outlives a proof of identity by days, and a phone has more than one user. So whatever was said to somebody
verified is withheld from whoever is not verified now, and numbers that the borrower typed are masked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.identity.levels import Level
from bot.services.conversations import FACT, Author
from bot.services.deps import Deps
from bot.services.document_store import DocumentView, carried_by
from bot.services.proof import viewer_of
from bot.store.tables import Button, ChannelBinding, Conversation, Message
from bot.text.scripts import Script, to_script

_NUMBER = re.compile(r"\d(?:[ ,.\-]?\d){2}(?:(?:[ ,.\-]?\d)+[Xx]?|[Xx])")
"""Four digits or more, grouped or not, or three and the X of an identity number: phones, codes, tails, amounts."""


@dataclass(frozen=True, slots=True)
class ButtonView:
    """A button as a client may see it."""

    title: str
    token: str
    state: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its own borrower may see it.

    ``withheld``: something of it is kept back and needs level 2, the real text or the document that it carries.
    ``extras`` is what a page may draw beside it (``bot.desk.extras``).
    """

    id: str
    seq: int
    author: str
    text: str
    at: datetime
    key: str | None
    buttons: tuple[ButtonView, ...]
    withheld: bool = False
    document: DocumentView | None = None
    extras: Mapping[str, object] | None = None


def messages_after(deps: Deps, conversation_id: str, seq: int, limit: int = 500) -> list[MessageView]:
    """Return the conversation's messages after ``seq`` in order, as whoever looks at it now may see them."""
    with deps.read() as session:
        rows = session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.seq > seq)
            .order_by(Message.seq.desc())
            .limit(limit)
        ).all()
        return _readable(session, deps, conversation_id, list(reversed(rows)))


def messages_now_readable(deps: Deps, conversation_id: str, seqs: Collection[int]) -> list[MessageView]:
    """Return those of some messages, in order, that whoever looks at the conversation now may see as they are."""
    with deps.read() as session:
        rows = session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.seq.in_(seqs))
            .order_by(Message.seq)
        ).all()
        return [view for view in _readable(session, deps, conversation_id, rows) if not view.withheld]


def views(session: Session, rows: Sequence[Message], now: datetime) -> list[MessageView]:
    """Turn messages into views with texts and buttons; for channels that push, once. Documents are not in them."""
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
            extras=row.extras,
        )
        for row in rows
    ]


def buttons_of_reply(deps: Deps, token: str) -> tuple[str, tuple[ButtonView, ...]] | None:
    """Return the message a button belongs to and all its buttons as they stand now; None if it is withheld now."""
    with deps.read() as session:
        button = session.get(Button, token)
        message = session.get(Message, button.message_id) if button else None
        if message is None:
            return None
        view = _readable(session, deps, message.conversation_id, [message])[0]
        return None if view.withheld else (view.id, view.buttons)


def seen_up_to(deps: Deps, conversation_id: str) -> int:
    """Return the highest ``seq`` up to which some page of the borrower's has shown the conversation; 0 for none."""
    with deps.read() as session:
        found = session.scalar(select(Conversation.last_seen_seq).where(Conversation.id == conversation_id))
        return found or 0


def mark_seen(deps: Deps, conversation_id: str, seq: int) -> None:
    """Note how far the borrower's page has shown the conversation."""
    with deps.begin() as session:
        session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, Conversation.last_seen_seq < seq, Conversation.last_seq >= seq)
            .values(last_seen_seq=seq)
        )


def _readable(session: Session, deps: Deps, conversation_id: str, rows: Sequence[Message]) -> list[MessageView]:
    """Turn messages of a conversation into what whoever looks at it now may see."""
    shown = views(session, rows, deps.now())
    since = _readable_since(session, deps, conversation_id)
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return shown
    words = to_script(deps.wording.one("withheld"), Script(conversation.script))
    documents = carried_by(session, deps, [row.id for row in rows])
    whole = [replace(view, document=documents.get(view.id)) for view in shown]
    return [
        view if since is not None and row.created_at >= since else _withheld(row, view, words)
        for row, view in zip(rows, whole, strict=True)
    ]


def _readable_since(session: Session, deps: Deps, conversation_id: str) -> datetime | None:
    """Return from when on everything may be read, or None below level 2.

    What was said before somebody else's binding ended is not for whoever proves identity after them.
    """
    seen = viewer_of(session, deps, conversation_id)
    if seen.level is not Level.VERIFIED:
        return None
    others_until = session.scalar(
        select(func.max(ChannelBinding.released_at)).where(
            ChannelBinding.conversation_id == conversation_id, ChannelBinding.borrower_id != seen.borrower_id
        )
    )
    return others_until or datetime.min.replace(tzinfo=UTC)


def _withheld(row: Message, view: MessageView, words: str) -> MessageView:
    if row.purpose == FACT:
        return replace(view, text=words, buttons=(), document=None, extras=None, withheld=True)
    if view.document is not None:  # the words of a notice may be read, the paper that comes with it may not
        return replace(view, document=None, withheld=True)
    if row.author != Author.BORROWER:
        return view
    masked = _NUMBER.sub("****", row.text)
    return replace(view, text=masked, withheld=True) if masked != row.text else view
