"""What stays and what goes on an operator's open page while the conversation changes elsewhere, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.services import assignment
from bot.services.conversations import Author, Reply, say
from bot.services.operators import OperatorView
from bot.store.tables import Conversation
from tests.builders.desk import PASSWORD, Said, Talk, a_borrower, a_conversation, an_operator
from tests.e2e.browser import LAPTOP
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import Gateway
from tests.e2e.page import ConsolePage

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def people(_gateway_and_site: tuple[Gateway, object]) -> dict[str, OperatorView]:
    """An agent, a supervisor and an agent of another team, by login."""
    deps = _gateway_and_site[0].deps
    told = {"chen": (Role.AGENT, "一组"), "boss": (Role.SUPERVISOR, None), "wu": (Role.AGENT, "二组")}
    return {
        login: OperatorView(an_operator(deps, login, login, role, team), login, login, role, "csrf", team)
        for login, (role, team) in told.items()
    }


@pytest.fixture(scope="module")
def borrower(_gateway_and_site: tuple[Gateway, object]) -> str:
    """A borrower, whose phone is 13800000001."""
    return a_borrower(_gateway_and_site[0].deps)


@pytest.fixture
def chat(gateway: Gateway, people: dict[str, OperatorView], borrower: str) -> str:
    """A borrower's conversation in the agent's hands."""
    talk = Talk(
        (Said("请问我的电话是多少"),),
        owner=Owner.HUMAN,
        operator_id=people["chen"].id,
        borrower_id=borrower,
        verified=True,
    )
    return a_conversation(gateway.deps, talk)


@pytest.fixture
def opened(windows: Windows, gateway: Gateway, chat: str) -> ConsolePage:
    """The agent's page on that conversation, live."""
    console = ConsolePage(windows.open(LAPTOP).new_page(), gateway.base).log_in("chen", PASSWORD)
    console.go(f"/c/{chat}")
    console.expect_live()
    return console


def test_what_was_revealed_stays_while_the_page_brings_itself_up_to_date(
    gateway: Gateway, opened: ConsolePage, chat: str
) -> None:
    opened.card.locator("summary", has_text="显示遮住的信息").click()
    opened.card.get_by_role("button", name="显示一次").click()
    expect(opened.card).to_contain_text("13800000001")
    opened.expect_live()
    with gateway.deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        say(session, gateway.deps, conversation, Reply("马上告诉您"), author=Author.NOTICE)
    expect(opened.turn("马上告诉您")).to_be_visible()
    expect(opened.card).to_contain_text("13800000001")


def test_whose_conversation_went_to_another_team_is_told_and_keeps_the_draft_until_it_comes_back(
    gateway: Gateway, opened: ConsolePage, chat: str, people: dict[str, OperatorView]
) -> None:
    def give(login: str) -> None:
        assignment.assign_to_person(gateway.deps, people["boss"], chat, people[login].id)

    opened.reply_box.fill("我查一下再告诉您")
    give("wu")
    told = opened.page.get_by_text("已经有同事接手了这个会话")
    expect(told).to_be_visible()
    expect(opened.reply_box).not_to_be_editable()
    expect(opened.reply_box).to_have_value("我查一下再告诉您")
    expect(opened.page.get_by_role("button", name="发送")).to_have_count(0)
    expect(opened.give_back_button).to_have_count(0)
    expect(opened.card).not_to_contain_text("王")
    give("chen")
    expect(told).to_have_count(0)
    expect(opened.reply_box).to_be_editable()
    expect(opened.reply_box).to_have_value("我查一下再告诉您")


def test_a_conversation_given_to_a_team_turns_up_on_its_pages_by_itself(
    windows: Windows, gateway: Gateway, people: dict[str, OperatorView]
) -> None:
    waits = Talk((Said("想找人问问"),), owner=Owner.QUEUED, reason=QueueReason.ASKED, team="一组")
    waiting = a_conversation(gateway.deps, waits)
    console = ConsolePage(windows.open(LAPTOP).new_page(), gateway.base).log_in("wu", PASSWORD)
    console.expect_live()
    expect(console.row("想找人问问")).to_have_count(0)
    assignment.assign_to_team(gateway.deps, people["boss"], waiting, "二组")
    expect(console.row("想找人问问")).to_be_visible()
