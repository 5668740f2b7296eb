"""Whether this process can do its work now: what supervisors ask before they send it any."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from bot.services.deps import Deps
from bot.store import migrate

ASKED_EVERY = 2.0
"""Seconds between two questions to a database that is not ready."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found. ``schema`` is only known of a database that answers."""

    database: bool
    schema: bool

    @property
    def is_ready(self) -> bool:
        """Whether the process may be given work."""
        return self.database and self.schema


def readiness(deps: Deps) -> Readiness:
    """Ask the database for its schema: one that an earlier release left is not ready, one of a later release is.

    A release goes on serving while its successor has already migrated, see ``docs/operations.md``.
    """
    try:
        known = migrate.is_served(deps.database.engine)
    except SQLAlchemyError:
        return Readiness(database=False, schema=False)
    return Readiness(database=True, schema=known)


def wait_until_ready(deps: Deps, seconds: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Ask again and again until the process may be given work; False when it still may not after so many seconds."""
    for _ in range(max(1, round(seconds / ASKED_EVERY))):
        if readiness(deps).is_ready:
            return True
        sleep(ASKED_EVERY)
    return readiness(deps).is_ready
