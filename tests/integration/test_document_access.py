"""Who may have a document: the borrower it is about, verified, through the page; operators through the console."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from bot.channels.web import make_router
from bot.channels.web_door import OWN
from bot.channels.web_live import LiveConversations
from bot.console.app import make_router as make_console_router
from bot.console.session import SESSION_COOKIE
from bot.identity.roles import Role
from bot.services import documents, operators, web_sessions
from bot.services.conversations import Reply
from bot.services.deps import Deps
from bot.store.tables import Document
from tests.builders.accounts import a_plan
from tests.builders.desk import PASSWORD, SetClock, a_borrower, an_operator
from tests.builders.documents import prove, tell, the_statement


@dataclass
class Page:
    """A browser with a session of its own, and the conversation it opens."""

    deps: Deps
    conversation_id: str
    browser: TestClient

    def get(self, document_id: str) -> Response:
        response: Response = self.browser.get(f"/documents/{document_id}")
        return response


def a_page(deps: Deps, borrower_id: str | None = None) -> Page:
    app = FastAPI()
    app.include_router(make_router(deps, LiveConversations(deps), lambda _: None, Path("nowhere")))
    opened = web_sessions.open_session(deps)
    if borrower_id is not None:
        prove(deps, opened.conversation_id, borrower_id)
    return Page(deps, opened.conversation_id, TestClient(app, cookies={OWN.cookie: opened.token}))


class TestRoute:
    def test_the_borrowers_own_session_gets_it_and_no_cache_keeps_it(
        self, deps: Deps, borrower: str, chat: str
    ) -> None:
        document = the_statement(deps, chat)
        response = a_page(deps, borrower).get(document.id)
        assert response.status_code == 200
        assert response.content.startswith(b"%PDF")
        assert response.headers["content-type"] == "application/pdf"
        assert re.match(
            r"attachment; filename\*=UTF-8''%E6%98%8E%E7%BB%86%20DZ", response.headers["content-disposition"]
        )
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"

    def test_a_picture_is_shown_rather_than_saved(self, deps: Deps, borrower: str, chat: str) -> None:
        made = documents.agreement(deps, chat, a_plan(deps, chat).number)
        assert isinstance(made, tuple)
        response = a_page(deps, borrower).get(made[1].id)
        assert response.headers["content-type"] == "image/png"
        assert response.headers["content-disposition"].startswith("inline; ")

    def test_everybody_else_is_refused_in_the_same_words(self, deps: Deps, chat: str, clock: SetClock) -> None:
        document = the_statement(deps, chat)
        own = a_page(deps, None)
        lapsed = a_page(deps, None)
        with deps.read() as session:
            owner = session.get_one(Document, document.id).borrower_id
        prove(deps, lapsed.conversation_id, owner)
        clock.move(timedelta(minutes=30))
        other = a_page(deps, a_borrower(deps, "李小红", "13800000002", "110101199002020023"))
        nobody = a_page(deps)
        nobody.browser.cookies.clear()
        again = a_page(deps, owner)
        refused = [
            own.get(document.id),
            lapsed.get(document.id),
            other.get(document.id),
            nobody.get(document.id),
            again.get("0" * 32),
            again.get("x" * 500),
            again.get("'; --"),
            again.get("%00" * 32),
        ]
        assert {response.status_code for response in refused} == {403}
        assert len({response.text for response in refused}) == 1
        assert "核对身份" in refused[0].text
        assert len({tuple(sorted(response.headers.items())) for response in refused}) == 1
        assert again.get(document.id).status_code == 200

    def test_the_refusal_is_in_the_browsers_script(self, deps: Deps) -> None:
        page = a_page(deps)
        response = page.browser.get(f"/documents/{'0' * 32}", headers={"accept-language": "zh-TW"})
        assert "核對身份" in response.text


class TestConsole:
    """The operators' door."""

    @pytest.fixture(autouse=True)
    def quick_passwords(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(operators, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    @staticmethod
    def browser(deps: Deps) -> TestClient:
        app = FastAPI()
        app.include_router(make_console_router(deps, lambda _: None))
        return TestClient(app, base_url=deps.settings.origin, follow_redirects=False)

    def test_an_operator_who_is_logged_in_opens_it_from_the_transcript(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        tell(deps, chat, Reply("在这里。", document_id=document.id))
        an_operator(deps, role=Role.SUPERVISOR)
        browser = self.browser(deps)
        token = operators.log_in(deps, "chen", PASSWORD)
        assert isinstance(token, str)
        browser.cookies.set(SESSION_COOKIE, token, path="/console")
        link = f"/console/documents/{document.id}"
        assert link in browser.get(f"/console/c/{chat}").text
        response = browser.get(link)
        assert (response.status_code, response.content[:4]) == (200, b"%PDF")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert browser.get(f"/console/documents/{'0' * 32}").status_code == 404
        assert browser.get("/console/documents/nothing").status_code == 422

    def test_an_agent_who_has_nothing_to_do_with_the_borrower_is_not_given_it(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        an_operator(deps, team="二组")
        browser = self.browser(deps)
        token = operators.log_in(deps, "chen", PASSWORD)
        assert isinstance(token, str)
        browser.cookies.set(SESSION_COOKIE, token, path="/console")
        assert browser.get(f"/console/documents/{document.id}").status_code == 404

    def test_nobody_else_gets_past_the_login(self, deps: Deps, chat: str) -> None:
        response = self.browser(deps).get(f"/console/documents/{the_statement(deps, chat).id}")
        assert response.status_code == 303
        assert response.headers["location"].startswith("/console/login")
