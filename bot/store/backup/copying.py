"""Taking a backup and putting one back, whichever of the two databases it is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.store import migrate
from bot.store.backup import container, postgres_copy, sqlite_copy
from bot.store.backup.container import BackupError, Header, Manifest


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that is on disk."""

    header: Header
    manifest: Manifest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that has been put back."""

    header: Header
    manifest: Manifest
    needs_migration: bool
    """The copy is of an earlier schema than this release works with."""


def take(url: str, target: Path, key: bytes | None, made_at: datetime, programs: Path | None = None) -> Taken:
    """Write a backup of a database to a new file that only its owner may read; the desk may go on serving.

    The file appears under its name once it is whole and on disk. ``made_at`` is aware; ``programs`` is the folder of
    ``pg_dump``, None for the search path.

    Raises:
        BackupError: the file exists, the database has no schema, cannot be reached or is damaged, a program is missing.

    """
    if target.exists():
        raise BackupError(f"{target} exists and is not overwritten")
    engine, revision = _engine(url), _revision(url)
    if revision is None:
        raise BackupError("the database has no schema yet: there is nothing to back up")
    header = container.new_header(engine, revision, made_at.isoformat(), key)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with _snapshot(url, programs) as (manifest, content), open(draft, "xb", opener=_private) as file:
            container.write(file, header, key, manifest, content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)  # unlike a renaming, this never overwrites
    except FileExistsError as error:
        raise BackupError(f"{target} exists and is not overwritten") from error
    except OSError as error:
        raise BackupError(f"{target} cannot be written ({error.strerror})") from error
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be read ({type(error).__name__})") from error
    finally:
        draft.unlink(missing_ok=True)
    return Taken(header, manifest, target.stat().st_size)


Settle = Callable[[Connection, Header, Manifest], None]
"""Changes what was put back, in an open transaction, before anybody else sees it."""


def restore(
    url: str, source: Path, key: bytes | None, *, may_replace: bool, settle: Settle, programs: Path | None = None
) -> Restored:
    """Put a backup back: all of it, or the database stays as it is. The desk must be stopped.

    The whole file is checked before the database is touched. What was put back is changed by ``settle``.

    Raises:
        BackupError: the file is damaged, sealed with another key, of another kind of database or of a later release;
            or the database has rows and ``may_replace`` was not said.

    """
    header, manifest = verify(source, key)
    if header.engine != _engine(url):
        raise BackupError(f"the backup is of {header.engine}, DESK_DATABASE_URL of {_engine(url)}")
    known = {script.revision for script in ScriptDirectory.from_config(migrate.configuration()).walk_revisions()}
    if header.revision not in known:
        raise BackupError(f"the backup has the schema {header.revision}, which this release does not know")
    try:
        filled = sum(_rows(url).values())
        if filled and not may_replace:
            raise BackupError(f"the database has {filled} rows, which --replace would delete")
        with source.open("rb") as file:
            _, _, content = container.read(file, key)
            _put_back(url, programs, manifest, content, lambda connection: settle(connection, header, manifest))
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be used ({type(error).__name__})") from error
    except OSError as error:
        raise BackupError(f"{source} cannot be put back ({error.strerror})") from error
    return Restored(header, manifest, needs_migration=migrate.pending(url))


def verify(source: Path, key: bytes | None) -> tuple[Header, Manifest]:
    """Read a whole backup and say what is in it; touches no database.

    Raises:
        BackupError: the file is damaged, or sealed with another key.

    """
    try:
        with source.open("rb") as file:
            header, manifest, content = container.read(file, key)
            for _ in content:
                pass
    except OSError as error:
        raise BackupError(f"{source} cannot be read ({error.strerror})") from error
    return header, manifest


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _engine(url: str) -> str:
    return make_url(url).get_backend_name()


def _file(url: str) -> Path:
    return Path(make_url(url).database or "").absolute()


def _revision(url: str) -> str | None:
    try:
        return migrate.current(url)
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be reached ({type(error).__name__})") from error


def _rows(url: str) -> dict[str, int]:
    return sqlite_copy.rows_of(_file(url)) if _engine(url) == "sqlite" else postgres_copy.rows_of(make_url(url))


def _snapshot(url: str, programs: Path | None) -> AbstractContextManager[tuple[Manifest, Iterator[bytes]]]:
    if _engine(url) == "sqlite":
        return sqlite_copy.snapshot(_file(url))
    return postgres_copy.snapshot(make_url(url), programs)


def _put_back(
    url: str,
    programs: Path | None,
    manifest: Manifest,
    content: Iterator[bytes],
    settle: Callable[[Connection], None],
) -> None:
    if _engine(url) == "sqlite":
        sqlite_copy.put_back(_file(url), manifest, content, settle)
    else:
        postgres_copy.put_back(make_url(url), programs, manifest, content, settle)
