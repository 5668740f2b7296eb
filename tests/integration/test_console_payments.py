"""The console's payments page: trying and applying a file, the files brought before, ending a search, who may what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import func, select

from bot.console import payments as page
from bot.console.rendering import Pages
from bot.identity.roles import Role
from bot.services import payment_traces, payment_uploads
from bot.services.csv_rows import FileRefusal
from bot.services.deps import Deps
from bot.services.payment_import import import_payments
from bot.services.payment_traces import Stated, TraceView
from bot.services.payments import RejectReason
from bot.store.tables import AuditEntry, Payment, PaymentImport, PaymentTrace, PaymentUpload, Reminder
from tests.builders.accounts import verified
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_borrower, a_debt, a_desk
from tests.builders.payments import HEADER, a_row, paid


class Console(ConsoleBrowser):
    """A console and its browser, at the payments."""

    def post(self, path: str, content: bytes | None = None, **form: str) -> Response:
        """Send a form, with a file if there is content."""
        return self.send(f"/{path}", ("还款.csv", content, "text/csv") if content is not None else None, **form)

    def apply(self, tried: Response) -> Response:
        """Press the button of a page that shows a file that was tried."""
        found = re.search(r'name="upload" value="([^"]+)"', tried.text)
        assert found, "there is nothing to apply"
        return self.post("apply", upload=found.group(1))


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield Console(deps, clock, "/payments")
    deps.database.engine.dispose()


@pytest.fixture
def borrower(console: Console) -> str:
    return a_borrower(console.deps)


@pytest.fixture
def debt(console: Console, borrower: str) -> str:
    return a_debt(console.deps, borrower, 100_000)


def a_file(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def count_of(deps: Deps, table: type) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def a_search(deps: Deps, borrower: str, stated: Stated) -> str:
    """Let a borrower say that they paid; returns the trace's id."""
    made = payment_traces.report_paid(deps, verified(deps, borrower), "我还了", stated)
    assert isinstance(made, TraceView), made
    with deps.read() as session:
        return session.scalars(select(PaymentTrace.id).where(PaymentTrace.state == "open")).one()


# Files ---------------------------------------------------------------------------------------------------------------


def test_a_file_is_tried_with_its_faults_named_and_booked_only_on_a_yes(console: Console, debt: str) -> None:
    operator_id = console.log_in_as(Role.SUPERVISOR, "boss")
    content = a_file(a_row(console.deps, debt), a_row(console.deps, debt, amount_yuan="-3"), "too,short")
    tried = console.post("try", content)
    assert tried.status_code == 200
    for words in ("还没有入账", "第 3 行", "金额是零或负数", "第 4 行", "确认入账 1 行"):
        assert words in tried.text
    assert count_of(console.deps, Payment) == count_of(console.deps, PaymentImport) == 0
    applied = console.apply(tried)
    assert "已经入账" in applied.text
    assert (count_of(console.deps, Payment), count_of(console.deps, PaymentImport)) == (1, 1)
    with console.deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "payments_imported")).one()
        assert (entry.actor_kind, entry.actor_id) == ("operator", operator_id)


