"""A file of payments: read row by row, each booked whole or not at all, the report printed and kept.

CSV with a header that names ``bot.services.payments.FIELDS`` in any order; further columns are ignored and named in the
report. UTF-8, with or without a byte order mark, or GB18030; lines end with LF or CRLF; separated by commas.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.services import audit, payments
from bot.services.csv_rows import CsvTable, FileRefusal, read_table
from bot.services.deps import Deps
from bot.services.payment_batch import PaymentBatch
from bot.services.payments import FIELDS, Booked, IncomingPayment, Outcome, Rejected, RejectReason, Repeated
from bot.store.tables import PaymentImport

ROWS_AT_ONCE = 2_000
"""Rows in one transaction: enough to ask the database seldom, few enough that others do not wait long."""

ROWS_TRIED_AT_ONCE = 200
"""Fewer in a dry run, where rows that have to be booked by themselves share the transaction."""

WHY = {
    RejectReason.BAD_FIELD_COUNT: "the row has more or fewer cells than the header, or a quote that never closes",
    RejectReason.BAD_REFERENCE: "reference is empty, too long or has characters that cannot be printed",
    RejectReason.BAD_DAY: "paid_on is not a day written 2026-12-31 or 2026/12/31",
    RejectReason.BAD_AMOUNT: "amount_yuan is not a number of yuan with at most two decimals, such as 1234.50",
    RejectReason.BAD_PAYMENT_ID: "payment_id is not 1 to 64 of the characters A-Z a-z 0-9 . _ : / -",
    RejectReason.BAD_SOURCE: "source is not 1 to 30 of the characters a-z 0-9 _ -",
    RejectReason.NOT_POSITIVE: "the amount is zero or negative; a payment that was taken back is not booked this way",
    RejectReason.TOO_LARGE: "the amount is above 100,000,000.00 yuan",
    RejectReason.UNKNOWN_REFERENCE: "no contract has this number",
    RejectReason.SEVERAL_DEBTS: "the contract has several debts; write CONTRACT/REFERENCE",
    RejectReason.DAY_AHEAD: "paid_on lies in the future",
    RejectReason.BEFORE_DRAWDOWN: "paid_on lies before the money was lent",
    RejectReason.DEBT_CLOSED: "nothing was owed on that day any more; look whether it has to be paid back",
    RejectReason.ID_USED_FOR_OTHER_PAYMENT: "this source and payment_id name another payment that was booked before",
    RejectReason.LEDGER_UNSOUND: "the debt's entries contradict each other; have them put right, then send it again",
}
"""Each reason in plain words, for whoever has to correct the file."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not booked: the line of the file it begins on, counted from 1, and why."""

    line: int
    reason: RejectReason

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason.value}: {WHY[self.reason]}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of a file. ``was_imported`` marks a file that had been imported before: nothing was changed.

    ``credit_lines`` are the lines of booked payments of which a part exceeds what was owed and is kept as credit.
    """

    file_hash: str
    row_count: int
    booked: int
    repeated: int
    rejects: tuple[RejectedRow, ...]
    ignored_columns: tuple[str, ...] = ()
    credit_lines: tuple[int, ...] = ()
    is_dry_run: bool = False
    was_imported: bool = False

    def to_text(self) -> str:
        """Write the report for a person: counts, then one line for each rejected row."""
        head = f"{self.row_count} rows: {self.booked} booked, {self.repeated} repeated, {len(self.rejects)} rejected"
        lines = [head, *map(str, self.rejects)]
        lines += [f"line {line}: more than was owed; the rest is kept as credit" for line in self.credit_lines]
        if self.ignored_columns:
            lines.append(f"columns not used: {', '.join(self.ignored_columns)}")
        if self.was_imported:
            lines.insert(0, "this very file was imported before; nothing was changed; its report:")
        elif self.is_dry_run:
            lines.insert(0, "dry run; nothing was changed; an import would give:")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    read: IncomingPayment | Rejected


def _batches(table: CsvTable, size: int) -> Iterator[list[_Row]]:
    """The rows in order, so many at a time."""
    while batch := [_Row(line, _read(row)) for line, row in islice(table.rows, size)]:
        yield batch


def _read(row: Mapping[str, str] | None) -> IncomingPayment | Rejected:
    return Rejected(RejectReason.BAD_FIELD_COUNT) if row is None else payments.read_payment(row)


@dataclass(slots=True)
class _Tally:
    """What has come of the rows so far."""

    row_count: int = 0
    booked: int = 0
    repeated: int = 0
    rejects: list[RejectedRow] = field(default_factory=list)
    credit_lines: list[int] = field(default_factory=list)

    def add(self, rows: Sequence[_Row], outcomes: Sequence[Outcome]) -> None:
        """Count a batch."""
        self.row_count += len(rows)
        for row, outcome in zip(rows, outcomes, strict=True):
            match outcome:
                case Booked(credit_fen=credit_fen):
                    self.booked += 1
                    if credit_fen:
                        self.credit_lines.append(row.line)
                case Repeated():
                    self.repeated += 1
                case Rejected(reason=reason):
                    self.rejects.append(RejectedRow(row.line, reason))


def import_payments(
    deps: Deps, content: bytes, file_name: str, *, is_dry_run: bool = False, operator_id: str | None = None
) -> ImportReport | FileRefusal:
    """Book the payments of a file and keep the report. The same file a second time changes nothing and says so.

    Every row is booked whole or not at all: simple ones many in a transaction, the others each in one of its own. If
    the process dies in between, importing again finds what was booked. A dry run books and takes back a few rows at a
    time, so that nobody waits for it; that a debt is closed by a row far above is the one thing it does not see.
    ``operator_id`` is who brought the file, if not the command line.
    """
    file_hash = hashlib.sha256(content).hexdigest()
    if known := _known(deps, file_hash):
        return known
    table = read_table(content, FIELDS)
    if isinstance(table, FileRefusal):
        return table
    if is_dry_run:
        return _report(file_hash, table, _tried(deps, table), is_dry_run=True)
    tally = _Tally()
    for rows in _batches(table, ROWS_AT_ONCE):
        tally.add(rows, _book(deps, rows))
    report = _report(file_hash, table, tally)
    try:
        with deps.begin() as session:
            _keep(session, deps, report, file_name, operator_id)
    except IntegrityError:  # two imported the same file at once: the other's report stands
        return _known(deps, file_hash) or report
    return report


def _book(deps: Deps, rows: Sequence[_Row]) -> list[Outcome]:
    """Book a batch: together what can be, the rest one by one."""
    read = _well_formed(rows)
    try:
        with deps.begin() as session:
            together = PaymentBatch(session, deps, read).book()
    except IntegrityError:  # somebody booked one of them between the look and the write: nothing of the batch stands
        together = [None] * len(read)
    return _in_place(rows, [done or payments.receive(deps, one) for one, done in zip(read, together, strict=True)])


def _tried(deps: Deps, table: CsvTable) -> _Tally:
    """Book every batch and take it back again; what an earlier batch would have booked is known by its numbers."""
    tally, seen = _Tally(), dict[tuple[str, str], str]()
    for rows in _batches(table, ROWS_TRIED_AT_ONCE):
        read = _well_formed(rows)
        fresh = [one for one in read if (one.source, one.payment_id) not in seen]
        with deps.begin() as session:
            together = PaymentBatch(session, deps, fresh).book()
            done = [each or payments.try_in(session, deps, one) for one, each in zip(fresh, together, strict=True)]
            session.rollback()
        outcomes = iter(done)
        tried = [
            _again(one, seen[number]) if (number := (one.source, one.payment_id)) in seen else next(outcomes)
            for one in read
        ]
        seen |= {
            (one.source, one.payment_id): one.body_hash
            for one, outcome in zip(read, tried, strict=True)
            if isinstance(outcome, Booked)
        }
        tally.add(rows, _in_place(rows, tried))
    return tally


def _again(payment: IncomingPayment, body_hash: str) -> Outcome:
    if payment.body_hash == body_hash:
        return Repeated()
    return Rejected(RejectReason.ID_USED_FOR_OTHER_PAYMENT)


def _in_place(rows: Sequence[_Row], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes of the well-formed rows, with the others at their places in between."""
    following = iter(outcomes)
    return [row.read if isinstance(row.read, Rejected) else next(following) for row in rows]


