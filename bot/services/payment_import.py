"""A file of payments: read row by row, each row booked whole or not at all, the report printed and kept.

CSV with a header that names ``bot.services.payments.FIELDS`` in any order; further columns are ignored and named in the
report. UTF-8, with or without a byte order mark, or GB18030; lines end with LF or CRLF; separated by commas.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.services import audit, payments
from bot.services.deps import Deps
from bot.services.payments import FIELDS, Booked, IncomingPayment, Outcome, Rejected, RejectReason, Repeated
from bot.store.tables import PaymentImport

LARGEST_FILE_BYTES = 32 * 1024 * 1024

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
}
"""Each reason in plain words, for whoever has to correct the file."""


class FileRefusal(StrEnum):
    """Why a file was not read at all; nothing was changed."""

    EMPTY = "the file is empty"
    TOO_LARGE = "the file is larger than 32 MiB; split it"
    UNREADABLE_TEXT = "the file is neither UTF-8 nor GB18030 text"
    WRONG_HEADER = f"the first line must name each of these columns once: {', '.join(FIELDS)}"


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


@dataclass(frozen=True, slots=True)
class _Table:
    rows: tuple[_Row, ...]
    ignored_columns: tuple[str, ...]


def import_payments(
    deps: Deps, content: bytes, file_name: str, *, is_dry_run: bool = False
) -> ImportReport | FileRefusal:
    """Book the payments of a file and keep the report. The same file a second time changes nothing and says so.

    Every row is a transaction of its own: if the process dies in between, importing again finds what was booked.
    A dry run does the same in one transaction, which is then rolled back.
    """
    file_hash = hashlib.sha256(content).hexdigest()
    if known := _known(deps, file_hash):
        return known
    table = _read(content)
    if isinstance(table, FileRefusal):
        return table
    if is_dry_run:
        return _report(file_hash, table, _tried(deps, table), is_dry_run=True)
    outcomes = [row.read if isinstance(row.read, Rejected) else payments.receive(deps, row.read) for row in table.rows]
    report = _report(file_hash, table, outcomes)
    try:
        with deps.begin() as session:
            _keep(session, deps, report, file_name)
    except IntegrityError:  # two imported the same file at once: the other's report stands
        return _known(deps, file_hash) or report
    return report


def _tried(deps: Deps, table: _Table) -> list[Outcome]:
    with deps.begin() as session:
        outcomes = [
            row.read if isinstance(row.read, Rejected) else payments.receive_in(session, deps, row.read)
            for row in table.rows
        ]
        session.rollback()
    return outcomes


def _read(content: bytes) -> _Table | FileRefusal:
    if len(content) > LARGEST_FILE_BYTES:
        return FileRefusal.TOO_LARGE
    text = _text(content)
    if text is None:
        return FileRefusal.UNREADABLE_TEXT
    if not text.strip():
        return FileRefusal.EMPTY
    rows = _numbered(text)
    first = next(rows, None)
    header = [cell.strip() for cell in first[1]] if first is not None and first[1] is not None else []
    if any(header.count(name) != 1 for name in FIELDS):
        return FileRefusal.WRONG_HEADER
    found: list[_Row] = []
    for line, cells in rows:
        if cells is None or len(cells) != len(header):
            found.append(_Row(line, Rejected(RejectReason.BAD_FIELD_COUNT)))
        else:
            fields = {name: cell for name, cell in zip(header, cells, strict=True) if name in FIELDS}
            found.append(_Row(line, payments.read_payment(fields)))
    return _Table(tuple(found), tuple(name for name in header if name not in FIELDS))


def _text(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _numbered(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each row that is not blank with the line it begins on; None for one that cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _report(file_hash: str, table: _Table, outcomes: list[Outcome], *, is_dry_run: bool = False) -> ImportReport:
    pairs = [(row.line, outcome) for row, outcome in zip(table.rows, outcomes, strict=True)]
    return ImportReport(
        file_hash=file_hash,
        row_count=len(pairs),
        booked=sum(isinstance(outcome, Booked) for _, outcome in pairs),
        repeated=sum(isinstance(outcome, Repeated) for _, outcome in pairs),
        rejects=tuple(RejectedRow(line, outcome.reason) for line, outcome in pairs if isinstance(outcome, Rejected)),
        ignored_columns=table.ignored_columns,
        credit_lines=tuple(line for line, outcome in pairs if isinstance(outcome, Booked) and outcome.credit_fen),
        is_dry_run=is_dry_run,
    )


def _keep(session: Session, deps: Deps, report: ImportReport, file_name: str) -> None:
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
    audit.record(session, deps.now(), audit.SYSTEM, "payments_imported", ("payment_import", row.id))


def _known(deps: Deps, file_hash: str) -> ImportReport | None:
    with deps.read() as session:
        row = session.scalar(select(PaymentImport).where(PaymentImport.file_hash == file_hash))
    if row is None:
        return None
    return ImportReport(
        file_hash=file_hash,
        row_count=row.row_count,
        booked=row.booked,
        repeated=row.repeated,
        rejects=tuple(RejectedRow(one["line"], RejectReason(one["reason"])) for one in row.rejects),
        ignored_columns=tuple(row.ignored_columns),
        credit_lines=tuple(row.credit_lines),
        was_imported=True,
    )
