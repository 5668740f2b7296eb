"""What the scheduler does about cases: alarms before an answer is due, and disputes that were never confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select

from bot.cases.clock import Alarm, alarm_on, is_worse
from bot.cases.course import OPEN, CaseAct, CaseState
from bot.cases.kinds import Family
from bot.clock import business_date
from bot.outreach.workdays import is_working_day
from bot.services import audit
from bot.services.case_record import QUEUE, lock_with_borrower, move
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.one_by_one import attempted
from bot.store.tables import CaseFile

AHEAD = timedelta(days=20)
"""How far ahead answers are looked for: further than the first alarm can come, the longest holiday included."""

DRAFT_LIVES = timedelta(hours=1)
"""A dispute that was read back and left without a yes or a no goes to a person after this."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by count."""

    alarmed: int = 0
    lapsed: int = 0


def sweep(deps: Deps, limit: int = 200) -> Swept:
    """Raise each alarm once and pass on what was left unconfirmed, one transaction each. Several may sweep at once."""
    today = business_date(deps.now())
    with deps.read() as session:
        near = session.execute(
            select(CaseFile.id, CaseFile.due_on, CaseFile.alarm)
            .where(CaseFile.state.in_([state.value for state in OPEN]), CaseFile.due_on <= today + AHEAD)
            .order_by(CaseFile.due_on, CaseFile.id)
        ).all()
        drafts = session.scalars(
            select(CaseFile.id)
            .where(CaseFile.state == CaseState.DRAFT, CaseFile.created_at <= deps.now() - DRAFT_LIVES)
            .order_by(CaseFile.created_at, CaseFile.id)
            .limit(limit)
        ).all()
    due = [
        case_id
        for case_id, last_day, alarm in near
        if last_day is not None and is_worse(alarm_on(last_day, today, is_working_day), Alarm(alarm))
    ]
    return Swept(
        alarmed=sum(_done(_alarm, deps, case_id) for case_id in due[:limit]),
        lapsed=sum(_done(_pass_on, deps, case_id) for case_id in drafts),
    )


def _done(work: Callable[[Deps, str], bool], deps: Deps, case_id: str) -> bool:
    return attempted(partial(work, deps, case_id), "case_not_seen_to", case=case_id) or False


def _alarm(deps: Deps, case_id: str) -> bool:
    """Have the conversation wait for a person again, and put on record that an answer is near its end or late."""
    today = business_date(deps.now())
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.due_on is None or case.state not in OPEN:
            return False
        alarm = alarm_on(case.due_on, today, is_working_day)
        if not is_worse(alarm, Alarm(case.alarm)):
            return False
        case.alarm = alarm.value
        audit.record(session, deps.now(), audit.SYSTEM, "case_alarm", ("case", case.id), alarm=alarm.value)
        conversation = locked(session, case.conversation_id)
        if conversation is not None:
            enqueue(session, conversation, QUEUE[Family(case.family)], deps.now())
        if alarm is Alarm.OVERDUE:
            log.warning("case_overdue", case=case.id, due_on=case.due_on.isoformat())
        return True


def _pass_on(deps: Deps, case_id: str) -> bool:
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.state != CaseState.DRAFT:
            return False
        move(session, deps, case, CaseAct.DROP, audit.SYSTEM, lapsed=True)
        conversation = locked(session, case.conversation_id)
        if conversation is not None:
            enqueue(session, conversation, QUEUE[Family.DISPUTE], deps.now())
        return True
