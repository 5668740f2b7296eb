"""The console's cases: the list, a case with its clock, acts by role, what is refused, files that never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response

from bot.cases.clock import Alarm
from bot.cases.course import CaseAct, CaseState
from bot.cases.evidence import Evidence
from bot.cases.kinds import CaseKind, Family
from bot.console.cases import UNFIT
from bot.console.rendering import Pages
from bot.desk.uploads import UploadRefusal
from bot.identity.roles import Role
from bot.services.case_desk import Refused
from tests.builders.accounts import a_debt_of, verified
from tests.builders.cases import a_complaint, a_dispute, case_of
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_borrower, a_desk

PNG = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"


class Console(ConsoleBrowser):
    """A console and its browser, at the cases."""

    def log_in(self, role: Role) -> None:
        """Create an operator named after a role and log in as them."""
        self.log_in_as(role, role.value, role.value)

    def post(self, path: str, content: bytes | None = None, **form: str) -> Response:
        """Send a form of a case, with a file if there is content."""
        return self.send(f"/{path}", ("截图.png", content, "image/png") if content is not None else None, **form)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield Console(deps, clock, "/cases")
    deps.database.engine.dispose()


def test_a_complaint_is_worked_from_the_list_to_the_answer(console: Console) -> None:
    console.log_in(Role.SUPERVISOR)
    case = a_complaint(console.deps, verified(console.deps, a_borrower(console.deps)), CaseKind.THREATS, "他威胁我")
    number = case_of(console.deps, case).number
    assert number is not None
    listed = console.shown()
    assert all(words in listed for words in (number, "威胁恐吓", "12月6日前答复", f"/console/cases/{case}"))
    assert number not in console.shown("?kind=fees")
    page = console.shown(f"/{case}")
    assert all(words in page for words in ("他威胁我", "报警回执", "全部提醒", "开始核查"))
    assert "认定属实" not in page
    assert console.post(f"{case}/act", what="review").status_code == 303
    assert "认定属实" in console.shown(f"/{case}")
    done = console.post(f"{case}/act", what="uphold", text="核对了录音，情况属实，对不起。", ours="yes")
    assert done.status_code == 303
    page = console.shown(f"/{case}")
    assert all(words in page for words in ("核对了录音，情况属实，对不起。", "涉及我方人员", "已看"))
    assert number in console.shown("?show=findings")
    assert console.post(f"{case}/finding").status_code == 303
    assert number not in console.shown("?show=findings")
    assert number in console.shown("?show=closed")


def test_an_agent_sees_no_way_to_decide_and_is_refused(console: Console) -> None:
    console.log_in(Role.AGENT)
    case = a_complaint(console.deps, verified(console.deps, None))
    console.post(f"{case}/act", what="review")
    page = console.shown(f"/{case}")
    assert "认定属实" not in page
    assert "延长期限" not in page
    refused = console.post(f"{case}/act", what="reject", text="没有查到。")
    assert (refused.status_code, "您的角色不能做这一步" in refused.text) == (409, True)


def test_what_must_not_be_said_is_given_back_with_the_reason(console: Console) -> None:
    console.log_in(Role.SUPERVISOR)
    case = a_complaint(console.deps, verified(console.deps, None))
    console.post(f"{case}/act", what="review")
    said = "再不还钱我们就上门找你家人"
    refused = console.post(f"{case}/act", what="reject", text=said)
    assert refused.status_code == 422
    assert said in refused.text
    assert case_of(console.deps, case).state == CaseState.IN_REVIEW


def test_more_time_is_given_with_a_reason(console: Console) -> None:
    console.log_in(Role.COMPLIANCE)
    case = a_complaint(console.deps, verified(console.deps, None))
    assert "延到12月21日" in console.shown(f"/{case}")
    assert console.post(f"{case}/extend", text="还在等通信公司的记录").status_code == 303
    assert all(
        words in console.shown(f"/{case}") for words in ("12月21日", "还在等通信公司的记录", "延到2027年1月20日")
    )


def test_what_is_near_its_end_stands_out(console: Console) -> None:
    console.log_in(Role.AGENT)
    a_complaint(console.deps, verified(console.deps, None))
    console.clock.move(timedelta(days=16))
    console.log_in(Role.SUPERVISOR)
    assert "已超期" in console.shown()


def test_a_file_is_kept_and_handed_out_as_a_download_only(console: Console) -> None:
    console.log_in(Role.AGENT)
    case = a_complaint(console.deps, verified(console.deps, None))
    assert console.post(f"{case}/attach", PNG).status_code == 303
    page = console.shown(f"/{case}")
    found = re.search(rf"/console/cases/{case}/files/[0-9a-f]{{32}}", page)
    assert found
    assert "截图.png" in page
    file = console.browser.get(found.group())
    assert (file.content, file.headers["content-type"], file.headers["content-disposition"]) == (
        PNG,
        "image/png",
        "attachment",
    )
    assert file.headers["x-content-type-options"] == "nosniff"
    assert console.post(f"{case}/attach", b"<html>").status_code == 409


def test_a_dispute_shows_its_debt_and_a_note_stays_inside(console: Console) -> None:
    console.log_in(Role.SUPERVISOR)
    borrower = a_borrower(console.deps)
    a_debt_of(console.deps, borrower)
    case = a_dispute(console.deps, verified(console.deps, borrower))
    page = console.shown(f"/{case}")
    assert all(words in page for words in ("示例银行", "只停有异议的账", "王**"))
    assert console.post(f"{case}/note", text="已联系信贷部门 <b>").status_code == 303
    assert "已联系信贷部门 &lt;b&gt;" in console.shown(f"/{case}")


def test_an_unknown_case_is_said_to_be_unknown(console: Console) -> None:
    console.log_in(Role.ADMIN)
    response = console.browser.get(f"/console/cases/{'0' * 32}")
    assert (response.status_code, "没有找到这个案件" in response.text) == (404, True)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("FAMILY", [*Family]),
        ("CASE_KIND", [*CaseKind]),
        ("CASE_STATE", [*CaseState]),
        ("CASE_ACT", [*CaseAct]),
        ("CASE_ALARM", [*Alarm]),
        ("CASE_EVIDENCE", [*Evidence]),
        ("CASE_REFUSED", [*Refused, *UploadRefusal, UNFIT]),
    ],
)
def test_every_code_of_a_case_has_words(console: Console, table: str, codes: list[str]) -> None:
    words = Pages(console.deps).words("_case_words.html")[table]
    assert {str(code) for code in codes} == set(words)
    assert all(said for code, said in words.items() if code != Alarm.NONE)
