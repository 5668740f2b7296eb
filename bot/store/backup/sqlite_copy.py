"""Copying a SQLite database through its own online backup: a snapshot, while others read and write."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine

from bot.store.backup.container import BLOCK_BYTES, BackupError, Manifest

VERSION_TABLE = "alembic_version"


@contextmanager
def snapshot(database: Path) -> Iterator[tuple[Manifest, Iterator[bytes]]]:
    """Yield what is in a copy and its pieces; the copy lies beside the database, as private as it, and goes again."""
    with _spool(database.parent) as copied:
        with closing(_reader(database)) as source, closing(sqlite3.connect(copied)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            _check(copy)
            manifest = Manifest(rows_by_table(copy), f"sqlite {sqlite3.sqlite_version}")
        with copied.open("rb") as content:
            yield manifest, iter(lambda: content.read(BLOCK_BYTES), b"")


def put_back(
    database: Path, manifest: Manifest, content: Iterable[bytes], settle: Callable[[Connection], None]
) -> None:
    """Replace all of a database by a copy in one transaction; makes the file if there is none.

    The copy is changed by ``settle`` before that.

    Raises:
        BackupError: the copy is not sound; the database is as before.

    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with _spool(database.parent) as copied:
        with copied.open("wb") as file:
            for piece in content:
                file.write(piece)
        with closing(sqlite3.connect(copied)) as copy:
            try:
                _check(copy)
                found = rows_by_table(copy)
            except sqlite3.DatabaseError as error:
                raise BackupError("the copy in the backup is not a sound SQLite database") from error
            if found != manifest.rows:
                raise BackupError("the copy in the backup does not hold the rows that it should")
        _settle(copied, settle)
        with closing(sqlite3.connect(copied)) as copy, closing(sqlite3.connect(database, timeout=10)) as target:
            try:
                copy.backup(target)
            except sqlite3.OperationalError as error:
                raise BackupError(f"the database cannot be written ({error}): stop the desk first") from error


def _settle(copied: Path, settle: Callable[[Connection], None]) -> None:
    engine = create_engine(f"sqlite:///{copied}", hide_parameters=True)
    try:
        with engine.begin() as connection:
            settle(connection)
    finally:
        engine.dispose()


def rows_of(database: Path) -> dict[str, int]:
    """Return the rows of a database by table; none for a file that does not exist."""
    if not database.exists():
        return {}
    with closing(_reader(database)) as connection:
        return rows_by_table(connection)


def rows_by_table(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of every table but the one that holds the schema's version."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    tables = sorted(name for (name,) in names if name != VERSION_TABLE and not name.startswith("sqlite_"))
    return {name: _count(connection, name) for name in tables}


def _reader(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = '"' + table.replace('"', '""') + '"'
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()  # noqa: S608  # a name from the catalogue
    return int(count)


def _check(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
        raise BackupError("the database is damaged: SQLite's integrity check fails")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise BackupError("the database is damaged: rows point to rows that are not there")


@contextmanager
def _spool(folder: Path) -> Iterator[Path]:
    """Yield the place of a file that only the owner can read, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="desk-copy-", dir=folder) as private:
        yield Path(private) / "copy.sqlite3"
