"""Backups of the accounts database, and putting one back; both are on record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from bot.services import audit, restored
from bot.services.deps import Deps
from bot.services.restored import HeldBack
from bot.settings import Settings
from bot.store import backup
from bot.store.backup import BackupError, Header, Manifest, Restored, Taken
from bot.store.vault import read_key

__all__ = [
    "BackupError",
    "Header",
    "Manifest",
    "PutBack",
    "Restored",
    "Taken",
    "check",
    "forget_older",
    "named_in",
    "restore",
    "take",
]

_NAMED = re.compile(r"desk-\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class PutBack:
    """A backup that has been put back, and what it had waiting that is not sent by itself."""

    restored: Restored
    held: HeldBack


def take(deps: Deps, target: Path) -> Taken:
    """Write a backup to a new file while the desk serves; encrypted if ``DESK_BACKUP_KEY`` is set.

    Raises:
        BackupError: it could not be made; no file is left.
        bot.store.vault.VaultKeyError: the key is malformed.

    """
    settings = deps.settings
    key, programs = _key(settings), settings.postgres_programs
    taken = backup.take(settings.sqlalchemy_url, target, key, deps.now(), programs)
    with deps.begin() as session:
        audit.record(
            session,
            deps.now(),
            audit.SYSTEM,
            "backup_taken",
            ("desk", "backup"),
            rows=taken.manifest.total,
            key=taken.header.key_id,
        )
    return taken


def named_in(folder: Path, at: datetime) -> Path:
    """Return where in a folder the backup of an instant (aware) goes."""
    return folder / f"desk-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def forget_older(folder: Path, keep: int) -> int:
    """Delete all but the newest backups of a folder; returns how many. Files with names of their own are left alone.

    Raises:
        BackupError: one could not be deleted.

    """
    old = sorted(path for path in folder.iterdir() if _NAMED.fullmatch(path.name))[:-keep]
    for path in old:
        try:
            path.unlink()
        except OSError as error:
            raise BackupError(f"{path} cannot be deleted: {error.strerror}") from None
    return len(old)


def check(settings: Settings, source: Path) -> tuple[Header, Manifest]:
    """Read a whole backup without touching any database.

    Raises:
        BackupError: it is damaged, or sealed with another key.
        bot.store.vault.VaultKeyError: the key is malformed.

    """
    return backup.verify(source, _key(settings))


def restore(deps: Deps, source: Path, *, may_replace: bool) -> PutBack:
    """Put a backup back, whole or not at all; the desk must be stopped.

    It is put on record in the restored database. What waited there is held back before anybody can see it
    (``bot.services.restored``).

    Raises:
        BackupError: the reason, which also says what to do; the database is as it was.
        bot.store.vault.VaultKeyError: the key is malformed.

    """
    settings = deps.settings
    key, programs = _key(settings), settings.postgres_programs
    held: list[HeldBack] = []

    def settle(connection: Connection, header: Header, manifest: Manifest) -> None:
        held.append(restored.hold_back(connection, deps.now(), header.made_at, manifest.total))

    deps.database.engine.dispose()
    done = backup.restore(
        settings.sqlalchemy_url, source, key, may_replace=may_replace, settle=settle, programs=programs
    )
    return PutBack(done, held[-1])


def _key(settings: Settings) -> bytes | None:
    encoded = settings.backup_key.get_secret_value()
    return read_key("DESK_BACKUP_KEY", encoded) if encoded else None
