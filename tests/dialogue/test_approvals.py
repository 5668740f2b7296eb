"""An offer beyond the bot's authority: an operator decides in the console, and the borrower hears of it and goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from bot.services import approvals
from bot.services.approvals import ApprovalView
from bot.store.tables import Agreement
from bot.workout.policy_sections import ApprovalRole
from tests.builders.approvals import LATE_CARD, an_offer_to_approve
from tests.builders.people import Person, a_person
from tests.dialogue.conftest import NewChat, NewLine
from tests.dialogue.lines import Line
from tests.dialogue.proving import prove, words
from tests.running.desk import PASSWORD, RunningDesk

pytestmark = pytest.mark.running


class Decider:
    """An operator's browser on the page of approvals."""

    def __init__(self, desk: RunningDesk, login: str) -> None:
        self._http = httpx.Client(base_url=desk.base, headers={"Origin": desk.base}, follow_redirects=True)
        form = {"csrf": self._csrf("/console/login"), "login": login, "password": PASSWORD, "onward": ""}
        assert "/console/logout" in self._http.post("/console/login", data=form).text, "not logged in"

    def listed(self) -> str:
        """Return the list of requests as its HTML."""
        return self._http.get("/console/approvals").raise_for_status().text

    def decide(self, approval: ApprovalView, decision: str) -> str:
        """Send the form of a request's page; returns the page it ends on."""
        page = f"/console/approvals/{approval.id}"
        form = {"csrf": self._csrf(page), "decision": decision, "reason": "收入证明看过了"}
        return self._http.post(f"{page}/decide", data=form).raise_for_status().text

    def close(self) -> None:
        """Close the browser."""
        self._http.close()

    def _csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self._http.get(path).text)
        assert found, f"no form on {path}"
        return found.group(1)


@pytest.fixture
def decider(desk: RunningDesk) -> Iterator[Decider]:
    browser = Decider(desk, "agent-1")
    yield browser
    browser.close()


@pytest.fixture(params=["web", "telegram"])
def line(request: pytest.FixtureRequest, web_line: NewLine, telegram_line: NewChat) -> Line:
    return web_line() if request.param == "web" else telegram_line()


@pytest.fixture
def person(desk: RunningDesk) -> Person:
    return a_person(desk.deps, [LATE_CARD])


def asked(desk: RunningDesk, line: Line, person: Person) -> ApprovalView:
    """Let somebody who is verified ask for an offer that an agent has to grant."""
    assert person.borrower_id is not None
    negotiation_id, offer_id, _ = an_offer_to_approve(desk.deps, line.conversation_id, ApprovalRole.AGENT)
    with desk.deps.begin() as session:
        return approvals.request(
            session,
            desk.deps,
            negotiation_id=negotiation_id,
            offer_id=offer_id,
            conversation_id=line.conversation_id,
            borrower_id=person.borrower_id,
        )


def agreed(desk: RunningDesk, person: Person) -> list[Agreement]:
    with desk.deps.read() as session:
        return list(session.scalars(select(Agreement).where(Agreement.borrower_id == person.borrower_id)))


def test_what_a_person_has_granted_is_read_back_and_agreed_to(
    desk: RunningDesk, line: Line, person: Person, decider: Decider
) -> None:
    prove(line, person)
    request = asked(desk, line, person)
    assert f"/console/approvals/{request.id}" in decider.listed()

    assert "已批准" in decider.decide(request, "approve")
    told = line.wait_for("同事批准了")
    assert "¥43,200.00" in told.text
    shown = words(line.press("看完整内容"))
    assert "43,200.00" in shown
    assert agreed(desk, person) == [], "agreed before the borrower said yes"
    line.press("同意")
    (agreement,) = agreed(desk, person)
    assert agreement.total_fen == request.offer.total_fen


def test_what_a_person_has_rejected_leaves_other_ways_and_binds_nobody(
    desk: RunningDesk, line: Line, person: Person, decider: Decider
) -> None:
    prove(line, person)
    request = asked(desk, line, person)
    decider.decide(request, "reject")
    told = line.wait_for("这次没有批下来")
    assert "收入证明看过了" not in told.text
    assert "¥" in words(line.press("看看别的方案")), "no other offer was shown"
    assert agreed(desk, person) == []
