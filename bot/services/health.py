"""Whether this process can do its work now: what supervisors ask before they send it any."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from bot.services import heartbeats
from bot.services.deps import Deps
from bot.store import migrate


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


def scheduler_is_alive(deps: Deps) -> bool:
    """Whether some scheduler has finished a round lately; False as well when the database does not answer."""
    try:
        return not heartbeats.scheduler_health(deps).is_late
    except SQLAlchemyError:
        return False
