"""The audit log: who did or saw what. Written in the transaction of the deed itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.store.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: ``borrower``, ``bot``, ``operator`` or ``system``, with an id where there is one."""

    kind: str
    id: str | None = None


BOT = Actor("bot")
SYSTEM = Actor("system")


def record(
    session: Session,
    at: datetime,
    actor: Actor,
    event: str,
    subject: tuple[str, str],
    **detail: str | int | bool | None,
) -> None:
    """Append one entry. ``detail`` carries identifiers and codes only, never personal data."""
    session.add(AuditEntry(**entry_row(at, actor, event, subject, **detail)))


def entry_row(
    at: datetime, actor: Actor, event: str, subject: tuple[str, str], **detail: str | int | bool | None
) -> dict[str, object]:
    """Return the columns of one entry, for writing many at once."""
    return {
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "event": event,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "detail": dict(detail),
    }
