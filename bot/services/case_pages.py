"""Cases as the desk's operators see them: the list, one case with all that was told for it, its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.cases.clock import Alarm, act_by, alarm_on, most_extensions
from bot.cases.course import OPEN, CaseAct, CaseState, keeps_silence, possible
from bot.cases.evidence import Evidence, evidence_for
from bot.cases.kinds import CaseKind, Family
from bot.clock import business_date
from bot.identity.masking import mask_name
from bot.identity.roles import Permission, may
from bot.outreach.workdays import is_working_day
from bot.services import audit
from bot.services.accounts import DebtView, portfolio_of
from bot.services.case_desk import ACTS, is_allowed
from bot.services.case_record import extended, seal_for
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import AuditEntry, Borrower, CaseFile, CaseNote, Operator

MOST_LISTED = 300

_QUIET_EVENTS = ("case_read", "case_file_read")

_WITH_PEOPLE = (
    select(CaseFile, Borrower, Operator)
    .outerjoin(Borrower, Borrower.id == CaseFile.borrower_id)
    .outerjoin(Operator, Operator.id == CaseFile.assigned_to)
)


class Show(StrEnum):
    """Which cases the list shows."""

    OPEN = "open"
    FINDINGS = "findings"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the list. ``act_by`` is the last working day before the answer is due; ``borrower`` is masked."""

    id: str
    number: str
    family: Family
    kind: CaseKind | None
    state: CaseState
    borrower: str | None
    received_on: date
    due_on: date
    act_by: date
    alarm: Alarm
    assigned_to: str | None
    finding_waits: bool


