"""Keeping the full-text index of transcripts: what was said is found a moment later, and nobody's answer waits for it.

Whoever stores or understands a message leaves ``indexed_at`` empty; the scheduler takes such messages up in small
batches. What is indexed is the text as operators read it, so that nobody can look for a number that is masked for them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.desk.fulltext import index_tokens
from bot.services import nlu_inbox
from bot.services.deps import Deps
from bot.services.shown_text import shown_text
from bot.store.tables import Conversation, Message, SearchEntry, TalkCheck

AT_ONCE = 200
"""Messages indexed in one transaction, so that writers are not kept waiting."""

A_ROUND = 2_000
"""Messages indexed in one round of the scheduler at most: its other work wants a turn."""

QUIET = timedelta(minutes=15)
"""A conversation is checked when nothing has been said in it for so long."""


def index_new(deps: Deps, most: int = A_ROUND) -> int:
    """Index messages that are new or were understood anew, oldest first; returns how many."""
    done = 0
    while done < most and (count := _index_batch(deps, min(AT_ONCE, most - done))):
        done += count
    return done


def rebuild(deps: Deps) -> int:
    """Make the whole index anew while the desk serves; returns how many messages are in it.

    A message is found as before until its turn comes. Stopped half-way, it is gone on with by the scheduler.
    """
    started = deps.now()
    old = select(Message.id).where(Message.indexed_at < started).limit(10 * AT_ONCE)
    while True:
        with deps.begin() as session:
            marked = session.execute(
                update(Message)
                .where(Message.id.in_(old))
                .values(indexed_at=None)
                .returning(Message.id)
                .execution_options(synchronize_session=False)
            ).all()
        if not index_new(deps, 10 * AT_ONCE) and not marked:
            break
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(SearchEntry)) or 0


def vector(text: str, dialect: str) -> str:
    """Return the tokens of a text as a database wants them: with their places on PostgreSQL, in a row on SQLite."""
    if dialect == "postgresql":
        return " ".join(f"'{token}':{place}" for place, token in enumerate(index_tokens(text), start=1))
    return " ".join(index_tokens(text))


def _index_batch(deps: Deps, limit: int) -> int:
    with deps.read() as session:
        found = session.execute(_waiting(limit).with_only_columns(Message.id, Message.conversation_id)).all()
    if not found:
        return 0
    now = deps.now()
    with deps.begin() as session:
        # First: if the second transaction fails, both are done again.
        _check_later(session, {row.conversation_id for row in found}, now + QUIET)
    with deps.begin() as session:
        rows = session.scalars(
            _waiting(limit).where(Message.id.in_([row.id for row in found])).with_for_update(skip_locked=True)
        ).all()
        ids = [message.id for message in rows]
        session.execute(
            delete(SearchEntry).where(SearchEntry.message_id.in_(ids)), execution_options={"synchronize_session": False}
        )
        entries = _entries(session, rows)
        if entries:
            session.execute(insert(SearchEntry), entries)
        nlu_inbox.take_in(session, deps, rows)
        session.execute(
            update(Message).where(Message.id.in_(ids)).values(indexed_at=now),
            execution_options={"synchronize_session": False},
        )
    return len(ids)


def _waiting(limit: int) -> Select[Message]:
    return (
        select(Message)
        .where(Message.indexed_at.is_(None), Message.handling != "pending")
        .order_by(Message.created_at)
        .limit(limit)
    )


def _entries(session: Session, rows: Collection[Message]) -> list[dict[str, object]]:
    dialect = session.get_bind().dialect.name
    ids = {message.conversation_id for message in rows}
    channels = {
        row.id: row.channel
        for row in session.execute(select(Conversation.id, Conversation.channel).where(Conversation.id.in_(ids)))
    }
    return [
        {
            "message_id": message.id,
            "conversation_id": message.conversation_id,
            "seq": message.seq,
            "at": message.created_at,
            "author": message.author,
            "channel": channels[message.conversation_id],
            "intent": message.intent,
            "confidence": message.confidence,
            "words": vector(shown_text(message), dialect),
        }
        for message in rows
    ]


def _check_later(session: Session, conversation_ids: Collection[str], due_at: datetime) -> None:
    """Have conversations checked at an instant, later than an earlier one asked for it."""
    on = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{"conversation_id": one, "due_at": due_at} for one in sorted(conversation_ids)]
    wanted = on.insert(TalkCheck).values(rows)
    session.execute(
        wanted.on_conflict_do_update(index_elements=["conversation_id"], set_={"due_at": wanted.excluded.due_at})
    )
