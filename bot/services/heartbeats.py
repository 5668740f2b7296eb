"""Signs of life of what works by itself, so that its silence is noticed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.services.deps import Deps
from bot.store.tables import Heartbeat

SCHEDULER = "scheduler"

OVERLAP = timedelta(minutes=10)
"""So long after its instant the transaction that wrote something down may end."""

MISSED_TICKS = 3
SHORTEST_SILENCE = timedelta(minutes=1)
"""However fast the ticks: a round with much to do may take longer than three of them."""


@dataclass(frozen=True, slots=True)
class SchedulerHealth:
    """When the scheduler last finished a round (aware; None: never), and whether that is too long ago."""

    last_beat_at: datetime | None
    is_late: bool


def beat(deps: Deps, *names: str) -> None:
    """Record that a round of some kinds of work has ended now."""
    _record(deps, names, deps.now())


def beat_at(deps: Deps, name: str, instant: datetime) -> None:
    """Record that some work has been done up to an instant (aware)."""
    _record(deps, (name,), instant)


def _record(deps: Deps, names: Sequence[str], instant: datetime) -> None:
    rows = [{"name": name, "beat_at": instant} for name in sorted(names)]  # in one order: nobody waits for each other
    with deps.begin() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        added = insert(Heartbeat).values(rows)
        session.execute(added.on_conflict_do_update(index_elements=["name"], set_={"beat_at": instant}))


def beat_here(deps: Deps) -> None:
    """Leave a sign in ``var_dir`` that its scheduler goes on now; a database that is away is no fault of it.

    Raises:
        OSError: the folder cannot be written.
    """
    path = _place(deps)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    now = deps.now().timestamp()
    os.utime(path, (now, now))  # the desk's own time, and in one step


def is_beating_here(deps: Deps) -> bool:
    """Whether the scheduler of this folder, not just any of them, has gone on within the longest silence."""
    try:
        beat_at = datetime.fromtimestamp(_place(deps).stat().st_mtime, UTC)
    except OSError:
        return False
    return deps.now() - beat_at <= longest_silence(deps)


def _place(deps: Deps) -> Path:
    return deps.settings.var_dir / "scheduler-beat"


def since(session: Session, name: str, now: datetime) -> datetime | None:
    """Return from when on what is new has to be looked at (aware), None for everything: some work beat at its end.

    What was written down up to ``OVERLAP`` before counts once more. A clock that was put back leaves nothing out.
    """
    row = session.get(Heartbeat, name)
    return min(row.beat_at, now) - OVERLAP if row is not None else None


def longest_silence(deps: Deps) -> timedelta:
    """How long the scheduler may be silent before that is an alarm: three ticks, at least a minute."""
    return max(MISSED_TICKS * timedelta(seconds=deps.settings.scheduler_tick_seconds), SHORTEST_SILENCE)


def scheduler_health(deps: Deps) -> SchedulerHealth:
    """Return whether a scheduler is alive; late is one that has never finished a round, or not for too long."""
    with deps.read() as session:
        row = session.get(Heartbeat, SCHEDULER)
        last = row.beat_at if row is not None else None
    return SchedulerHealth(last, last is None or deps.now() - last > longest_silence(deps))