@dataclass(frozen=True, slots=True)
class NoteView:
    """One line of what was told, noted or brought; ``author`` None is the borrower."""

    id: str
    kind: str
    text: str
    author: str | None
    at: datetime
    media_type: str | None


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that happened to a case; ``by`` is an operator's name, None for the borrower or the desk itself."""

    event: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Everything about a case. ``acts`` are those this operator may do now; ``may_extend`` by how many days it goes."""

    row: CaseRow
    conversation_id: str
    debts: tuple[DebtView, ...]
    notes: tuple[NoteView, ...]
    events: tuple[EventView, ...]
    evidence: tuple[Evidence, ...]
    wanted: str | None
    reason: str | None
    acts: tuple[CaseAct, ...]
    extended_to: date | None
    is_silencing: bool
    may_see_finding: bool


def listing(deps: Deps, show: Show, kind: CaseKind | None = None) -> tuple[CaseRow, ...]:
    """Return cases: open ones by the day an answer is due, findings nobody has seen, or the last that were closed."""
    case = CaseFile
    numbered = _WITH_PEOPLE.where(case.number.is_not(None)).limit(MOST_LISTED)
    if kind is not None:
        numbered = numbered.where(case.kind == kind.value)
    is_open = case.state.in_([state.value for state in OPEN])
    query = {
        Show.OPEN: numbered.where(is_open).order_by(case.due_on, case.created_at),
        Show.FINDINGS: numbered.where(_finding_waits()).order_by(case.finding_at),
        Show.CLOSED: numbered.where(~is_open).order_by(case.decided_at.desc().nulls_last(), case.created_at.desc()),
    }[show]
    with deps.read() as session:
        return tuple(_row(deps, *found) for found in session.execute(query))


def counts(deps: Deps) -> dict[Show, int]:
    """Return how many cases are open, and how many findings wait for a supervisor."""
    with deps.read() as session:
        total = select(func.count()).select_from(CaseFile).where(CaseFile.number.is_not(None))
        return {
            Show.OPEN: session.scalar(total.where(CaseFile.state.in_([state.value for state in OPEN]))) or 0,
            Show.FINDINGS: session.scalar(total.where(_finding_waits())) or 0,
        }


def open_page(deps: Deps, operator: OperatorView, case_id: str) -> CasePage | None:
    """Return a case to an operator, and put on record that they read it; None where there is none."""
    with deps.begin() as session:
        found = session.execute(_WITH_PEOPLE.where(CaseFile.id == case_id, CaseFile.number.is_not(None))).one_or_none()
        if found is None:
            return None
        case, borrower, assigned = found
        reader = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), reader, "case_read", ("case", case.id))
        debts: tuple[DebtView, ...] = ()
        if case.borrower_id and case.debt_ids:
            debts = portfolio_of(session, deps, DeskWork(case.borrower_id, Purpose.CASE)).debts
        return CasePage(
            row=_row(deps, case, borrower, assigned),
            conversation_id=case.conversation_id,
            debts=tuple(debt for debt in debts if debt.debt_id in case.debt_ids),
            notes=_notes(session, deps, case),
            events=_events(session, case),
            evidence=evidence_for(CaseKind(case.kind)) if case.kind else (),
            wanted=_opened(deps, case, case.wanted_sealed),
            reason=_opened(deps, case, case.reason_sealed),
            acts=_acts(operator, case),
            extended_to=extended(case) if _may_extend(deps, operator, case) else None,
            is_silencing=keeps_silence(Family(case.family), CaseState(case.state)),
            may_see_finding=case.finding_at is not None
            and case.finding_seen_by is None
            and may(operator.role, Permission.DECIDE_CASES),
        )


def _acts(operator: OperatorView, case: CaseFile) -> tuple[CaseAct, ...]:
    now_possible = possible(Family(case.family), CaseState(case.state))
    return tuple(what for what in ACTS if what in now_possible and is_allowed(operator, what))


def _may_extend(deps: Deps, operator: OperatorView, case: CaseFile) -> bool:
    return (
        case.state in OPEN
        and case.due_on is not None
        and business_date(deps.now()) <= case.due_on
        and case.extensions < most_extensions(Family(case.family))
        and may(operator.role, Permission.DECIDE_CASES)
    )


def _row(deps: Deps, case: CaseFile, borrower: Borrower | None, assigned: Operator | None) -> CaseRow:
    today, state = business_date(deps.now()), CaseState(case.state)
    due, received = case.due_on or today, case.received_on or today
    return CaseRow(
        id=case.id,
        number=case.number or "",
        family=Family(case.family),
        kind=CaseKind(case.kind) if case.kind else None,
        state=state,
        borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)) if borrower is not None else None,
        received_on=received,
        due_on=due,
        act_by=act_by(due, is_working_day),
        alarm=alarm_on(due, today, is_working_day) if state in OPEN else Alarm.NONE,
        assigned_to=assigned.display_name if assigned is not None else None,
        finding_waits=case.finding_at is not None and case.finding_seen_by is None,
    )


def _notes(session: Session, deps: Deps, case: CaseFile) -> tuple[NoteView, ...]:
    rows = session.execute(
        select(CaseNote, Operator.display_name)
        .outerjoin(Operator, Operator.id == CaseNote.operator_id)
        .where(CaseNote.case_id == case.id)
        .order_by(CaseNote.created_at, CaseNote.id)
    )
    return tuple(
        NoteView(
            id=row.id,
            kind=row.kind,
            text=deps.vault.unseal(seal_for(case.id), row.text_sealed),
            author=name,
            at=row.created_at,
            media_type=row.media_type,
        )
        for row, name in rows
    )


def _events(session: Session, case: CaseFile) -> tuple[EventView, ...]:
    rows = session.execute(
        select(AuditEntry, Operator.display_name)
        .outerjoin(Operator, Operator.id == AuditEntry.actor_id)
        .where(
            AuditEntry.subject_kind == "case",
            AuditEntry.subject_id == case.id,
            AuditEntry.event.not_in(_QUIET_EVENTS),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return tuple(EventView(entry.event.removeprefix("case_"), entry.at, name) for entry, name in rows)


def _opened(deps: Deps, case: CaseFile, sealed: str | None) -> str | None:
    return deps.vault.unseal(seal_for(case.id), sealed) if sealed is not None else None


def _finding_waits() -> ColumnElement[bool]:
    return CaseFile.finding_at.is_not(None) & CaseFile.finding_seen_by.is_(None)
