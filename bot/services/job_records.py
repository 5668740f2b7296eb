"""When each job of the scheduler last did its work, and whose turn it is where only one may work at a time.

A job that fails is logged and tried again; what fails again and again shows here, in the metrics and in an alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.services import heartbeats
from bot.services.deps import Deps
from bot.store.tables import Heartbeat


class Job(StrEnum):
    """What the scheduler does; ``<job>_failed`` is the event in the log when it fails."""

    REQUEUE_ABANDONED = "requeue_abandoned"
    PLAN_SWEEP = "plan_sweep"
    PROMISE_SWEEP = "promise_sweep"
    APPROVAL_NEWS = "approval_news"
    CALL_SWEEP = "call_sweep"
    CASE_SWEEP = "case_sweep"
    DISTRESS_SWEEP = "distress_sweep"
    NOTICE_NEWS = "notice_news"
    NOTICE_PLANNING = "notice_planning"
    REMINDER_SWEEP = "reminder_sweep"
    LENDER_EVENTS = "lender_events"
    AUDIT_SEAL = "audit_seal"
    SEARCH_INDEX = "search_index"
    TALK_CHECKS = "talk_checks"
    RETENTION = "retention"
    LENDER_RETENTION = "lender_retention"
    AUDIT_ANCHOR = "audit_anchor"


DAILY = frozenset({Job.RETENTION, Job.LENDER_RETENTION, Job.AUDIT_ANCHOR})
"""Jobs that are done once a day; the others in every round."""

SHORTEST_SILENCE = timedelta(minutes=15)
"""However fast the rounds: a job may fail a few times without anybody being called."""

DAILY_SILENCE = timedelta(hours=26)

TURN = timedelta(hours=1)
"""So long whoever has begun keeps the others away, unless it says that it has ended: it may have been killed."""

_DONE = "job:"
_TURN = "turn:"


@dataclass(frozen=True, slots=True)
class JobSilence:
    """For how long a job has not done its work (None: it never has), and whether that is too long."""

    silence: timedelta | None
    is_late: bool


def names(done: Iterable[Job]) -> list[str]:
    """Return under which names it is recorded that jobs have done their work."""
    return [f"{_DONE}{job}" for job in done]


def silences(session: Session, deps: Deps) -> Mapping[Job, JobSilence]:
    """Return how long each job has been silent; one that no release has ever done yet is late."""
    now = deps.now()
    often = max(heartbeats.longest_silence(deps), SHORTEST_SILENCE)
    found: dict[Job, JobSilence] = {}
    for job, at in _last(session).items():
        silence = max(now - at, timedelta(0)) if at is not None else None
        longest = DAILY_SILENCE if job in DAILY else often
        found[job] = JobSilence(silence, silence is None or silence > longest)
    return found


def due(deps: Deps, since: datetime) -> frozenset[Job]:
    """Return the daily jobs that have not been done since an instant (aware); a clock put back leaves none out."""
    with deps.read() as session:
        last = _last(session)
    return frozenset(job for job in DAILY if (at := last[job]) is None or not since <= at <= deps.now())


def take_turn(deps: Deps, job: Job) -> bool:
    """Begin something that only one process may do at a time; False while another is at it."""
    now = deps.now()
    with deps.begin() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        mine = insert(Heartbeat).values(name=f"{_TURN}{job}", beat_at=now + TURN)
        is_over = or_(Heartbeat.beat_at <= now, Heartbeat.beat_at > now + TURN)  # the latter: a clock was put back
        taken = mine.on_conflict_do_update(index_elements=["name"], set_={"beat_at": now + TURN}, where=is_over)
        return session.scalar(taken.returning(Heartbeat.name)) is not None


def end_turn(deps: Deps, job: Job) -> None:
    """Let the next one begin."""
    with deps.begin() as session:
        session.execute(delete(Heartbeat).where(Heartbeat.name == f"{_TURN}{job}"))


def _last(session: Session) -> dict[Job, datetime | None]:
    rows = session.execute(select(Heartbeat.name, Heartbeat.beat_at).where(Heartbeat.name.in_(names(Job))))
    beats = {name: at for name, at in rows}  # noqa: C416  # rows are not pairs to the type checker
    return {job: beats.get(f"{_DONE}{job}") for job in Job}
