"""How the desk does, week by week: counts over what is stored, without names. ``docs/reports.md`` has the same in SQL.

All weeks are Monday to Sunday in Asia/Shanghai.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, distinct, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.cases.course import CaseState
from bot.cases.kinds import Family
from bot.clock import business_date
from bot.desk.weeks import HandOver, Step, Wait, Week, ranked, share, waits, weeks_until
from bot.services import audit
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store.tables import Agreement, AuditEntry, CaseFile, Message, Promise
from bot.workout.promise import PromiseState

WEEKS = 8
MOST_WEEKS = 26

_LONGEST_WAIT = timedelta(days=14)
"""How far before the first week a hand-over may have begun that ended in it."""

_HANDED_OVER = (Step.QUEUED.value, Step.TAKEN.value)
_JUDGED = (PromiseState.KEPT.value, PromiseState.PARTLY_KEPT.value, PromiseState.BROKEN.value)
_NO_CASE = (CaseState.DRAFT.value, CaseState.DROPPED.value)


_Instant = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One week. Counts of conversations, promises and complaints; waits until a person took a conversation.

    ``written``: conversations in which the borrower wrote. ``handed_over``: those of them that waited for a person or
    were taken by one in the week. ``resolved``: those of them in which a plan was accepted, a promise made or a case
    decided in the week. ``promises_judged`` of what was due in the week. ``complaints_due``: those not taken back whose
    answer fell due in the week, ``complaints_late`` those of them not decided by then.
    """

    week: Week
    written: int
    handed_over: int
    resolved: int
    promises_judged: int
    promises_kept: int
    complaints_received: int
    complaints_due: int
    complaints_late: int
    waits: int
    wait_median: timedelta | None
    wait_long: timedelta | None

    @property
    def contained(self) -> int:
        """Conversations that needed no person."""
        return self.written - self.handed_over

    @property
    def contained_percent(self) -> int | None:
        """Their share."""
        return share(self.contained, self.written)

    @property
    def resolved_percent(self) -> int | None:
        """Share of conversations that came to something."""
        return share(self.resolved, self.written)

    @property
    def kept_percent(self) -> int | None:
        """Share of promises kept in full."""
        return share(self.promises_kept, self.promises_judged)


def weekly(deps: Deps, operator: OperatorView, count: int = WEEKS) -> tuple[WeekRow, ...]:
    """Return the last weeks up to the current one, oldest first; that they were read is put on record."""
    weeks = weeks_until(business_date(deps.now()), min(max(count, 1), MOST_WEEKS))
    with deps.read() as session:
        ended = _waits(session, weeks)
        rows = tuple(_row(session, deps, week, ended) for week in weeks)
    with deps.begin() as session:
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "report_read", ("desk", "reports"), weeks=len(weeks))
    return rows


COLUMNS = (
    "week_begins",
    "written",
    "contained",
    "contained_percent",
    "handed_over",
    "resolved",
    "resolved_percent",
    "promises_judged",
    "promises_kept",
    "kept_percent",
    "complaints_received",
    "complaints_due",
    "complaints_late",
    "waits",
    "wait_median_seconds",
    "wait_long_seconds",
)


def as_csv(rows: Sequence[WeekRow]) -> bytes:
    """Write weeks for a spreadsheet, marked as UTF-8; what there is nothing of stays empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [getattr(row, name) for name in COLUMNS[1:14]]
        seconds = [None if one is None else int(one.total_seconds()) for one in (row.wait_median, row.wait_long)]
        writer.writerow([row.week.monday.isoformat(), *cells, *seconds])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _row(session: Session, deps: Deps, week: Week, ended: Sequence[Wait]) -> WeekRow:
    def count(counted: ColumnElement[int], *conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(counted).where(*conditions)) or 0

    conversations = func.count(distinct(Message.conversation_id))
    wrote = (Message.author == Author.BORROWER.value, *_within(Message.created_at, week))
    lasted = [one.lasted for one in ended if week.begins <= one.taken_at < week.ends]
    promised = (Promise.state.in_(_JUDGED), Promise.due_on.between(week.monday, week.sunday))
    complaint = (CaseFile.family == Family.COMPLAINT.value, CaseFile.state.not_in(_NO_CASE))
    due = (*complaint, CaseFile.state != CaseState.WITHDRAWN.value, CaseFile.due_on.between(week.monday, week.sunday))
    return WeekRow(
        week=week,
        written=count(conversations, *wrote),
        handed_over=count(conversations, *wrote, Message.conversation_id.in_(_handed_over(week))),
        resolved=count(conversations, *wrote, or_(*(Message.conversation_id.in_(each) for each in _resolved(week)))),
        promises_judged=count(func.count(Promise.id), *promised),
        promises_kept=count(func.count(Promise.id), *promised, Promise.state == PromiseState.KEPT.value),
        complaints_received=count(
            func.count(CaseFile.id), *complaint, CaseFile.received_on.between(week.monday, week.sunday)
        ),
        complaints_due=count(func.count(CaseFile.id), *due),
        complaints_late=sum(
            (business_date(deps.now()) if decided is None else business_date(decided)) > due_on
            for due_on, decided in session.execute(select(CaseFile.due_on, CaseFile.decided_at).where(*due))
            if due_on is not None
        ),
        waits=len(lasted),
        wait_median=ranked(lasted, 50),
        wait_long=ranked(lasted, 90),
    )


def _within(column: _Instant, week: Week) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= week.begins, column < week.ends


def _handed_over(week: Week) -> Select[str]:
    return select(AuditEntry.subject_id).where(
        AuditEntry.subject_kind == "conversation",
        AuditEntry.event.in_(_HANDED_OVER),
        *_within(AuditEntry.at, week),
    )


def _resolved(week: Week) -> tuple[Select[str | None], Select[str], Select[str]]:
    return (
        select(Agreement.accepted_conversation_id).where(*_within(Agreement.accepted_at, week)),
        select(Promise.conversation_id).where(*_within(Promise.made_at, week)),
        select(CaseFile.conversation_id).where(*_within(CaseFile.decided_at, week)),
    )


def _waits(session: Session, weeks: Sequence[Week]) -> tuple[Wait, ...]:
    entries = session.execute(
        select(AuditEntry.subject_id, AuditEntry.event, AuditEntry.at)
        .where(
            AuditEntry.subject_kind == "conversation",
            AuditEntry.event.in_([step.value for step in Step]),
            AuditEntry.at >= weeks[0].begins - _LONGEST_WAIT,
            AuditEntry.at < weeks[-1].ends,
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return waits(HandOver(subject_id, Step(event), at) for subject_id, event, at in entries)
