"""The rows behind one figure of the reports, newest first, each with where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.spans import Span
from bot.identity.masking import mask_name
from bot.services import audit
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.report_measures import Measure, rows_of
from bot.services.reports import waits_in
from bot.store.tables import Borrower, Conversation

A_PAGE = 100
"""Rows shown at once."""

_CASES = frozenset({Measure.COMPLAINTS_RECEIVED, Measure.COMPLAINTS_DUE, Measure.COMPLAINTS_LATE})


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure counts: a measure over whole days, and what narrows it."""

    measure: Measure
    span: Span
    product: str = ""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row: when, whose (masked), what it is told apart by, and the case or conversation it leads to, if any.

    Where the row itself knows no conversation it leads to the borrower's latest.
    """

    at: datetime | date
    borrower: str | None
    detail: str
    case_id: str | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class FigurePage:
    """A page of rows, and how many there are in all."""

    rows: tuple[FigureRow, ...]
    count: int


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    at: datetime | date
    conversation: str | None
    borrower: str | None
    detail: str


def rows_behind(deps: Deps, operator: OperatorView, figure: Figure, page: int = 1) -> FigurePage:
    """Return the rows that a figure counts, newest first; that they were looked at is put on record."""
    start = A_PAGE * (max(page, 1) - 1)
    with deps.read() as session:
        if figure.measure is Measure.WAITED:
            found, count = _waited(session, figure, start)
        else:
            found, count = _counted(session, figure, business_date(deps.now()), start)
        rows = _shown(session, deps, figure.measure, found)
    with deps.begin() as session:
        actor = audit.Actor("operator", operator.id)
        what = figure.measure.value
        audit.record(session, deps.now(), actor, "report_rows_read", ("desk", "reports"), measure=what, rows=len(rows))
    return FigurePage(rows, count)


def _counted(session: Session, figure: Figure, today: date, start: int) -> tuple[list[_Found], int]:
    rows = rows_of(figure.measure, (figure.span,), today, figure.product)
    fits = () if figure.detail is None else (func.coalesce(rows.c.detail, "") == figure.detail,)
    count = session.scalar(select(func.count(rows.c.key.distinct())).where(*fits)) or 0
    at = func.max(rows.c.at, type_=rows.c.at.type)
    found = session.execute(
        select(rows.c.key, at, func.max(rows.c.conversation), func.max(rows.c.borrower), func.max(rows.c.detail))
        .where(*fits)
        .group_by(rows.c.key)
        .order_by(at.desc(), rows.c.key)
        .offset(start)
        .limit(A_PAGE)
    )
    return [_Found(key, when, talk, borrower, detail or "") for key, when, talk, borrower, detail in found], count


def _waited(session: Session, figure: Figure, start: int) -> tuple[list[_Found], int]:
    """Return waits, told apart by their whole minutes."""
    ended = waits_in(session, (figure.span,), figure.product)[::-1]
    found = [
        _Found(
            wait.conversation_id, wait.taken_at, wait.conversation_id, None, str(int(wait.lasted.total_seconds() // 60))
        )
        for wait in ended
    ]
    return found[start : start + A_PAGE], len(found)


def _shown(session: Session, deps: Deps, measure: Measure, found: list[_Found]) -> tuple[FigureRow, ...]:
    talks = {one.conversation for one in found if one.conversation is not None}
    whose: dict[str, str | None] = dict(
        session.execute(select(Conversation.id, Conversation.borrower_id).where(Conversation.id.in_(talks))).all()
    )
    borrowers = {one.borrower for one in found if one.borrower is not None} | {each for each in whose.values() if each}
    names: dict[str, str] = {
        borrower: mask_name(deps.vault.unseal("name", sealed))
        for borrower, sealed in session.execute(
            select(Borrower.id, Borrower.name_sealed).where(Borrower.id.in_(borrowers))
        )
    }
    latest: dict[str | None, str] = dict(
        session.execute(
            select(Conversation.borrower_id, Conversation.id)
            .where(Conversation.borrower_id.in_(borrowers))
            .order_by(Conversation.last_activity_at)
        ).all()
    )
    rows = []
    for one in found:
        borrower = one.borrower or whose.get(one.conversation or "")
        # A conversation that retention has deleted leads nowhere.
        talk = one.conversation if one.conversation in whose else latest.get(borrower)
        case_id = one.key if measure in _CASES else None
        rows.append(FigureRow(one.at, names.get(borrower or ""), one.detail, case_id, talk))
    return tuple(rows)
