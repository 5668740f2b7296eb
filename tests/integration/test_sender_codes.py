"""Is it really the desk: a code given in a chat is genuine on the page, and any other is not and says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.channels import sender_page
from bot.services import sender_codes
from bot.services.conversations import conversation_for
from bot.services.deps import Deps
from bot.services.sender_codes import LIFE, WRONG_CHECKS, WRONG_WITHIN, CheckRefusal, Genuine
from bot.services.web_sessions import open_session
from bot.store.tables import SenderCheck
from tests.builders.desk import SetClock


@pytest.fixture
def chat(deps: Deps) -> str:
    return open_session(deps).conversation_id


def issued(deps: Deps, chat: str) -> str:
    code = sender_codes.issue(deps, chat)
    assert code is not None
    return code


def test_a_code_is_genuine_however_it_is_typed_and_for_everybody(deps: Deps, chat: str, clock: SetClock) -> None:
    code = issued(deps, chat)
    given_at = clock.now()
    clock.move(timedelta(minutes=3))
    full_width = code.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    for typed in (code, code.replace(" ", ""), f" {code[:4]}-{code[5:]}。", full_width):
        assert sender_codes.check(deps, typed, "1.2.3.4") == Genuine("web", given_at)


def test_it_says_over_which_channel_it_was_given(deps: Deps) -> None:
    code = issued(deps, conversation_for(deps, "telegram", "77"))
    found = sender_codes.check(deps, code, "1.2.3.4")
    assert isinstance(found, Genuine)
    assert found.channel == "telegram"


def test_it_ends_after_an_hour_and_with_the_next_one(deps: Deps, chat: str, clock: SetClock) -> None:
    first, second = issued(deps, chat), issued(deps, chat)
    assert sender_codes.check(deps, first, "a") is CheckRefusal.UNKNOWN
    clock.move(LIFE - timedelta(seconds=1))
    assert isinstance(sender_codes.check(deps, second, "a"), Genuine)
    clock.move(timedelta(seconds=1))
    assert sender_codes.check(deps, second, "a") is CheckRefusal.UNKNOWN


def test_wrong_ones_are_counted_by_address_and_forgotten_in_time(deps: Deps, chat: str, clock: SetClock) -> None:
    code = issued(deps, chat)
    wrong = "0000 0000" if code != "0000 0000" else "0000 0001"
    outcomes = [sender_codes.check(deps, wrong, "guesser") for _ in range(WRONG_CHECKS + 1)]
    assert outcomes == [CheckRefusal.UNKNOWN] * WRONG_CHECKS + [CheckRefusal.TOO_MANY]
    assert sender_codes.check(deps, code, "guesser") is CheckRefusal.TOO_MANY, "not even a right one can be found so"
    assert isinstance(sender_codes.check(deps, code, "somebody else"), Genuine)
    clock.move(WRONG_WITHIN)
    assert isinstance(sender_codes.check(deps, code, "guesser"), Genuine)
    with deps.read() as session:
        assert session.scalar(select(func.count()).select_from(SenderCheck)) == 0


def test_nobody_unknown_gets_one(deps: Deps) -> None:
    assert sender_codes.issue(deps, "0" * 32) is None


@dataclass
class Named:
    username: str | None


class TestPage:
    @pytest.fixture
    def browser(self, deps: Deps) -> TestClient:
        app = FastAPI()
        app.include_router(sender_page.make_router(deps, Named("example_desk_bot")))
        return TestClient(app)

    def test_it_asks_and_says_genuine_with_time_and_place(self, deps: Deps, chat: str, browser: TestClient) -> None:
        assert 'name="code"' in browser.get("/genuine").text
        page = browser.post("/genuine", data={"code": issued(deps, chat)}).text
        assert "是真的" in page
        assert "11月21日 12:00" in page
        assert deps.settings.origin in page
        assert "就不是我们" in page

    def test_over_telegram_it_names_the_account(self, deps: Deps, browser: TestClient) -> None:
        code = issued(deps, conversation_for(deps, "telegram", "77"))
        page = browser.post("/genuine", data={"code": code}, headers={"Accept-Language": "zh-TW"}).text
        assert "@example_desk_bot" in page
        assert "核對碼" in page

    def test_a_forged_one_is_refused_and_nothing_typed_comes_back(self, browser: TestClient) -> None:
        page = browser.post("/genuine", data={"code": "<script>alert(1)</script>12345678"})
        assert page.status_code == 200
        assert "没有查到" in page.text
        assert "script" not in page.text
        assert browser.post("/genuine", data={}).status_code == 200

    def test_it_is_kept_nowhere_and_framed_by_nobody(self, browser: TestClient) -> None:
        headers = browser.get("/genuine").headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]

    def test_too_many_are_told_to_wait(self, browser: TestClient) -> None:
        answers = [browser.post("/genuine", data={"code": "1"}).status_code for _ in range(WRONG_CHECKS + 1)]
        assert answers == [200] * WRONG_CHECKS + [429]
