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
from bot.services import case_intake
from bot.services.case_desk import Refused
from tests.builders.accounts import Owed, a_debt_of, verified
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


def test_what_was_given_for_a_case_that_could_not_be_opened_is_given_back_as_it_was(console: Console) -> None:
    borrower = a_borrower(console.deps)
    first, _ = (a_debt_of(console.deps, borrower, Owed()) for _ in range(2))
    chat = verified(console.deps, borrower)
    console.log_in(Role.SUPERVISOR)
    form = {"kind": CaseKind.AMOUNT.value, "text": "每月多扣了", "received_on": "2026-01-02", "debt": first}
    data = {"csrf": console.csrf, **form}
    refused = console.browser.post(f"/console/c/{chat}/cases", data=data)
    assert refused.status_code == 409
    assert "收到的日子要在最近 30 天里" in refused.text
    assert '<option value="amount" selected>' in refused.text
    assert 'name="received_on" value="2026-01-02"' in refused.text
    assert f'value="{first}" checked' in refused.text
    assert refused.text.count(" checked") == 1
    assert "每月多扣了</textarea>" in refused.text


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


def test_a_request_about_data_is_answered_and_not_judged(console: Console) -> None:
    console.log_in(Role.SUPERVISOR)
    done = case_intake.request_data(console.deps, verified(console.deps, None), CaseKind.DATA_DELETION, "删掉", None)
    assert done is not None
    case = done.case.case_id
    assert "个人信息请求" in console.shown()
    console.post(f"{case}/act", what="review")
    page = console.shown(f"/{case}")
    assert "不能照办，答复并说明理由" in page
    assert "认定" not in page
    assert console.post(f"{case}/act", what="reject", text="协议要保存到结清，结清后会删。").status_code == 303
    assert "不能照办" in console.shown(f"/{case}")


def test_a_complaint_by_phone_is_taken_down_from_the_conversation(console: Console) -> None:
    console.log_in(Role.AGENT)
    chat = verified(console.deps, a_borrower(console.deps))
    page = console.browser.get(f"/console/c/{chat}").text
    assert "替对方登记" in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    form = {"csrf": token.group(1), "kind": "tone", "text": "电话里说，有人骂他", "received_on": "2026-11-20"}
    late = console.browser.post(f"/console/c/{chat}/cases", data={**form, "received_on": "2026-01-01"})
    assert (late.status_code, "最近 30 天" in late.text, "电话里说，有人骂他" in late.text) == (409, True, True)
    done = console.browser.post(f"/console/c/{chat}/cases", data=form)
    assert done.status_code == 303
    shown = console.browser.get(done.headers["location"]).text
    assert all(words in shown for words in ("电话里说，有人骂他", "12月5日", "态度恶劣"))


def test_a_dispute_by_phone_names_the_debts_that_are_ticked(console: Console) -> None:
    console.log_in(Role.AGENT)
    borrower = a_borrower(console.deps)
    debts = [a_debt_of(console.deps, borrower), a_debt_of(console.deps, borrower, Owed(creditor="另一家银行"))]
    chat = verified(console.deps, borrower)
    page = console.browser.get(f"/console/c/{chat}").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    assert all(f'name="debt" value="{debt}"' in page for debt in debts)
    form = {"csrf": token.group(1), "kind": CaseKind.AMOUNT.value, "text": "电话里说金额不对", "debt": debts[1]}
    done = console.browser.post(f"/console/c/{chat}/cases", data=form)
    case = case_of(console.deps, done.headers["location"].rpartition("/")[2])
    assert case.debt_ids == [debts[1]]
    assert 'name="debt"' not in console.browser.get(f"/console/c/{chat}").text, "one is left: nothing to choose"


def test_holds_and_care_are_set_from_the_conversation(console: Console) -> None:
    console.log_in(Role.AGENT)
    chat = verified(console.deps, a_borrower(console.deps))
    page = console.browser.get(f"/console/c/{chat}").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    csrf = {"csrf": token.group(1)}
    refused = console.browser.post(f"/console/c/{chat}/holds", data={**csrf, "kind": "person", "reason": ""})
    assert (refused.status_code, "请写一句为什么" in refused.text) == (409, True)
    too_far = {"kind": "person", "reason": "等出院", "last_day": "9999-12-31"}
    refused = console.browser.post(f"/console/c/{chat}/holds", data={**csrf, **too_far})
    assert (refused.status_code, "最多填三年" in refused.text, 'value="等出院"' in refused.text) == (409, True, True)
    console.browser.post(
        f"/console/c/{chat}/holds", data={**csrf, "kind": "person", "reason": "住院", "last_day": "2026-12-01"}
    )
    console.browser.post(f"/console/c/{chat}/care", data={**csrf, "kind": "minor"})
    page = console.browser.get(f"/console/c/{chat}").text
    assert all(words in page for words in ("同事暂停联系", "住院", "未满 18 岁", "需要特别照顾"))
    assert "确认解除" not in page, "lifting takes another role"


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
