"""What holds after a backup was put back: what happened since it was made is not on record any more.

What the backup has as waiting, or as falling due until now, went out in between as a rule. None of it is sent again,
no borrower is written to for as long as F1 may stand in the way, and the lender's systems get no number twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, inspect, update
from sqlalchemy.orm import Session

from bot.services import audit
from bot.services.lender_event_sources import EventKind
from bot.services.lender_events import last_seq
from bot.services.lost_history import BACKUP_RESTORED, RULE
from bot.store.tables import LenderEvent, Outbox, Reminder

LEAP = 1_000_000
"""By how much the number of the next event is at least above that of the last one in the backup."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What is not sent by itself: messages that waited, notices that fell due before the restore.

    ``next_seq`` is the number that events go on with; None in a schema that has none yet.
    """

    messages: int
    notices: int
    next_seq: int | None


def hold_back(connection: Connection, now: datetime, made_at: str, rows: int) -> HeldBack:
    """Make a database that was just put back safe to start, in an open transaction; also one of an earlier schema.

    ``now`` is aware, ``made_at`` (ISO 8601) is when the backup of so many ``rows`` was made.
    """
    with Session(connection) as session:
        waited = session.execute(
            update(Outbox)
            .where(Outbox.state == "pending")
            .values(state="unknown", last_error=RULE, claimed_until=None)
            .returning(Outbox.id)
            .execution_options(synchronize_session=False)
        )
        due = session.execute(
            update(Reminder)
            .where(Reminder.state == "planned", Reminder.send_at <= now)
            .values(state="refused", rule=RULE, decided_at=now, claimed_until=None)
            .returning(Reminder.id)
            .execution_options(synchronize_session=False)
        )
        held = HeldBack(len(waited.all()), len(due.all()), _leap(session, connection, now, made_at))
        audit.record(
            session,
            now,
            audit.SYSTEM,
            BACKUP_RESTORED,
            ("desk", "backup"),
            rows=rows,
            made_at=made_at,
            messages=held.messages,
            notices=held.notices,
        )
        session.commit()
    return held


def _leap(session: Session, connection: Connection, now: datetime, made_at: str) -> int | None:
    """Tell the lender's systems of the restore, under a number that none of them has seen; returns the one after it.

    Numbers go on above the milliseconds since 1970: no desk tells a thousand events a second, and a second restore of
    the same backup goes on above the first.
    """
    if not inspect(connection).has_table(LenderEvent.__tablename__):
        return None
    seq = max(last_seq(session) + LEAP, int(now.timestamp() * 1000))
    session.add(
        LenderEvent(
            seq=seq,
            key=f"{RULE}:{seq}",
            kind=EventKind.RESTORED,
            happened_at=now,
            recorded_at=now,
            detail={"debts": [], "backed_up_at": made_at},
        )
    )
    return seq + 1
