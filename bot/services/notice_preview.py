"""What would be sent to one borrower in the days ahead, and why not, if nothing changes on their side.

The real planning and the real decisions are made, day by day on a clock of their own, in a transaction that is thrown
away: nothing is written, and nothing here can differ from what happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import local
from bot.outreach.notice import Topic
from bot.services import notice_planning, reminders
from bot.services.accounts import lock_borrower
from bot.services.deps import Deps
from bot.store.tables import Borrower, Reminder

_MOST_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What would happen to one notice at an instant (aware): sent, deferred, refused or superseded, by which rule.

    ``channel`` is where it would go, ``until`` (aware) is when a deferred one is decided again.
    """

    at: datetime
    topic: Topic
    stage: str | None
    outcome: str
    rule: str | None
    channel: str | None
    until: datetime | None

    def to_text(self) -> str:
        """Return one line for a person to read; times are in Asia/Shanghai."""
        what = f"{self.topic.value} {self.stage}" if self.stage else self.topic.value
        how = f" over {self.channel}" if self.channel else ""
        again = f", again at {local(self.until):%Y-%m-%d %H:%M}" if self.until else ""
        return f"{local(self.at):%Y-%m-%d %H:%M}  {what:<14} {self.outcome}{how} ({self.rule}){again}"


@dataclass(frozen=True, slots=True)
class UnknownBorrower:
    """There is nobody under this id or phone number."""


def preview(deps: Deps, who: str, days: int) -> tuple[PreviewLine, ...] | UnknownBorrower:
    """Return what would become of a borrower's notices within so many days, in order; ``who`` is an id or a phone.

    Nobody writes, pays or changes anything in these days: a plan is not followed into its breach.
    """
    lines: list[PreviewLine] = []
    with deps.database.read() as session:
        borrower_id = session.scalar(
            select(Borrower.id).where((Borrower.id == who) | (Borrower.phone_hash == deps.vault.lookup("phone", who)))
        )
    if borrower_id is None:
        return UnknownBorrower()
    try:
        with deps.begin() as session:
            lines += _walk(_TrialDesk.of(deps, session), session, borrower_id, deps.now() + timedelta(days=days))
            raise _NothingWritten
    except _NothingWritten:
        return tuple(lines)


class _NothingWritten(Exception):
    """Has the transaction rolled back."""


@dataclass
class _TrialClock:
    instant: datetime

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True)
class _TrialDesk(Deps):
    """The desk on a clock that is moved by hand, working in a transaction that is open."""

    session: Session | None = None

    @classmethod
    def of(cls, deps: Deps, session: Session) -> _TrialDesk:
        kept = {field.name: getattr(deps, field.name) for field in fields(deps) if field.name != "clock"}
        return cls(**kept, clock=_TrialClock(deps.now()), session=session)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        if self.session is None:
            raise RuntimeError("a trial works in a transaction that is open")
        yield self.session
        self.session.flush()

    def move_to(self, instant: datetime) -> None:
        """Set the clock, never back."""
        if isinstance(self.clock, _TrialClock):
            self.clock.instant = max(self.clock.instant, instant)


def _walk(trial: _TrialDesk, session: Session, borrower_id: str, end: datetime) -> Iterator[PreviewLine]:
    lock_borrower(session, borrower_id)
    notice_planning.replan(session, trial, [borrower_id])
    for _ in range(_MOST_STEPS):
        due = session.scalar(
            select(Reminder)
            .where(Reminder.borrower_id == borrower_id, Reminder.state == "planned")
            .order_by(Reminder.send_at, Reminder.key)
            .limit(1)
        )
        planned_at = session.scalar(select(Borrower.notices_due_at).where(Borrower.id == borrower_id))
        instants = [at for at in (planned_at, due.send_at if due is not None else None) if at is not None]
        if not instants or min(instants) > end:
            return
        if due is None or (planned_at is not None and planned_at <= due.send_at):
            trial.move_to(min(instants))
            notice_planning.replan(session, trial, [borrower_id])
            continue
        trial.move_to(due.send_at)
        yield _decided(trial, session, due)


def _decided(trial: _TrialDesk, session: Session, due: Reminder) -> PreviewLine:
    outcome = reminders.decide_now(trial, due.id)
    session.refresh(due)
    return PreviewLine(
        at=trial.now(),
        topic=Topic(due.topic or Topic.PLAN),
        stage=due.stage,
        outcome=outcome,
        rule=due.rule,
        channel=due.channel if outcome == "sent" else None,
        until=due.send_at if outcome == "deferred" else None,
    )
