"""Logging in to the operators' console, and what keeps others out of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.services import operators
from bot.services.operators import LoginRefusal
from tests.builders.console import Console
from tests.builders.desk import (
    PASSWORD,
    SetClock,
    a_conversation,
    a_desk,
    an_operator,
)


def test_a_right_password_opens_the_inbox_with_a_cookie_that_scripts_and_other_sites_cannot_use(
    console: Console,
) -> None:
    an_operator(console.deps)
    response = console.log_in()
    cookie = next(c for c in response.headers.get_list("set-cookie") if c.startswith("desk_operator="))
    assert response.headers["location"] == "/console/"
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert console.browser.get("/console/").status_code == 200


def test_behind_https_every_cookie_is_secure(tmp_path: Path) -> None:
    console = Console(a_desk(tmp_path, public_origin="https://desk.example.cn"), SetClock())
    an_operator(console.deps)
    cookies = console.browser.get("/console/login").headers.get_list("set-cookie")
    cookies += console.log_in().headers.get_list("set-cookie")
    cookies += console.browser.get("/console/").headers.get_list("set-cookie")
    given = [cookie for cookie in cookies if "Max-Age=0" not in cookie]
    assert len(given) >= 3
    assert all("Secure" in cookie for cookie in given)


def test_a_wrong_password_is_refused_and_the_login_is_kept(console: Console) -> None:
    an_operator(console.deps)
    response = console.log_in(password="not the password")
    assert response.status_code == 401
    assert "账号或密码不对" in response.text
    assert 'value="chen"' in response.text
    assert "desk_operator" not in console.browser.cookies


def test_an_unknown_login_is_answered_after_the_same_work_as_a_wrong_password(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_operator(console.deps)
    compared: list[str] = []

    def matches(stored: str, _password: str) -> bool:
        compared.append(stored)
        return False

    monkeypatch.setattr(operators, "password_matches", matches)
    answers = [console.log_in(login=login, password="not the password") for login in ("chen", "lin")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("账号或密码不对" in answer.text for answer in answers)
    assert len(compared) == 2, "the slow comparison is made for nobody too"


def test_a_login_that_no_database_stores_is_no_login(console: Console) -> None:
    response = console.log_in(login="chen\0")
    assert (response.status_code, response.content) == (422, b"")


def test_five_failures_lock_the_login_for_a_quarter_of_an_hour_even_for_the_right_password(console: Console) -> None:
    an_operator(console.deps)
    for _ in range(5):
        console.log_in(password="not the password")
    assert "已暂时锁定" in console.log_in().text
    console.clock.move(timedelta(minutes=16))
    assert console.log_in().status_code == 303


def test_a_right_password_wipes_the_failures_before_it(console: Console) -> None:
    an_operator(console.deps)
    for _ in range(2):
        for _ in range(4):
            operators.log_in(console.deps, "chen", "not the password")
        assert not isinstance(operators.log_in(console.deps, "chen", PASSWORD), LoginRefusal)


def test_guesses_made_at_once_all_count(console: Console) -> None:
    an_operator(console.deps)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: operators.log_in(console.deps, "chen", "a guess too many"), range(8)))
    assert outcomes.count(LoginRefusal.WRONG) == operators.ALLOWED_FAILURES
    assert outcomes.count(LoginRefusal.LOCKED) == 8 - operators.ALLOWED_FAILURES


def test_a_login_form_that_the_browser_did_not_ask_for_is_refused(console: Console) -> None:
    an_operator(console.deps)
    form = {"csrf": "made up", "login": "chen", "password": PASSWORD}
    assert console.browser.post("/console/login", data=form).status_code == 403
    console.browser.get("/console/login")
    assert console.browser.post("/console/login", data=form).status_code == 403
    assert "desk_operator" not in console.browser.cookies


def test_the_login_leads_back_to_the_page_that_was_asked_for(console: Console) -> None:
    an_operator(console.deps)
    conversation = a_conversation(console.deps)
    asked = console.browser.get(f"/console/c/{conversation}")
    assert asked.status_code == 303
    assert f"/console/c/{conversation}" in console.browser.get(asked.headers["location"]).text
    assert console.log_in(onward=f"/console/c/{conversation}").headers["location"] == f"/console/c/{conversation}"


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/console/../../x", "/\\evil.example"])
def test_the_login_never_leads_anywhere_else(console: Console, onward: str) -> None:
    an_operator(console.deps)
    assert console.log_in(onward=onward).headers["location"] == "/console/"


def test_logging_out_ends_the_session_on_the_server(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    token = console.browser.cookies["desk_operator"]
    assert console.post("/console/logout").headers["location"] == "/console/login"
    console.browser.cookies.set("desk_operator", token)
    assert console.browser.get("/console/").status_code == 303
