"""The dialogue engine's own store of events, as far as the desk touches it: to forget, and to decide anew.

Rasa keeps every message and slot of a conversation in one table, ``events``, and never deletes. Its sender is the
conversation's id, so what is deleted from the transcript can be deleted there too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    func,
    inspect,
    make_url,
    select,
)

from bot.store.engine import Database

AT_ONCE = 200
"""Conversations forgotten in one transaction: the engine writes into the same table meanwhile."""

_EVENTS = Table(
    "events",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("sender_id", String(255)),
    Column("timestamp", Float),  # seconds since 1970, as the engine writes them
    Column("data", Text),  # the event in the engine's own form, as JSON
)


class DialogueTracker:
    """Reads and forgets conversations in the engine's store, SQLite or PostgreSQL; without a store there is nothing."""

    def __init__(self, url: str) -> None:
        self._url = url

    def forget(self, conversation_ids: Sequence[str]) -> int:
        """Delete every event of some conversations; returns how many there were."""
        with self._open() as database:
            return _delete(database, conversation_ids) if database is not None else 0

    def events(self, conversation_id: str) -> list[dict[str, Any]]:
        """Return everything that the engine recorded of a conversation, in order, in its own form."""
        mine = select(_EVENTS.c.data).where(_EVENTS.c.sender_id == conversation_id).order_by(_EVENTS.c.id)
        with self._open() as database:
            if database is None:
                return []
            with database.read() as session:
                return [json.loads(data) for data in session.scalars(mine)]

    def forget_idle(self, since: datetime) -> int:
        """Delete every event of conversations in which nothing has happened since an instant (aware)."""
        last = func.max(_EVENTS.c.timestamp)
        idle = select(_EVENTS.c.sender_id).group_by(_EVENTS.c.sender_id).having(last < since.timestamp())
        with self._open() as database:
            if database is None:
                return 0
            with database.read() as session:
                found = list(session.scalars(idle))
            return _delete(database, found)

    @contextmanager
    def _open(self) -> Iterator[Database | None]:
        """Yield the store; None if there is none: opening a SQLite file that is missing would make an empty one."""
        url = make_url(self._url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            yield None
            return
        # Not as the desk's own: the file's journal is the engine's to choose.
        waits = {"timeout": 10} if url.get_backend_name() == "sqlite" else {}
        engine = create_engine(url, connect_args=waits, hide_parameters=True)
        try:
            yield Database(engine) if inspect(engine).has_table(_EVENTS.name) else None
        finally:
            engine.dispose()


def _delete(database: Database, conversation_ids: Sequence[str]) -> int:
    forgotten = 0
    for start in range(0, len(conversation_ids), AT_ONCE):
        some = conversation_ids[start : start + AT_ONCE]
        with database.begin() as session:
            gone = session.execute(delete(_EVENTS).where(_EVENTS.c.sender_id.in_(some)).returning(_EVENTS.c.id))
            forgotten += len(gone.all())
    return forgotten
