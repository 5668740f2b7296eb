"""The database engine: SQLite in WAL mode by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import Session, sessionmaker

READS_ONLY = "desk_reads_only"
"""Execution option of connections that only read."""

POOL_SIZE = 10
"""Connections to PostgreSQL that a process keeps open."""

POOL_OVERFLOW = 20
"""Connections beyond these while there is much to do."""


def make_engine(url: str) -> Engine:
    """Create an engine whose transactions behave alike on both databases.

    SQLite: WAL, foreign keys on, waits up to 10 s for a lock, and every writing transaction begins ``IMMEDIATE`` so
    that a read followed by a write cannot fail half-way. PostgreSQL: plain connections, checked before use. Errors
    never show the parameters of a statement: they hold personal data, and errors are logged.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed, pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW, hide_parameters=True
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: SqliteConnection, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Readers see a snapshot and wait for nobody; writers take the write lock before they read.
        reads_only = connection.get_execution_options().get(READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


class Database:
    """Opens units of work."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._readers = sessionmaker(engine.execution_options(**{READS_ONLY: True}), expire_on_commit=False)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Yield a session in one transaction: committed at the end, rolled back on any exception."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading only; whatever is changed in it is rolled back."""
        with self._readers() as session:
            yield session
