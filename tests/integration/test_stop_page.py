"""The page that one-way notices lead to: looking changes nothing, the button stops, strangers learn nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from bot.channels.stop_page import make_router
from bot.outreach.gate import HoldKind
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.mailboxes import register_email
from bot.services.stop_links import stop_address
from bot.store.tables import Borrower, Conversation
from tests.builders.desk import a_borrower


@pytest.fixture
def borrower(deps: Deps) -> str:
    borrower_id = a_borrower(deps)
    with deps.begin() as session:
        register_email(session, deps, session.get_one(Borrower, borrower_id), "wang@example.com")
    return borrower_id


@pytest.fixture
def link(deps: Deps, borrower: str) -> str:
    with deps.begin() as session:
        conversation = session.scalars(select(Conversation).where(Conversation.borrower_id == borrower)).one()
    return stop_address(deps, conversation.id)


@pytest.fixture
def browser(deps: Deps) -> TestClient:
    app = FastAPI()
    app.include_router(make_router(deps))
    return TestClient(app, base_url=deps.settings.origin)


def has_stopped(deps: Deps, borrower_id: str) -> bool:
    with deps.begin() as session:
        return HoldKind.OPT_OUT in open_holds(session, borrower_id, deps.now()).kinds


def test_looking_at_the_page_stops_nothing(deps: Deps, browser: TestClient, borrower: str, link: str) -> None:
    page = browser.get(link)
    assert page.status_code == 200
    assert "不再提醒我" in page.text
    assert 'href="/"' in page.text
    assert not has_stopped(deps, borrower)


def test_the_button_stops_every_notice_and_says_what_may_still_come(
    deps: Deps, browser: TestClient, borrower: str, link: str
) -> None:
    done = browser.post(link)
    assert "不再给您发提醒" in done.text
    assert "正式通知" in done.text
    assert has_stopped(deps, borrower)
    assert browser.post(link).status_code == 200, "doing it again changes nothing"


def test_a_mail_programs_own_button_does_the_same(deps: Deps, browser: TestClient, borrower: str, link: str) -> None:
    assert browser.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert has_stopped(deps, borrower)


def test_the_page_is_in_the_readers_script(deps: Deps, browser: TestClient, borrower: str, link: str) -> None:
    with deps.begin() as session:
        session.scalars(select(Conversation)).one().script = "hant"
    assert "不再提醒我" in browser.get(link).text
    assert "真人" in browser.get(link).text
    assert "從現在起不再給您發提醒" in browser.post(link).text


@pytest.mark.parametrize("damage", ["~", "=", "不是", "/../x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_the_desk_never_made_stops_nobody(
    deps: Deps, browser: TestClient, borrower: str, link: str, damage: str, method: str
) -> None:
    answer = browser.request(method, f"{link[: -len(damage)]}{damage}")
    assert answer.status_code == 404
    assert not has_stopped(deps, borrower)


def test_every_other_code_over_the_same_conversation_is_refused(
    deps: Deps, browser: TestClient, borrower: str, link: str
) -> None:
    other = a_borrower(deps, "李小红", "13800000002", "110101199001010022")
    with deps.begin() as session:
        register_email(session, deps, session.get_one(Borrower, other), "li@example.com")
        conversation = session.scalars(select(Conversation).where(Conversation.borrower_id == other)).one()
    mixed = stop_address(deps, conversation.id)[:-16] + link[-16:]
    answer = browser.post(mixed)
    assert answer.status_code == 404
    assert "这个链接用不了了" in answer.text
    assert not has_stopped(deps, other)


def test_nobody_learns_from_the_page_who_is_written_to_or_why(browser: TestClient, link: str) -> None:
    for page in (browser.get(link), browser.post(link)):
        assert not any(word in page.text for word in ("王", "138", "wang", "欠", "债", "还款", "逾期", "催"))
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_link_lives_as_long_as_the_letter_may_lie_unread(deps: Deps, browser: TestClient, link: str) -> None:
    deps.clock.move(timedelta(days=400))  # type: ignore[attr-defined]  # the tests' own clock
    assert browser.get(link).status_code == 200
