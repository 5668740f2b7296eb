"""The console's approvals: what is listed, what a decision rests on, who may decide, and what is refused how."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import select

from bot.console.approvals import UNFIT, UNREADABLE, AskedFor
from bot.console.live import APPROVALS, LiveFeed
from bot.console.rendering import Pages
from bot.desk.uploads import Brought
from bot.identity.roles import Role
from bot.services import approval_decisions, evidence
from bot.services.approval_asking import NotAsked
from bot.services.approval_decisions import Decision, NotDecided
from bot.services.approvals import ApprovalState
from bot.services.inbound import record_text
from bot.services.offer_table import BUDGET_CODEC
from bot.store import tables
from bot.workout.authority import DecisionRefusal
from bot.workout.bounds import Objection
from bot.workout.budget import StatedBudget
from bot.workout.offer import NoOfferReason, OfferKind
from bot.workout.policy_sections import ApprovalRole
from tests.builders.accounts import a_payment
from tests.builders.approvals import Asked, an_approval, an_approval_on_proof, an_operator_view
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_borrower, a_desk

PNG = b"\x89PNG\r\n\x1a\n"


class Console(ConsoleBrowser):
    """A console and its browser, at the approvals."""

    def log_in(self, role: Role = Role.AGENT, login: str = "chen") -> str:
        """Create an operator and log in as them; returns the id."""
        return self.log_in_as(role, login)

    def decide(self, asked: Asked, decision: Decision, reason: str = "看过材料", **form: str) -> Response:
        """Send the form of a request's page."""
        return self.send(f"/{asked.id}/decide", decision=decision.value, reason=reason, **form)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield Console(deps, clock, "/approvals")
    deps.database.engine.dispose()


def stored(console: Console, asked: Asked) -> tables.Approval:
    with console.deps.read() as session:
        return session.get_one(tables.Approval, asked.id)


def offer_ids(page: str) -> list[str]:
    return re.findall(r'name="offer_id" value="([^"]+)"', page)


# The list ------------------------------------------------------------------------------------------------------------


def test_an_empty_list_says_so(console: Console) -> None:
    console.log_in()
    assert "现在没有要审批的方案" in console.shown()


def test_the_list_names_age_role_and_figures_and_leads_to_the_request(console: Console) -> None:
    asked = an_approval(console.deps)
    console.clock.move(timedelta(minutes=42))
    console.log_in()
    page = console.shown()
    for shown in ("王**", "坐席审批", "已等 42 分钟", "¥50,990.00", "¥7,790.00", f"/console/approvals/{asked.id}"):
        assert shown in page
    assert 'data-waiting="1"' in console.shown("/list")


def test_an_agent_is_not_shown_what_only_a_supervisor_may_decide(console: Console) -> None:
    asked = an_approval(console.deps, ApprovalRole.SUPERVISOR)
    console.log_in()
    assert asked.id not in console.shown()
    console.log_in(Role.SUPERVISOR, "boss")
    assert asked.id in console.shown()


def test_what_was_decided_lately_stays_below_what_waits(console: Console) -> None:
    first = an_approval(console.deps)
    other = a_borrower(console.deps, "李小红", "13800000002", "110101199001010022")
    second = an_approval(console.deps, borrower_id=other)
    console.log_in()
    console.decide(first, Decision.REJECT)
    page = console.shown()
    assert page.index(second.id) < page.index("近七天办完的") < page.index(first.id)


@pytest.mark.parametrize("path", ["", "/" + "0" * 32])
def test_without_a_session_pages_lead_to_the_login(console: Console, path: str) -> None:
    response = console.browser.get(f"/console/approvals{path}")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/console/login")


def test_without_a_session_the_fragment_is_refused(console: Console) -> None:
    assert console.browser.get("/console/approvals/list").status_code == 403


# One request ---------------------------------------------------------------------------------------------------------


