"""Payments as the desk's operators see them: the files that were imported, and the payments being looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.identity.masking import mask_name
from bot.services import payment_import, payment_traces
from bot.services.deps import Deps
from bot.services.payment_import import ImportReport
from bot.services.payment_traces import Received
from bot.store.tables import AuditEntry, Borrower, Operator, PaymentImport, PaymentTrace

MOST_IMPORTS = 50
MOST_TRACES = 200
RECENT = timedelta(days=62)
"""How old a payment on record may be to be put forward as the one that is looked for."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """A file that was imported. ``operator`` is the display name of who brought it, None for the command line."""

    id: str
    file_name: str
    imported_at: datetime
    row_count: int
    booked: int
    repeated: int
    rejected: int
    operator: str | None


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A payment being looked for: what was said of it, until when an answer is promised, and what it might be.

    ``borrower`` is a masked name, ``candidates`` the borrower's payments on record of late, the latest first.
    """

    id: str
    conversation_id: str
    borrower: str
    amount_fen: int | None
    paid_on: date | None
    opened_at: datetime
    answer_by: date
    is_due: bool
    candidates: tuple[Received, ...]


def imports(deps: Deps) -> tuple[ImportView, ...]:
    """Return the files imported lately, the latest first."""
    with deps.read() as session:
        rows = session.scalars(
            select(PaymentImport).order_by(PaymentImport.imported_at.desc(), PaymentImport.id).limit(MOST_IMPORTS)
        ).all()
        return tuple(
            ImportView(
                id=row.id,
                file_name=row.file_name,
                imported_at=row.imported_at,
                row_count=row.row_count,
                booked=row.booked,
                repeated=row.repeated,
                rejected=len(row.rejects),
                operator=_importer(session, row.id),
            )
            for row in rows
        )


def import_report(deps: Deps, import_id: str) -> tuple[str, ImportReport] | None:
    """Return the name of an imported file and its report; None where there is none."""
    with deps.read() as session:
        row = session.get(PaymentImport, import_id)
        return None if row is None else (row.file_name, payment_import.report_of(row))


def open_traces(deps: Deps) -> tuple[TraceRow, ...]:
    """Return the payments being looked for, those whose answer is due first at the top."""
    today = business_date(deps.now())
    with deps.read() as session:
        rows = session.scalars(
            select(PaymentTrace)
            .where(PaymentTrace.state == "open")
            .order_by(PaymentTrace.answer_by, PaymentTrace.opened_at)
            .limit(MOST_TRACES)
        ).all()
        return tuple(_trace_row(session, deps, row, today) for row in rows)


def _trace_row(session: Session, deps: Deps, row: PaymentTrace, today: date) -> TraceRow:
    borrower = session.get_one(Borrower, row.borrower_id)
    recent = [
        one for one in payment_traces.on_record(session, deps, row.borrower_id) if today - one.effective_on <= RECENT
    ]
    return TraceRow(
        id=row.id,
        conversation_id=row.conversation_id,
        borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)),
        amount_fen=row.amount_fen,
        paid_on=row.paid_on,
        opened_at=row.opened_at,
        answer_by=row.answer_by,
        is_due=row.answer_by <= today,
        candidates=tuple(recent),
    )


def _importer(session: Session, import_id: str) -> str | None:
    return session.scalar(
        select(Operator.display_name)
        .join(AuditEntry, AuditEntry.actor_id == Operator.id)
        .where(
            AuditEntry.subject_kind == "payment_import",
            AuditEntry.subject_id == import_id,
            AuditEntry.actor_kind == "operator",
        )
        .limit(1)
    )