def test_pressing_twice_books_once_and_says_so(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    tried = console.post("try", a_file(a_row(console.deps, debt)))
    console.apply(tried)
    again = console.apply(tried)
    assert (again.status_code, "已经入过账" in again.text) == (409, True)
    assert count_of(console.deps, Payment) == 1


def test_a_file_that_was_imported_before_cannot_be_applied(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    content = a_file(a_row(console.deps, debt))
    console.apply(console.post("try", content))
    again = console.post("try", content)
    assert "之前导入过" in again.text
    assert 'name="upload"' not in again.text


def test_a_file_of_nothing_but_faults_cannot_be_applied(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    tried = console.post("try", a_file("too,short"))
    assert re.search(r"<button[^>]*disabled[^>]*>确认入账 0 行", tried.text)


def test_a_file_that_was_tried_too_long_ago_has_to_be_brought_again(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    tried = console.post("try", a_file(a_row(console.deps, debt)))
    console.clock.move(payment_uploads.KEPT_FOR + timedelta(seconds=1))
    assert console.apply(tried).status_code == 409
    assert count_of(console.deps, Payment) == 0


def test_nobody_applies_what_somebody_else_tried(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    tried = console.post("try", a_file(a_row(console.deps, debt)))
    console.log_in_as(Role.ADMIN, "root")
    assert console.apply(tried).status_code == 409
    assert count_of(console.deps, Payment) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "文件是空的"), (b"no table", "表头不对"), (b"\x00\xff\xfe\xff", "编码要用"), (b"x" * 2**22, "网页上放不下")],
)
def test_a_file_that_is_none_is_refused_with_words(console: Console, content: bytes, words: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    refused = console.post("try", content)
    assert refused.status_code == 409
    assert words in refused.text


def test_a_form_without_a_file_is_refused_with_words(console: Console) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    assert "没有选文件" in console.post("try").text


def test_the_yes_may_reach_another_gateway_than_the_file_did(console: Console, debt: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    tried = console.post("try", a_file(a_row(console.deps, debt)))
    other = Console(console.deps, console.clock, "/payments")
    other.browser.cookies = console.browser.cookies
    assert other.apply(tried).status_code == 200
    assert count_of(console.deps, Payment) == 1


def test_few_files_are_kept_for_each_and_the_oldest_makes_room(console: Console) -> None:
    operators = [console.log_in_as(Role.SUPERVISOR, login) for login in ("boss", "chief")]
    kept = {}
    for number in range(payment_uploads.MOST_KEPT + 1):
        console.clock.move(timedelta(seconds=1))
        for operator in operators:
            kept[operator, number] = payment_uploads.keep(console.deps, operator, f"{number}.csv", b"%d" % number)
    for operator in operators:
        found = [payment_uploads.take(console.deps, kept[operator, n], operator) for n in range(len(kept) // 2)]
        assert [each and each.content for each in found] == [None, b"1", b"2", b"3"]
        assert payment_uploads.take(console.deps, kept[operator, 1], operator) is None


def test_a_file_that_was_tried_is_sealed_and_does_not_outlive_its_half_hour(console: Console) -> None:
    operator = console.log_in_as(Role.SUPERVISOR, "boss")
    payment_uploads.keep(console.deps, operator, "还款.csv", "张三,13700000001".encode())
    with console.deps.read() as session:
        [row] = session.scalars(select(PaymentUpload)).all()
    assert "13700000001" not in row.content_sealed
    assert payment_uploads.forget_old(console.deps) == 0
    console.clock.move(payment_uploads.KEPT_FOR + timedelta(seconds=1))
    assert payment_uploads.forget_old(console.deps) == 1
    assert count_of(console.deps, PaymentUpload) == 0


def test_files_brought_before_are_listed_with_who_brought_them_and_open(console: Console, debt: str) -> None:
    import_payments(console.deps, a_file(a_row(console.deps, debt)), "夜间.csv")
    console.log_in_as(Role.SUPERVISOR, "boss")
    console.apply(console.post("try", a_file(a_row(console.deps, debt), "too,short")))
    listed = console.shown()
    assert listed.index("还款.csv") < listed.index("夜间.csv") or "夜间.csv" in listed
    assert "命令行" in listed
    with console.deps.read() as session:
        row_id = session.scalars(select(PaymentImport.id).where(PaymentImport.file_name == "还款.csv")).one()
    opened = console.shown(f"/{row_id}")
    assert "列数和表头对不上" in opened
    assert console.browser.get(f"/console/payments/{'0' * 32}").status_code == 404


# Searches ------------------------------------------------------------------------------------------------------------


def test_a_search_is_listed_with_what_was_said_and_can_be_ended(console: Console, borrower: str, debt: str) -> None:
    trace_id = a_search(console.deps, borrower, Stated(12_345))
    console.log_in_as(Role.AGENT, "chen")
    shown = console.shown()
    for words in ("王**", "¥123.45", "前答复", "看对话"):
        assert words in shown
    assert "王小明" not in shown
    assert console.post(f"traces/{trace_id}/close").status_code == 303
    assert "现在没有要查找的还款" in console.shown()
    assert console.post(f"traces/{trace_id}/close").status_code == 409


def test_a_payment_that_a_person_recognises_ends_the_search_and_the_borrower_is_told(
    console: Console, borrower: str, debt: str
) -> None:
    trace_id = a_search(console.deps, borrower, Stated(12_345))
    paid(console.deps, debt, 12_000)
    operator_id = console.log_in_as(Role.AGENT, "chen")
    found = re.search(r'<option value="(payment:[^"]+)"', console.shown())
    assert found, "the payment is not put forward"
    assert console.post(f"traces/{trace_id}/found", payment="payment:bank:of-somebody-else").status_code == 409
    assert console.post(f"traces/{trace_id}/found", payment=found.group(1)).status_code == 303
    with console.deps.read() as session:
        trace = session.get_one(PaymentTrace, trace_id)
        assert (trace.state, trace.closed_by, trace.ledger_key) == ("found", operator_id, found.group(1))
        assert session.scalar(select(func.count()).select_from(Reminder).where(Reminder.topic == "payment_found")) == 1
    assert console.post(f"traces/{trace_id}/found", payment=found.group(1)).status_code == 409


# Who may what --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/" + "0" * 32])
def test_without_a_session_the_page_leads_to_the_login_and_back(console: Console, path: str) -> None:
    response = console.browser.get(f"/console/payments{path}")
    assert response.headers["location"] == f"/console/login?next=/console/payments{path}"


@pytest.mark.parametrize("role", [Role.AGENT, Role.COMPLIANCE])
def test_only_who_may_import_sees_the_form_and_gets_through(console: Console, debt: str, role: Role) -> None:
    console.log_in_as(role, "chen")
    assert "先试算" not in console.shown()
    assert console.post("try", a_file(a_row(console.deps, debt))).status_code == 403
    assert console.post("apply", upload="x").status_code == 403
    assert count_of(console.deps, Payment) == 0


def test_compliance_reads_searches_and_ends_none(console: Console, borrower: str, debt: str) -> None:
    trace_id = a_search(console.deps, borrower, Stated(12_345))
    console.log_in_as(Role.COMPLIANCE, "audit")
    assert "结束查找" not in console.shown()
    assert console.post(f"traces/{trace_id}/close").status_code == 403


@pytest.mark.parametrize("path", ["try", "apply", f"traces/{'0' * 32}/close", f"traces/{'0' * 32}/found"])
def test_a_form_of_another_page_changes_nothing(console: Console, path: str) -> None:
    console.log_in_as(Role.SUPERVISOR, "boss")
    response = console.post(path, csrf="of another session")
    assert response.status_code == 403
    assert "页面停留太久" in response.text


def test_every_refusal_and_reason_has_words(console: Console) -> None:
    words = Pages(console.deps).words()
    refusals = {page.NO_FILE, page.TOO_LARGE, page.GONE, page.TRACE_OVER}
    assert set(words["NOT_IMPORTED"]) == refusals | {refusal.name.lower() for refusal in FileRefusal}
    assert set(words["REJECTED_ROW"]) == {reason.value for reason in RejectReason}
