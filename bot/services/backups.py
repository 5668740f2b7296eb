"""Backups of the accounts database, and putting one back; both are on record."""

from __future__ import annotations

from pathlib import Path

from bot.services import audit
from bot.services.deps import Deps
from bot.settings import Settings
from bot.store import backup
from bot.store.backup import BackupError, Header, Manifest, Restored, Taken
from bot.store.vault import read_key

__all__ = ["BackupError", "Header", "Manifest", "Restored", "Taken", "check", "restore", "take"]


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


def check(settings: Settings, source: Path) -> tuple[Header, Manifest]:
    """Read a whole backup without touching any database.

    Raises:
        BackupError: it is damaged, or sealed with another key.
        bot.store.vault.VaultKeyError: the key is malformed.

    """
    return backup.verify(source, _key(settings))


def restore(deps: Deps, source: Path, *, may_replace: bool) -> Restored:
    """Put a backup back, whole or not at all; the desk must be stopped.

    It is put on record in the restored database, unless that first has to be migrated.

    Raises:
        BackupError: the reason, which also says what to do; the database is as it was.
        bot.store.vault.VaultKeyError: the key is malformed.

    """
    settings = deps.settings
    key, programs = _key(settings), settings.postgres_programs
    deps.database.engine.dispose()
    done = backup.restore(settings.sqlalchemy_url, source, key, may_replace=may_replace, programs=programs)
    if not done.needs_migration:
        with deps.begin() as session:
            audit.record(
                session,
                deps.now(),
                audit.SYSTEM,
                "backup_restored",
                ("desk", "backup"),
                rows=done.manifest.total,
                made_at=done.header.made_at,
            )
    return done


def _key(settings: Settings) -> bytes | None:
    encoded = settings.backup_key.get_secret_value()
    return read_key("DESK_BACKUP_KEY", encoded) if encoded else None
