"""What waits at the desk at this moment, counted in the database for whoever watches it from outside.

Nothing here names anybody: counts, waits in seconds, and values of enumerations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.cases.clock import Alarm, alarm_on
from bot.cases.course import OPEN
from bot.clock import business_date
from bot.desk.ownership import Owner
from bot.outreach.workdays import is_working_day
from bot.services import heartbeats, job_records
from bot.services.deps import Deps
from bot.services.job_records import Job, JobSilence
from bot.services.webhooks import OPEN_WEBHOOKS
from bot.store import migrate
from bot.store.tables import (
    Borrower,
    CaseFile,
    Conversation,
    LenderEvent,
    Message,
    Outbox,
    Reminder,
    WebhookDelivery,
)

KEPT = timedelta(seconds=5)
"""Whoever asks again within this gets the same figures: asking often costs the database nothing."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and for how many seconds the oldest of it has; both 0 when nothing does."""

    count: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DeskGauges:
    """The state of the desk.

    ``waiting``: conversations in the queue by reason. ``unanswered``: borrowers' messages that the assistant has to
    answer. ``outbox``: messages to be delivered by channel. ``undecided``: notices that are due. ``unplanned``:
    borrowers whose notices are to be planned. ``events``: events that wait for a system of the lender's to take them;
    ``events_given_up``: those that will not be tried again by themselves. ``cases``: open cases by how near
    the day of the answer is. ``scheduler_silence``: since some scheduler finished a round, None for never.
    ``jobs``: since each of the scheduler's jobs did its work.
    """

    waiting: Mapping[str, Backlog]
    unanswered: Backlog
    outbox: Mapping[str, Backlog]
    undecided: Backlog
    unplanned: Backlog
    events: Backlog
    events_given_up: int
    cases: Mapping[Alarm, int]
    scheduler_silence: timedelta | None
    scheduler_is_late: bool
    jobs: Mapping[Job, JobSilence]
    revision: str | None


class GaugeReader:
    """Reads the gauges and keeps them for ``KEPT``. To be asked by one thread at a time."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._read_at: datetime | None = None
        self._found: DeskGauges | None = None

    def read(self) -> DeskGauges | None:
        """Return the gauges; None when the database does not answer, or not with this release's tables."""
        now = self._deps.now()
        if self._read_at is None or not timedelta(0) <= now - self._read_at < KEPT:
            try:
                self._found = measure(self._deps)
            except SQLAlchemyError:
                self._found = None
            self._read_at = now
        return self._found


def measure(deps: Deps) -> DeskGauges:
    """Count everything now; each query goes along an index of what is still open.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    now = deps.now()
    scheduler = heartbeats.scheduler_health(deps)
    revision = migrate.revision(deps.database.engine)
    with deps.read() as session:
        return DeskGauges(
            waiting=_by(session, _WAITING, now),
            unanswered=_backlog(session, _UNANSWERED, now),
            outbox=_by(session, _OUTBOX, now),
            undecided=_backlog(session, _UNDECIDED.where(Reminder.send_at <= now), now),
            unplanned=_backlog(session, _UNPLANNED.where(Borrower.notices_due_at <= now), now),
            events=_backlog(session, _EVENTS, now),
            events_given_up=session.scalar(_GIVEN_UP) or 0,
            cases=_cases(session, now),
            scheduler_silence=now - scheduler.last_beat_at if scheduler.last_beat_at is not None else None,
            scheduler_is_late=scheduler.is_late,
            jobs=job_records.silences(session, deps),
            revision=revision,
        )


_WAITING = (
    select(Conversation.queue_reason, func.count(), func.min(Conversation.queued_at))
    .where(Conversation.owner == Owner.QUEUED)
    .group_by(Conversation.queue_reason)
)
_OUTBOX = (
    select(Outbox.channel, func.count(), func.min(Message.created_at))
    .join(Message, Message.id == Outbox.message_id)
    .where(Outbox.state == "pending")
    .group_by(Outbox.channel)
)
_UNANSWERED = select(func.count(), func.min(Message.created_at)).where(Message.handling == "pending")
_UNDECIDED = select(func.count(), func.min(Reminder.send_at)).where(Reminder.state == "planned")
_UNPLANNED = select(func.count(), func.min(Borrower.notices_due_at))
_EVENTS = (
    select(func.count(), func.min(LenderEvent.happened_at))
    .select_from(WebhookDelivery)
    .join(LenderEvent, LenderEvent.seq == WebhookDelivery.event_seq)
    .where(WebhookDelivery.state == "pending", WebhookDelivery.webhook_id.in_(OPEN_WEBHOOKS))
)
_GIVEN_UP = (
    select(func.count())
    .select_from(WebhookDelivery)
    .where(WebhookDelivery.state == "dead", WebhookDelivery.webhook_id.in_(OPEN_WEBHOOKS))
)


def _backlog(session: Session, query: Select[int, datetime | None], now: datetime) -> Backlog:
    count, oldest = session.execute(query).one()
    return Backlog(count, _waited(oldest, now))


def _by(session: Session, query: Select[str | None, int, datetime | None], now: datetime) -> dict[str, Backlog]:
    rows = session.execute(query).all()
    return {name or "": Backlog(count, _waited(oldest, now)) for name, count, oldest in rows}


def _waited(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


def _cases(session: Session, now: datetime) -> dict[Alarm, int]:
    """Open cases by alarm. There are no more days than answers can take, however many cases there are."""
    days = session.execute(
        select(CaseFile.due_on, func.count())
        .where(CaseFile.state.in_([state.value for state in OPEN]))
        .group_by(CaseFile.due_on)
    )
    found = dict.fromkeys(Alarm, 0)
    for last_day, count in days:
        alarm = alarm_on(last_day, business_date(now), is_working_day) if last_day is not None else Alarm.NONE
        found[alarm] += count
    return found