def test_a_request_shows_what_a_decision_rests_on(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    page = console.shown(f"/{asked.id}")
    figures = ("¥50,990.00", "¥7,790.00", "¥2,990.00", "¥4,800.00", "¥43,200.00", "60 期，每期 ¥720.00")
    means = ("¥6,000.00", "¥3,500.00", "¥2,000.00")
    limits = ("3–60，这份 60", "¥5,000.00", "¥15,297.00", "card_relief 2026-11-2")
    unsaid = ("要养的家人</dt><dd>没有说", "每月还别家</dt><dd>没有说", "至少给家里留</dt><dd>¥600.00")
    for shown in (*figures, *means, *unsaid, *limits, f"/console/c/{asked.conversation_id}", "坐席审批"):
        assert shown in page, shown
    assert "王小明" not in page
    assert "<script>" not in page


def test_a_request_shows_the_budget_its_offer_was_computed_from(console: Console) -> None:
    asked = an_approval(console.deps)
    with console.deps.begin() as session:
        row = session.get_one(tables.Offer, asked.view.offer_id)
        row.budget = BUDGET_CODEC.dump_python(StatedBudget(400_000, 250_000, 2, 80_000), mode="json")
        talk = session.get_one(tables.Negotiation, asked.negotiation_id)
        talk.income_told = {"kinds": ["gig"], "rhythm": "daily", "each_fen": 20_000, "high_fen": 600_000}
    console.log_in()
    page = console.shown(f"/{asked.id}")
    for shown in ("¥4,000.00", "零工，每天 ¥200.00，多的时候 ¥6,000.00", "¥2,500.00", "2 人", "¥800.00", "¥1,800.00"):
        assert shown in page, shown
    card = console.browser.get(f"/console/c/{asked.conversation_id}").text
    assert "零工，每天 ¥200.00" in card
    assert "必要开支" in card


def test_reading_a_request_is_put_on_record(console: Console) -> None:
    asked = an_approval(console.deps)
    me = console.log_in()
    console.shown(f"/{asked.id}")
    with console.deps.read() as session:
        entry = session.scalars(select(tables.AuditEntry).where(tables.AuditEntry.event == "approval_read")).one()
    assert (entry.actor_id, entry.subject_id) == (me, asked.id)


@pytest.mark.parametrize("path", ["0" * 32, "0" * 32 + "?months=12"])
def test_an_unknown_request_is_said_to_be_gone(console: Console, path: str) -> None:
    console.log_in()
    response = console.browser.get(f"/console/approvals/{path}")
    assert response.status_code == 404
    assert "没有找到这份审批" in response.text


def test_who_may_not_decide_sees_why_and_no_form(console: Console) -> None:
    asked = an_approval(console.deps, ApprovalRole.SUPERVISOR)
    console.log_in(Role.COMPLIANCE)
    page = console.shown(f"/{asked.id}")
    assert "要由权限更高的同事来决定" in page
    assert 'name="reason"' not in page


def test_other_figures_are_computed_from_the_policy_and_the_nearest_comes_first(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    page = console.shown(f"/{asked.id}?months=30")
    assert "30 期，每期 ¥1,533.00" in page
    above = console.shown(f"/{asked.id}?months=&monthly=1,000.00&first_on=2026-12-20")
    assert "每期 ¥1,000.00" in above
    assert "12月20日" in above
    assert "期数超过政策上限" in console.shown(f"/{asked.id}?months=99")


@pytest.mark.parametrize(
    "query", ["months=x", "monthly=一千", "monthly=NaN", "monthly=-5", "first_on=soon", "months=0"]
)
def test_figures_that_cannot_be_read_are_said_to_be_so(console: Console, query: str) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    assert "没看懂填的数字" in console.shown(f"/{asked.id}?{query}")


# Deciding ------------------------------------------------------------------------------------------------------------


def test_approving_tells_borrower_and_gateway_and_shows_who_decided(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    response = console.decide(asked, Decision.APPROVE, "收入证明齐全")
    assert (response.status_code, response.headers["location"]) == (303, f"/console/approvals/{asked.id}")
    assert console.told == [asked.conversation_id]
    page = console.shown(f"/{asked.id}")
    for shown in ("已批准", "小陈", "批准了这份方案", "收入证明齐全"):
        assert shown in page
    assert 'name="reason"' not in page


def test_a_rejection_is_told_too(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    console.decide(asked, Decision.REJECT)
    assert stored(console, asked).state == ApprovalState.REJECTED
    assert console.told == [asked.conversation_id]
    assert "没有批准" in console.shown(f"/{asked.id}")


def test_other_figures_are_granted_by_choosing_one_that_the_page_showed(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    choice = offer_ids(console.shown(f"/{asked.id}?months=30"))[0]
    assert console.decide(asked, Decision.CHANGE, months="30", offer_id=choice).status_code == 303
    page = console.shown(f"/{asked.id}")
    assert "批准了另一组数字" in page
    assert "30 期，每期 ¥1,533.00" in page


@pytest.mark.parametrize("offer_id", ["", "offer-made-up"])
def test_figures_that_nobody_computed_are_refused(console: Console, offer_id: str) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    response = console.decide(asked, Decision.CHANGE, "就这样", months="30", offer_id=offer_id)
    assert response.status_code == 409
    assert "选的那组数字已经变了" in response.text
    assert "就这样" in response.text
    assert stored(console, asked).state == ApprovalState.WAITING


def test_a_decision_without_a_reason_is_refused_in_a_sentence(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    response = console.decide(asked, Decision.APPROVE, " ")
    assert response.status_code == 409
    assert "请写一句理由" in response.text
    assert console.told == []


def test_what_was_asked_by_oneself_is_refused_on_the_server_too(console: Console) -> None:
    me = console.log_in()
    asked = an_approval(console.deps, requester=me)
    assert "这是您自己提出的" in console.shown(f"/{asked.id}")
    assert "这是您自己提出的" in console.decide(asked, Decision.APPROVE).text
    assert stored(console, asked).state == ApprovalState.WAITING


def test_an_agent_cannot_decide_for_a_supervisor_by_sending_the_form(console: Console) -> None:
    asked = an_approval(console.deps, ApprovalRole.SUPERVISOR)
    console.log_in()
    assert console.decide(asked, Decision.REJECT).status_code == 409
    assert stored(console, asked).state == ApprovalState.WAITING


def test_who_only_reads_may_not_send_the_form(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in(Role.COMPLIANCE)
    assert console.decide(asked, Decision.APPROVE).status_code == 403


def test_a_decision_without_the_sessions_token_is_refused(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    form = {"csrf": "made up", "decision": "approve", "reason": "好"}
    assert console.browser.post(f"/console/approvals/{asked.id}/decide", data=form).status_code == 403
    assert stored(console, asked).state == ApprovalState.WAITING


def test_a_colleague_who_was_quicker_is_named(console: Console) -> None:
    asked = an_approval(console.deps)
    boss = an_operator_view(console.deps, Role.SUPERVISOR, name="李敏")
    console.log_in()
    approval_decisions.decide(console.deps, boss.id, asked.id, Decision.REJECT, "材料不够")
    response = console.decide(asked, Decision.APPROVE)
    assert response.status_code == 409
    assert "已经由别的同事决定了" in response.text
    assert "李敏" in response.text


def test_what_stands_in_the_way_is_shown_before_somebody_decides(console: Console) -> None:
    asked = an_approval(console.deps)
    a_payment(console.deps, asked.debt_id, 10_000)
    console.log_in()
    page = console.shown(f"/{asked.id}")
    assert "数字对不上了" in page
    assert re.search(r'value="approve" disabled', page)
    assert console.decide(asked, Decision.APPROVE).status_code == 409


def test_what_an_operator_types_is_never_markup(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    console.decide(asked, Decision.REJECT, "<script>alert(1)</script>")
    page = console.shown(f"/{asked.id}")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# Words and news ------------------------------------------------------------------------------------------------------


def test_every_outcome_has_its_words(console: Console) -> None:
    words = Pages(console.deps).words()
    assert {*DecisionRefusal, *NotDecided, *NotAsked, UNREADABLE, UNFIT} <= set(words["NOT_DECIDED"])
    assert {*Objection, *NoOfferReason} <= set(words["OBJECTION"])
    assert set(ApprovalState) == set(words["APPROVAL"])
    assert set(OfferKind) == set(words["OFFER_KIND"])


def test_an_open_page_is_told_when_other_requests_wait(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 3600)
    operator = an_operator_view(console.deps, Role.AGENT)

    async def follow() -> tuple[set[str], set[str], set[str]]:
        feed = LiveFeed(console.deps, lambda: False)
        async with feed.listening() as listener:
            asked = await asyncio.to_thread(an_approval, console.deps)
            await feed.look()
            new = await listener.next(0)
            await feed.look()
            quiet = await listener.next(0)
            reason = "材料不够"
            await asyncio.to_thread(
                approval_decisions.decide, console.deps, operator.id, asked.id, Decision.REJECT, reason
            )
            await feed.look()
            return new, quiet, await listener.next(0)

    new, quiet, decided = asyncio.run(follow())
    assert APPROVALS in new
    assert quiet == set()
    assert APPROVALS in decided


def test_nothing_asked_for_is_no_proposal() -> None:
    assert AskedFor().read() is None


# Proof ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_proof(console: Console) -> Asked:
    return an_approval_on_proof(console.deps)


def brought(console: Console, asked: Asked) -> str:
    """Have a picture kept as proof; returns its id."""
    record_text(console.deps, asked.conversation_id, "key-00000001", "同意提供材料")
    assert evidence.bring(console.deps, asked.conversation_id, "离职<证明>.png", PNG) is Brought.KEPT_FOR_PLAN
    with console.deps.read() as session:
        return session.scalars(select(tables.ApprovalNote.id)).one()


def test_a_request_that_needs_no_proof_says_nothing_of_it(console: Console) -> None:
    asked = an_approval(console.deps)
    console.log_in()
    assert "困难证明" not in console.shown(f"/{asked.id}")
    assert "材料" not in console.shown()


def test_a_request_says_that_proof_is_asked_for_and_what_came(console: Console, on_proof: Asked) -> None:
    console.log_in()
    assert "还没有收到材料" in console.shown(f"/{on_proof.id}")
    assert "等材料" in console.shown()
    note_id = brought(console, on_proof)
    page = console.shown(f"/{on_proof.id}")
    assert f"/console/approvals/{on_proof.id}/files/{note_id}" in page
    assert "离职&lt;证明&gt;.png" in page
    assert "材料到了" in console.shown()
    file = console.browser.get(f"/console/approvals/{on_proof.id}/files/{note_id}")
    assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
    assert file.headers["content-disposition"] == "attachment"
    assert console.browser.get(f"/console/approvals/{on_proof.id}/files/{'0' * 32}").status_code == 404


def test_what_the_borrower_says_instead_is_shown_as_they_said_it(console: Console, on_proof: Asked) -> None:
    record_text(console.deps, on_proof.conversation_id, "key-00000001", "厂里不给开证明")
    console.log_in()
    assert "对方说：厂里不给开证明" in console.shown(f"/{on_proof.id}")
    assert "对方说没有" in console.shown()


def test_granting_takes_a_word_on_the_proof(console: Console, on_proof: Asked) -> None:
    console.log_in()
    note_id = brought(console, on_proof)
    refused = console.decide(on_proof, Decision.APPROVE, "看着属实")
    assert refused.status_code == 409
    assert "请先选" in refused.text
    assert "看着属实" in refused.text
    unread = console.decide(on_proof, Decision.APPROVE, evidence="seen")
    assert "您还没有打开过材料" in unread.text
    console.browser.get(f"/console/approvals/{on_proof.id}/files/{note_id}")
    assert console.decide(on_proof, Decision.APPROVE, evidence="seen").status_code == 303
    assert "看过材料，够了" in console.shown(f"/{on_proof.id}")


def test_granting_without_proof_is_possible_and_says_so(console: Console, on_proof: Asked) -> None:
    console.log_in()
    assert "现在没有可看的材料" in console.decide(on_proof, Decision.APPROVE, evidence="seen").text
    assert console.decide(on_proof, Decision.APPROVE, "人事联系不上", evidence="without").status_code == 303
    assert "没有看材料就批的" in console.shown(f"/{on_proof.id}")


def test_more_is_asked_for_in_fit_words_only(console: Console, on_proof: Asked) -> None:
    console.log_in()
    unfit = console.send(f"/{on_proof.id}/ask", wanted="再不交材料就上门找你家人")
    assert unfit.status_code == 422
    assert "再不交材料就上门找你家人" in unfit.text
    assert "不能对借款人说的话" in unfit.text
    assert "请写想看什么" in console.send(f"/{on_proof.id}/ask", wanted=" ").text
    assert console.send(f"/{on_proof.id}/ask", wanted="近三个月的流水").status_code == 303
    page = console.shown(f"/{on_proof.id}")
    assert "请对方补充：近三个月的流水" in page
    assert "等人审批" in page