def _well_formed(rows: Sequence[_Row]) -> list[IncomingPayment]:
    return [row.read for row in rows if isinstance(row.read, IncomingPayment)]


def _report(file_hash: str, table: CsvTable, tally: _Tally, *, is_dry_run: bool = False) -> ImportReport:
    return ImportReport(
        file_hash=file_hash,
        row_count=tally.row_count,
        booked=tally.booked,
        repeated=tally.repeated,
        rejects=tuple(tally.rejects),
        ignored_columns=table.columns_besides(FIELDS),
        credit_lines=tuple(tally.credit_lines),
        is_dry_run=is_dry_run,
    )


def _keep(session: Session, deps: Deps, report: ImportReport, file_name: str, operator_id: str | None) -> None:
    rejects: list[dict[str, Any]] = [{"line": row.line, "reason": row.reason.value} for row in report.rejects]
    row = PaymentImport(
        file_hash=report.file_hash,
        file_name=file_name[-120:],
        imported_at=deps.now(),
        row_count=report.row_count,
        booked=report.booked,
        repeated=report.repeated,
        rejects=rejects,
        ignored_columns=list(report.ignored_columns),
        credit_lines=list(report.credit_lines),
    )
    session.add(row)
    session.flush()
    actor = audit.Actor("operator", operator_id) if operator_id else audit.SYSTEM
    audit.record(session, deps.now(), actor, "payments_imported", ("payment_import", row.id))


def _known(deps: Deps, file_hash: str) -> ImportReport | None:
    with deps.read() as session:
        row = session.scalar(select(PaymentImport).where(PaymentImport.file_hash == file_hash))
    return None if row is None else report_of(row)


def report_of(row: PaymentImport) -> ImportReport:
    """Return the report of a file that was imported before."""
    return ImportReport(
        file_hash=row.file_hash,
        row_count=row.row_count,
        booked=row.booked,
        repeated=row.repeated,
        rejects=tuple(RejectedRow(one["line"], RejectReason(one["reason"])) for one in row.rejects),
        ignored_columns=tuple(row.ignored_columns),
        credit_lines=tuple(row.credit_lines),
        was_imported=True,
    )
