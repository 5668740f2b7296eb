"""Whole copies of the accounts database: one file, summed or sealed, made while the desk serves."""

from bot.store.backup.container import BackupError, Header, Manifest
from bot.store.backup.copying import Restored, Taken, restore, take, verify

__all__ = ["BackupError", "Header", "Manifest", "Restored", "Taken", "restore", "take", "verify"]
