"""Payments from the lender, one by one and in files, against both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot import cli
from bot.clock import business_date
from bot.lending.accrual import accrue
from bot.lending.ledger import Entry, EntryKind
from bot.services import accounts, csv_rows, payment_import, payments
from bot.services.accounts import DebtView
from bot.services.csv_rows import FileRefusal
from bot.services.deps import Deps
from bot.services.payment_batch import PaymentBatch
from bot.services.payment_import import ImportReport, RejectedRow, import_payments
from bot.services.payments import Booked, IncomingPayment, Rejected, RejectReason, Repeated, read_payment
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import AuditEntry, Contract, Debt, LedgerEntry, Payment, PaymentImport
from tests.builders.accounts import a_debt_of, an_entry
from tests.builders.desk import NOON, SetClock, a_borrower, a_debt
from tests.builders.payments import HEADER, a_payment_of, a_row
from tests.builders.threads import at_once

GOOD = {
    "reference": "HT-1",
    "paid_on": "2026-11-20",
    "amount_yuan": "1234.50",
    "payment_id": "20261120-7",
    "source": "bank",
}


@pytest.fixture
def debt(deps: Deps, borrower: str) -> str:
    return a_debt(deps, borrower, 100_000)


def view_of(deps: Deps, borrower: str, debt: str, as_of: date | None = None) -> DebtView:
    with deps.begin() as session:
        owed = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT), as_of)
    return next(view for view in owed.debts if view.debt_id == debt)


def count_of(deps: Deps, table: type[Any]) -> int:
    with deps.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def days_ago(deps: Deps, days: int) -> date:
    return business_date(deps.now()) - timedelta(days=days)


def a_file(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def imported(deps: Deps, content: bytes, **options: bool) -> ImportReport:
    report = import_payments(deps, content, "payments.csv", **options)
    assert isinstance(report, ImportReport), report
    return report


# Reading -------------------------------------------------------------------------------------------------------------


def test_a_payment_is_read_field_by_field() -> None:
    assert read_payment(GOOD) == IncomingPayment("HT-1", date(2026, 11, 20), 123_450, "20261120-7", "bank")


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("1234.5", 123_450),
        ("1234", 123_400),
        ("¥1,234.50", 123_450),
        ("￥1,234,567.89", 123_456_789),
        (" 0.01 ", 1),
        ("0007", 700),
    ],
)
def test_an_amount_is_read_exactly(written: str, fen: int) -> None:
    read = read_payment({**GOOD, "amount_yuan": written})
    assert isinstance(read, IncomingPayment)
    assert read.amount_fen == fen


@pytest.mark.parametrize(
    ("field", "written", "reason"),
    [
        *[
            ("amount_yuan", text, RejectReason.BAD_AMOUNT)
            for text in (
                "",
                "1,23",
                "12,34.50",
                "1.234,50",
                "1.005",
                "1e3",
                "１００",
                "100元",
                "$5",
                "nan",
                "1 000",
                ".5",
            )
        ],
        ("amount_yuan", "0", RejectReason.NOT_POSITIVE),
        ("amount_yuan", "0.00", RejectReason.NOT_POSITIVE),
        ("amount_yuan", "-5.00", RejectReason.NOT_POSITIVE),
        ("amount_yuan", "100000000.01", RejectReason.TOO_LARGE),
        *[
            ("paid_on", text, RejectReason.BAD_DAY)
            for text in (
                "",
                "2026-2-3",
                "20261120",
                "2026-02-30",
                "20/11/2026",
                "2026-11/20",
                "2026-11-20T00:00",
                "昨天",
            )
        ],
        ("reference", "", RejectReason.BAD_REFERENCE),
        ("reference", "x" * 61, RejectReason.BAD_REFERENCE),
        ("reference", "HT\x001", RejectReason.BAD_REFERENCE),
        ("reference", "\ud800", RejectReason.BAD_REFERENCE),
        ("payment_id", "", RejectReason.BAD_PAYMENT_ID),
        ("payment_id", "a b", RejectReason.BAD_PAYMENT_ID),
        ("payment_id", "x" * 65, RejectReason.BAD_PAYMENT_ID),
        ("source", "Bank", RejectReason.BAD_SOURCE),
        ("source", "x" * 31, RejectReason.BAD_SOURCE),
    ],
)
def test_what_is_written_otherwise_is_rejected_by_field(field: str, written: str, reason: RejectReason) -> None:
    assert read_payment({**GOOD, field: written}) == Rejected(reason)


@pytest.mark.parametrize("value", [None, 5, 5.0, True, [], {}])
def test_what_is_no_text_is_rejected(value: object) -> None:
    assert read_payment({**GOOD, "amount_yuan": value}) == Rejected(RejectReason.BAD_AMOUNT)


def test_the_longest_key_fits_the_ledger() -> None:
    assert len(IncomingPayment("r", date.min, 1, "x" * 64, "y" * 30).ledger_key) <= 120


# Booking -------------------------------------------------------------------------------------------------------------


def test_a_payment_lowers_what_is_owed_and_is_on_record(deps: Deps, borrower: str, debt: str) -> None:
    assert payments.receive(deps, a_payment_of(deps, debt, 30_000)) == Booked()
    view = view_of(deps, borrower, debt)
    assert (view.statement.balances.total_fen, view.last_payment_fen) == (70_000, 30_000)
    with deps.begin() as session:
        assert session.scalar(select(AuditEntry.detail).where(AuditEntry.event == "payment_booked")) == {
            "source": "bank"
        }


def test_the_same_payment_again_is_no_payment(deps: Deps, borrower: str, debt: str) -> None:
    payment = a_payment_of(deps, debt, 30_000)
    payments.receive(deps, payment)
    assert payments.receive(deps, payment) == Repeated()
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 70_000


@pytest.mark.parametrize("change", [{"amount_fen": 30_001}, {"paid_on": NOON.date() - timedelta(days=1)}])
def test_the_same_number_for_something_else_is_rejected(
    deps: Deps, borrower: str, debt: str, change: dict[str, Any]
) -> None:
    first = a_payment_of(deps, debt, 30_000)
    other = {"reference": first.reference, "paid_on": first.paid_on, "amount_fen": first.amount_fen, **change}
    payments.receive(deps, first)
    again = IncomingPayment(**other, payment_id=first.payment_id, source=first.source)
    assert payments.receive(deps, again) == Rejected(RejectReason.ID_USED_FOR_OTHER_PAYMENT)
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 70_000


def test_the_same_number_from_another_source_is_another_payment(deps: Deps, borrower: str, debt: str) -> None:
    first = a_payment_of(deps, debt, 30_000)
    payments.receive(deps, first)
    other = IncomingPayment(first.reference, first.paid_on, 30_000, first.payment_id, "counter")
    assert payments.receive(deps, other) == Booked()
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 40_000


def test_reported_by_several_at_once_it_is_booked_once(deps: Deps, borrower: str, debt: str) -> None:
    payment = a_payment_of(deps, debt, 30_000)
    outcomes = at_once(4, lambda _: payments.receive(deps, payment))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Booked", "Repeated", "Repeated", "Repeated"]
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 70_000


def test_one_number_for_two_debts_at_once_is_booked_on_one(deps: Deps, borrower: str, debt: str) -> None:
    other = a_debt(deps, a_borrower(deps, "李二", "13800000002", "110101199001010022"), 100_000)
    both = [a_payment_of(deps, each, 10_000, payment_id="same") for each in (debt, other)]
    outcomes = at_once(2, lambda turn: payments.receive(deps, both[turn]))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Booked", "Rejected"]
    assert count_of(deps, Payment) == 1


@pytest.mark.parametrize("reference", ["nothing", "尾号1001"])
def test_a_reference_that_names_no_contract_is_rejected(deps: Deps, debt: str, reference: str) -> None:
    payment = IncomingPayment(reference, business_date(deps.now()), 1, "1", "bank")
    assert payments.receive(deps, payment) == Rejected(RejectReason.UNKNOWN_REFERENCE)


def test_the_last_digits_alone_name_nobody(deps: Deps, debt: str) -> None:
    with deps.begin() as session:
        tail = session.get_one(Debt, debt).reference
    payment = IncomingPayment(tail, business_date(deps.now()), 1, "1", "bank")
    assert payments.receive(deps, payment) == Rejected(RejectReason.UNKNOWN_REFERENCE)


def test_of_several_debts_of_a_contract_one_has_to_be_named(deps: Deps, borrower: str, debt: str) -> None:
    with deps.begin() as session:
        contract = session.scalars(select(Contract)).one()
        second = Debt(contract_id=contract.id, borrower_id=borrower, reference="B", due_on=NOON.date())
        session.add(second)
        session.flush()
        lent = an_entry("lent", EntryKind.DRAWDOWN, 50_000, days_ago(deps, 20))
        assert accounts.book(session, second.id, lent) is None
        number, second_id = contract.number, second.id
    today = business_date(deps.now())
    assert payments.receive(deps, IncomingPayment(number, today, 10, "1", "bank")) == Rejected(
        RejectReason.SEVERAL_DEBTS
    )
    assert payments.receive(deps, IncomingPayment(f"{number}/B", today, 10, "1", "bank")) == Booked()
    assert view_of(deps, borrower, second_id).statement.balances.total_fen == 49_990


@pytest.mark.parametrize(
    ("days", "reason"), [(-1, RejectReason.DAY_AHEAD), (91, RejectReason.BEFORE_DRAWDOWN), (90, None), (0, None)]
)
def test_a_day_ahead_and_a_day_before_the_loan_are_rejected(
    deps: Deps, debt: str, days: int, reason: RejectReason | None
) -> None:
    outcome = payments.receive(deps, a_payment_of(deps, debt, 10, days_ago(deps, days)))
    assert outcome == (Booked() if reason is None else Rejected(reason))


def test_what_exceeds_the_debt_is_kept_as_credit_and_said(deps: Deps, borrower: str, debt: str) -> None:
    assert payments.receive(deps, a_payment_of(deps, debt, 100_700)) == Booked(credit_fen=700)
    balances = view_of(deps, borrower, debt).statement.balances
    assert (balances.total_fen, balances.credit_fen) == (0, 700)


def test_a_debt_that_was_closed_takes_nothing_but_what_was_paid_before(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    payments.receive(deps, a_payment_of(deps, debt, 100_000))
    clock.move(timedelta(days=2))
    closed = payments.receive(deps, a_payment_of(deps, debt, 500))
    assert closed == Rejected(RejectReason.DEBT_CLOSED)
    earlier = a_payment_of(deps, debt, 500, days_ago(deps, 5))
    assert payments.receive(deps, earlier) == Booked(credit_fen=500)


def test_a_late_arrival_leaves_the_interest_as_if_it_had_been_on_time(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    on_time, late = a_debt_of(deps, borrower), a_debt_of(deps, borrower)
    day = days_ago(deps, 70)
    payments.receive(deps, a_payment_of(deps, on_time, 400_000, day))
    for debt in (on_time, late):
        book_monthly_interest(deps, debt)
    payments.receive(deps, a_payment_of(deps, late, 400_000, day))
    assert view_of(deps, borrower, late).statement.balances == view_of(deps, borrower, on_time).statement.balances
    for ago in (69, 60, 45, 30, 1):
        then = days_ago(deps, ago)
        assert (
            view_of(deps, borrower, late, then).statement.balances
            == view_of(deps, borrower, on_time, then).statement.balances
        )
    with deps.begin() as session:
        kinds = [entry.kind for entry in accounts.ledger_of(session, late)]
    assert EntryKind.REVERSAL in kinds


def test_a_payment_whose_ledger_cannot_be_counted_is_rejected_and_those_beside_it_are_booked(
    deps: Deps, borrower: str, debt: str
) -> None:
    other = a_debt(deps, a_borrower(deps, "李二", "13800000002", "110101199001010022"), 100_000)
    with deps.begin() as session:
        lent = session.scalars(select(LedgerEntry.key).where(LedgerEntry.debt_id == debt)).one()
        for key in ("back", "back again"):  # one entry taken back twice
            entry = Entry(key, EntryKind.REVERSAL, 100_000, days_ago(deps, 10), deps.now(), "test", reverses=lent)
            assert accounts.book(session, debt, entry) is None
            session.flush()
    content = a_file(a_row(deps, debt, amount_yuan="1"), a_row(deps, other))
    tried = imported(deps, content, is_dry_run=True)
    done = imported(deps, content)
    for report in (tried, done):
        assert (report.booked, report.rejects) == (1, (RejectedRow(2, RejectReason.LEDGER_UNSOUND),))
    assert count_of(deps, Payment) == 1
    assert payments.receive(deps, a_payment_of(deps, debt, 100)) == Rejected(RejectReason.LEDGER_UNSOUND)


def book_monthly_interest(deps: Deps, debt: str) -> None:
    with deps.begin() as session:
        row = session.get_one(Debt, debt)
        terms, since = accounts.terms_of(row.contract), row.contract.signed_on
        for ago in (90, 60, 30):
            until = days_ago(deps, ago)
            for entry in accrue(terms, accounts.ledger_of(session, debt), since, until, row.due_on, deps.now()):
                assert accounts.book(session, debt, entry) is None
            session.flush()
            since = until


# Files ---------------------------------------------------------------------------------------------------------------


def test_a_file_is_booked_row_by_row_and_its_report_is_kept(deps: Deps, borrower: str, debt: str) -> None:
    content = a_file(
        a_row(deps, debt, payment_id="1"),
        a_row(deps, debt, payment_id="2", amount_yuan="-3"),
        a_row(deps, debt, payment_id="1"),
        a_row(deps, debt, payment_id="1", amount_yuan="5"),
        "too,short",
    )
    report = imported(deps, content)
    assert (report.row_count, report.booked, report.repeated) == (5, 1, 1)
    assert report.rejects == (
        RejectedRow(3, RejectReason.NOT_POSITIVE),
        RejectedRow(5, RejectReason.ID_USED_FOR_OTHER_PAYMENT),
        RejectedRow(6, RejectReason.BAD_FIELD_COUNT),
    )
    assert "5 rows: 1 booked, 1 repeated, 3 rejected" in report.to_text()
    assert "line 3: not_positive: the amount is zero or negative" in report.to_text()
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 90_000
    with deps.begin() as session:
        kept = session.scalars(select(PaymentImport)).one()
        assert (kept.row_count, kept.booked, kept.repeated, len(kept.rejects)) == (5, 1, 1, 3)
        assert kept.file_hash == report.file_hash


def test_the_same_file_again_changes_nothing_and_says_so(deps: Deps, borrower: str, debt: str) -> None:
    content = a_file(a_row(deps, debt), a_row(deps, debt, amount_yuan="2000"), "too,short")
    first = imported(deps, content)
    again = imported(deps, content)
    assert again.was_imported
    assert "nothing was changed" in again.to_text()
    assert (again.booked, again.rejects, again.credit_lines) == (first.booked, first.rejects, (3,))
    assert count_of(deps, PaymentImport) == 1
    assert count_of(deps, Payment) == 2


def test_the_same_file_imported_at_once_is_booked_once(deps: Deps, borrower: str, debt: str) -> None:
    content = a_file(*[a_row(deps, debt) for _ in range(3)])
    at_once(3, lambda _: imported(deps, content))
    assert (count_of(deps, PaymentImport), count_of(deps, Payment)) == (1, 3)
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 70_000


def test_after_a_crash_in_the_middle_importing_again_books_what_is_missing(
    deps: Deps, borrower: str, debt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = a_file(*[a_row(deps, debt) for _ in range(3)])
    book, calls = PaymentBatch.book, []

    def die_at_the_second(batch: PaymentBatch) -> list[payments.Outcome | None]:
        calls.append(batch)
        if len(calls) == 2:
            raise SystemExit
        return book(batch)

    with monkeypatch.context() as dying:
        dying.setattr(payment_import, "ROWS_AT_ONCE", 1)
        dying.setattr(PaymentBatch, "book", die_at_the_second)
        with pytest.raises(SystemExit):
            imported(deps, content)
    report = imported(deps, content)
    assert (report.booked, report.repeated) == (2, 1)
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 70_000


def test_a_dry_run_says_what_would_happen_and_books_nothing(deps: Deps, borrower: str, debt: str) -> None:
    content = a_file(
        a_row(deps, debt, payment_id="1"),
        a_row(deps, debt, payment_id="1", amount_yuan="7"),
        a_row(deps, debt, payment_id="2", amount_yuan="950"),
    )
    tried = imported(deps, content, is_dry_run=True)
    assert (tried.booked, tried.rejects) == (2, (RejectedRow(3, RejectReason.ID_USED_FOR_OTHER_PAYMENT),))
    assert tried.credit_lines == (4,)
    assert "dry run" in tried.to_text()
    assert [count_of(deps, table) for table in (Payment, PaymentImport)] == [0, 0]
    assert view_of(deps, borrower, debt).statement.balances.total_fen == 100_000
    done = imported(deps, content)
    assert (done.booked, done.rejects, done.credit_lines) == (tried.booked, tried.rejects, tried.credit_lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_encodings_and_line_endings_that_are_met_are_read(deps: Deps, debt: str, encoding: str, ending: str) -> None:
    lines = [f"{HEADER},户名", a_row(deps, debt) + ",演示", "", a_row(deps, debt, paid_on="bad") + ',"甲,乙"']
    report = imported(deps, ending.join(lines).encode(encoding))
    assert (report.booked, report.ignored_columns) == (1, ("户名",))
    assert report.rejects == (RejectedRow(4, RejectReason.BAD_DAY),)
    assert "columns not used: 户名" in report.to_text()


def test_the_columns_may_stand_in_any_order(deps: Deps, debt: str) -> None:
    cells = a_row(deps, debt).split(",")
    content = "\n".join([",".join(reversed(HEADER.split(","))), ",".join(reversed(cells))])
    assert imported(deps, content.encode()).booked == 1


def test_a_quote_that_never_closes_takes_only_its_own_row_along(deps: Deps, debt: str) -> None:
    report = imported(deps, a_file(a_row(deps, debt), '"open,' + a_row(deps, debt)))
    assert (report.booked, report.rejects) == (1, (RejectedRow(3, RejectReason.BAD_FIELD_COUNT),))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileRefusal.EMPTY),
        (b"\xef\xbb\xbf\r\n\r\n", FileRefusal.EMPTY),
        (b"\xff\xfe\x00a", FileRefusal.UNREADABLE_TEXT),
        (b"a,b,c\n1,2,3\n", FileRefusal.WRONG_HEADER),
        (HEADER.replace("source", "Source").encode(), FileRefusal.WRONG_HEADER),
        (f"{HEADER},source\n".encode(), FileRefusal.WRONG_HEADER),
        (HEADER.replace(",", ";").encode(), FileRefusal.WRONG_HEADER),
    ],
)
def test_a_file_that_is_none_is_refused_whole(deps: Deps, content: bytes, refusal: FileRefusal) -> None:
    assert import_payments(deps, content, "payments.csv") is refusal
    assert count_of(deps, PaymentImport) == 0


def test_a_file_that_is_too_large_is_refused_before_it_is_read(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "LARGEST_FILE_BYTES", 10)
    assert import_payments(deps, b"x" * 11, "payments.csv") is FileRefusal.TOO_LARGE


def test_every_reason_has_plain_words() -> None:
    assert set(payment_import.WHY) == set(RejectReason)


def test_the_command_prints_the_report_and_tells_by_its_code(
    deps: Deps, debt: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_settings", lambda: deps.settings)
    monkeypatch.setattr(cli, "_deps", lambda _: deps)
    path = tmp_path / "payments.csv"
    path.write_bytes(a_file(a_row(deps, debt)))
    tried = CliRunner().invoke(cli.app, ["payments", "import", str(path), "--dry-run"])
    assert (tried.exit_code, "dry run" in tried.output) == (0, True)
    done = CliRunner().invoke(cli.app, ["payments", "import", str(path)])
    assert (done.exit_code, "1 booked" in done.output) == (0, True)
    path.write_bytes(a_file(a_row(deps, debt, amount_yuan="0")))
    assert CliRunner().invoke(cli.app, ["payments", "import", str(path)]).exit_code == 1
    path.write_bytes(b"no table")
    assert CliRunner().invoke(cli.app, ["payments", "import", str(path)]).exit_code == 2


def test_no_ledger_is_left_half_booked_when_something_fails(
    deps: Deps, borrower: str, debt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("after the booking")

    monkeypatch.setattr(payments.servicing, "settle_plans", fail)
    with pytest.raises(RuntimeError):
        payments.receive(deps, a_payment_of(deps, debt, 10))
    monkeypatch.undo()
    assert count_of(deps, Payment) == 0
    with deps.begin() as session:
        assert session.scalars(select(LedgerEntry.key)).all() == ["lent"]
