"""Deleting what the desk recorded around the talk: closed cases, sent notices, ended holds, what reviewing brought.

Whatever belongs to somebody who still owes stays until everything is settled (rule A2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseState, keeps_silence
from bot.cases.kinds import Family
from bot.lending.schedule import add_months
from bot.services import approval_notes, audit
from bot.services.accounts import portfolio_of
from bot.services.case_record import empty_file
from bot.services.deps import Deps
from bot.services.proof import DeskWork, Purpose
from bot.store import tables as t

AT_ONCE = 200
"""Rows deleted in one transaction, so that writers are not kept waiting."""

_MONTHS = 12
Key = TypeVar("Key", str, int)


def years_ago(deps: Deps, years: int) -> datetime:
    """Return the instant (aware, UTC) so many calendar years before now."""
    now = deps.now()
    return datetime.combine(add_months(now.date(), -years * _MONTHS, now.day), now.timetz())


def owes(session: Session, deps: Deps, borrower_id: str) -> bool:
    """Whether a borrower has a debt that is not settled."""
    return bool(portfolio_of(session, deps, DeskWork(borrower_id, Purpose.RETENTION)).open_debts)


def cases(deps: Deps) -> int:
    """Delete cases that were closed long ago, with all that was told and brought for them; returns how many.

    A dispute that was found right and whose account has not been corrected is not closed.
    """
    before = years_ago(deps, deps.retention.record_years)
    with deps.read() as session:
        found = session.execute(
            select(t.CaseFile.id, t.CaseFile.borrower_id, t.CaseFile.family, t.CaseFile.state).where(
                t.CaseFile.state.not_in([state.value for state in OPEN]),
                t.CaseFile.created_at < before,
                or_(t.CaseFile.decided_at.is_(None), t.CaseFile.decided_at < before),
            )
        ).all()
        over = [row for row in found if not keeps_silence(Family(row.family), CaseState(row.state))]
        gone = _of_nobody_who_owes(session, deps, [(row.id, row.borrower_id) for row in over])
    return _in_portions(deps, gone, _delete_cases)


def evidence_files(deps: Deps) -> int:
    """Empty the files of cases that ended, and of requests that were decided or lapsed, some days ago.

    Returns how many. That there was one stays on record, with its hash; its content and its name do not. A dispute that
    was found right and whose account has not been corrected has not ended.
    """
    before = deps.now() - timedelta(days=deps.retention.evidence_days)
    return _case_files(deps, before) + _proof(deps, before)


def _case_files(deps: Deps, before: datetime) -> int:
    with deps.read() as session:
        found = session.execute(
            select(t.CaseNote.id, t.CaseFile.family, t.CaseFile.state)
            .join(t.CaseFile, t.CaseFile.id == t.CaseNote.case_id)
            .where(
                t.CaseNote.content_sealed.is_not(None),
                t.CaseNote.created_at < before,
                t.CaseFile.state.not_in([state.value for state in OPEN]),
                or_(t.CaseFile.decided_at.is_(None), t.CaseFile.decided_at < before),
            )
        ).all()
    ended = [row.id for row in found if not keeps_silence(Family(row.family), CaseState(row.state))]

    def empty(session: Session, ids: Sequence[str]) -> int:
        there = select(t.CaseNote).where(t.CaseNote.id.in_(ids), t.CaseNote.content_sealed.is_not(None))
        notes = session.scalars(there.order_by(t.CaseNote.id).with_for_update()).all()
        for note in notes:
            empty_file(session, deps, note, audit.SYSTEM)
        return len(notes)

    return _in_portions(deps, ended, empty)


def _proof(deps: Deps, before: datetime) -> int:
    with deps.read() as session:
        ended = session.scalars(
            select(t.ApprovalNote.id)
            .join(t.Approval, t.Approval.id == t.ApprovalNote.approval_id)
            .where(
                t.ApprovalNote.media_type.is_not(None),
                func.coalesce(t.Approval.decided_at, t.Approval.expires_at) < before,
            )
        ).all()

    def empty(session: Session, ids: Sequence[str]) -> int:
        there = select(t.ApprovalNote).where(t.ApprovalNote.id.in_(ids), t.ApprovalNote.media_type.is_not(None))
        notes = session.scalars(there.order_by(t.ApprovalNote.id).with_for_update()).all()
        for note in notes:
            approval_notes.delete_file(session, deps, note, audit.SYSTEM)
        return len(notes)

    return _in_portions(deps, ended, empty)


def sent_notices(deps: Deps) -> int:
    """Delete the records of notices that were sent long ago; what they said goes with the talk. Returns how many."""
    before = years_ago(deps, deps.retention.record_years)
    with deps.read() as session:
        rows = session.execute(
            select(t.Reminder.id, t.Reminder.borrower_id).where(
                t.Reminder.state == "sent", t.Reminder.decided_at < before, t.Reminder.message_id.is_(None)
            )
        ).all()
        gone = _of_nobody_who_owes(session, deps, [(row.id, row.borrower_id) for row in rows])
    return _in_portions(deps, gone, _delete_notices)


def holds(deps: Deps) -> int:
    """Delete holds that ended long ago and that no case on record names; returns how many."""
    before = years_ago(deps, deps.retention.record_years)
    with deps.read() as session:
        rows = session.execute(
            select(t.Hold.id, t.Hold.borrower_id, t.Conversation.borrower_id)
            .outerjoin(t.Conversation, t.Conversation.id == t.Hold.conversation_id)
            .where(or_(t.Hold.lifted_at < before, t.Hold.until < before))
        ).all()
        named = {hold_id for ids in session.scalars(select(t.CaseFile.hold_ids)) for hold_id in ids}
        ended = [(row[0], row[1] or row[2]) for row in rows if row[0] not in named]
        gone = _of_nobody_who_owes(session, deps, ended)
    return _in_portions(deps, gone, _delete_holds)


def call_backs(deps: Deps) -> int:
    """Delete calls that were settled long ago; returns how many."""
    before = years_ago(deps, deps.retention.record_years)
    with deps.read() as session:
        rows = session.execute(select(t.CallBack.id, t.CallBack.borrower_id).where(t.CallBack.settled_at < before))
        gone = _of_nobody_who_owes(session, deps, [(row.id, row.borrower_id) for row in rows])
    return _in_portions(deps, gone, _delete_call_backs)


def reviews(deps: Deps) -> int:
    """Delete scorecards that were filled in long ago, or drawn then and never filled in; returns how many."""
    before = years_ago(deps, deps.retention.record_years)
    with deps.begin() as session:
        old = func.coalesce(t.QualityReview.done_at, t.QualityReview.drawn_at) < before
        return len(session.scalars(delete(t.QualityReview).where(old).returning(t.QualityReview.id)).all())


def findings(deps: Deps) -> int:
    """Delete flaws that the automatic checks found long ago; returns how many."""
    before = years_ago(deps, deps.retention.record_years)
    with deps.begin() as session:
        gone = delete(t.TalkFinding).where(t.TalkFinding.at < before).returning(t.TalkFinding.id)
        return len(session.scalars(gone).all())


def _of_nobody_who_owes(session: Session, deps: Deps, rows: Sequence[tuple[Key, str | None]]) -> list[Key]:
    owing = {whose for whose in {whose for _, whose in rows} if whose is not None and owes(session, deps, whose)}
    return [key for key, whose in rows if whose not in owing]


def _in_portions(deps: Deps, keys: Sequence[Key], delete_some: Callable[[Session, Sequence[Key]], int]) -> int:
    """Delete a portion at a time; returns how many were really there: another run may have been at the same rows."""
    deleted = 0
    for start in range(0, len(keys), AT_ONCE):
        with deps.begin() as session:
            deleted += delete_some(session, keys[start : start + AT_ONCE])
    return deleted


def _delete_cases(session: Session, ids: Sequence[str]) -> int:
    session.execute(delete(t.CaseNote).where(t.CaseNote.case_id.in_(ids)))
    return len(session.scalars(delete(t.CaseFile).where(t.CaseFile.id.in_(ids)).returning(t.CaseFile.id)).all())


def _delete_notices(session: Session, ids: Sequence[str]) -> int:
    return len(session.scalars(delete(t.Reminder).where(t.Reminder.id.in_(ids)).returning(t.Reminder.id)).all())


def _delete_holds(session: Session, ids: Sequence[str]) -> int:
    return len(session.scalars(delete(t.Hold).where(t.Hold.id.in_(ids)).returning(t.Hold.id)).all())


def _delete_call_backs(session: Session, ids: Sequence[str]) -> int:
    return len(session.scalars(delete(t.CallBack).where(t.CallBack.id.in_(ids)).returning(t.CallBack.id)).all())
