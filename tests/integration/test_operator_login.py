"""A login beyond the password: the app's code, setting it up in production, and a password of one's own."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from httpx import Response
from sqlalchemy import func, select, text

from bot.identity import totp
from bot.identity.roles import Role
from bot.services import operator_login, operators
from bot.services.deps import Deps
from bot.services.operator_login import StepRefusal
from bot.services.operators import ALLOWED_FAILURES, CreateRefusal, LoginRefusal, Unfinished
from bot.store.tables import AuditEntry, Operator, OperatorLogin, OperatorSession
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import PASSWORD, SetClock

OWN = "a password of my own"


@pytest.fixture
def live(deps: Deps) -> Deps:
    """A desk outside demo mode."""
    deps.settings.mode = "production"
    return deps


def an_operator(deps: Deps, *, must_change: bool = False) -> None:
    created = operators.create(deps, "chen", "小陈", Role.AGENT, PASSWORD, must_change=must_change)
    assert isinstance(created, str)


def test_a_new_operator_is_in_a_team_as_if_they_had_been_put_into_it(deps: Deps) -> None:
    created = operators.create(deps, "chen", "小陈", Role.AGENT, PASSWORD, " 一组 ")
    assert operators.create(deps, "wu", "小吴", Role.AGENT, PASSWORD, "组" * 41) is CreateRefusal.TEAM_TOO_LONG
    with deps.read() as session:
        assert session.get_one(Operator, created).team == "一组"
        assert session.scalar(select(Operator.id).where(Operator.login == "wu")) is None


def test_a_new_password_is_hashed_while_others_may_write(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(password: str) -> str:
        with deps.begin() as session:
            session.execute(text("DELETE FROM operator_login"))
        return password

    monkeypatch.setattr(operators, "hashed", slowly)
    an_operator(deps)


def entered(deps: Deps, password: str = PASSWORD) -> str:
    """Give the right password; returns the cookie of the step that is left."""
    outcome = operators.log_in(deps, "chen", password)
    assert isinstance(outcome, Unfinished), outcome
    return outcome.token


def secret_of(deps: Deps, token: str) -> bytes:
    view = operator_login.waiting_for(deps, token)
    assert view is not None
    assert view.secret is not None
    return totp.from_text(view.secret)


def code_now(deps: Deps, secret: bytes) -> str:
    return totp.code_at(secret, totp.step_at(deps.now()))


def enrolled(deps: Deps, clock: SetClock) -> bytes:
    """Set the second factor up and let its first code grow old; returns the secret."""
    token = entered(deps)
    secret = secret_of(deps, token)
    assert isinstance(operator_login.give_code(deps, token, code_now(deps, secret)), str)
    clock.move(timedelta(minutes=1))
    return secret


def test_outside_demo_mode_a_password_alone_opens_nothing_and_the_first_code_sets_the_app_up(live: Deps) -> None:
    an_operator(live)
    token = entered(live)
    assert operators.current(live, token) is None
    secret = secret_of(live, token)
    assert secret_of(live, token) == secret, "a page that is loaded again shows the same"
    session = operator_login.give_code(live, token, code_now(live, secret))
    assert isinstance(session, str)
    assert operators.current(live, session) is not None
    assert operator_login.waiting_for(live, token) is None
    with live.read() as read:
        row = read.scalars(select(Operator)).one()
        assert totp.to_text(secret) not in (row.totp_sealed or "")
        events = read.scalars(select(AuditEntry.event).where(AuditEntry.actor_id == row.id)).all()
        assert events == ["second_factor_set", "logged_in"]


def test_from_then_on_every_login_asks_for_a_code_and_each_counts_once(live: Deps, clock: SetClock) -> None:
    an_operator(live)
    secret = enrolled(live, clock)
    first, second = entered(live), entered(live)
    view = operator_login.waiting_for(live, first)
    assert view is not None
    assert view.secret is None, "the secret is shown while it is set up and never again"
    code = code_now(live, secret)
    assert isinstance(operator_login.give_code(live, first, code), str)
    assert operator_login.give_code(live, second, code) is StepRefusal.WRONG_CODE


def test_wrong_codes_lock_the_login_and_new_passwords_do_not_begin_the_count_anew(live: Deps, clock: SetClock) -> None:
    an_operator(live)
    secret = enrolled(live, clock)
    for _ in range(ALLOWED_FAILURES - 1):
        assert operator_login.give_code(live, entered(live), "000000") is StepRefusal.WRONG_CODE
    token = entered(live)
    assert operator_login.give_code(live, token, "000000") is StepRefusal.LOCKED
    assert operator_login.give_code(live, token, code_now(live, secret)) is StepRefusal.LOCKED
    assert operators.log_in(live, "chen", PASSWORD) is LoginRefusal.LOCKED
    clock.move(operators.LOCK)
    assert isinstance(operator_login.give_code(live, entered(live), code_now(live, secret)), str)


@pytest.mark.parametrize("wrong", [2, ALLOWED_FAILURES - 1])
def test_codes_guessed_while_a_right_password_is_looked_at_still_count(
    live: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    an_operator(live)
    enrolled(live, clock)
    token = entered(live)

    really = operators.password_matches

    def slowly(stored: str, password: str) -> bool:
        for _ in range(wrong):
            operator_login.give_code(live, token, "000000")
        return really(stored, password)

    monkeypatch.setattr(operators, "password_matches", slowly)
    outcome = operators.log_in(live, "chen", PASSWORD)
    with live.read() as read:
        operator = read.scalars(select(Operator)).one()
        if wrong == ALLOWED_FAILURES - 1:
            assert outcome is LoginRefusal.LOCKED
            assert operator.locked_until == live.now() + operators.LOCK
        else:
            assert isinstance(outcome, Unfinished)
            assert (operator.failed_logins, operator.locked_until) == (wrong, None)


def test_a_step_has_to_be_taken_in_time(live: Deps, clock: SetClock) -> None:
    an_operator(live)
    token = entered(live)
    secret = secret_of(live, token)
    clock.move(operators.STEPS_WITHIN)
    assert operator_login.waiting_for(live, token) is None
    assert operator_login.give_code(live, token, code_now(live, secret)) is StepRefusal.OVER
    assert operator_login.give_code(live, "made up", "000000") is StepRefusal.OVER
    entered(live)
    with live.read() as read:
        assert read.scalar(select(func.count()).select_from(OperatorLogin)) == 1, (
            "what is over goes with the next login"
        )


def test_a_first_password_is_replaced_before_anything_opens(deps: Deps) -> None:
    an_operator(deps, must_change=True)
    token = entered(deps)
    assert operator_login.give_code(deps, token, "000000") is StepRefusal.OVER
    assert operator_login.choose_password(deps, token, "short") is StepRefusal.TOO_SHORT
    assert operator_login.choose_password(deps, token, PASSWORD) is StepRefusal.SAME_AS_BEFORE
    assert isinstance(operator_login.choose_password(deps, token, OWN), str)
    assert operators.log_in(deps, "chen", PASSWORD) is LoginRefusal.WRONG
    assert isinstance(operators.log_in(deps, "chen", OWN), str)


def test_a_password_cannot_be_chosen_past_the_code(live: Deps) -> None:
    an_operator(live, must_change=True)
    token = entered(live)
    assert operator_login.choose_password(live, token, OWN) is StepRefusal.OVER
    assert isinstance(operator_login.give_code(live, token, code_now(live, secret_of(live, token))), Unfinished)
    assert isinstance(operator_login.choose_password(live, token, OWN), str)


def test_who_lost_their_phone_is_given_a_first_password_and_sets_the_app_up_again(live: Deps, clock: SetClock) -> None:
    an_operator(live)
    old = enrolled(live, clock)
    assert operator_login.reset(live, "chen", "short") is CreateRefusal.PASSWORD_TOO_SHORT
    assert operator_login.reset(live, "nobody", "another first one") is False
    assert operator_login.reset(live, "chen", "another first one") is True
    with live.read() as read:
        assert read.scalar(select(func.count()).select_from(OperatorSession)) == 0
    token = entered(live, "another first one")
    assert secret_of(live, token) != old
    assert isinstance(operator_login.give_code(live, token, code_now(live, secret_of(live, token))), Unfinished)


def test_the_pages_lead_through_every_step_to_where_somebody_wanted_to_go(live: Deps, clock: SetClock) -> None:
    an_operator(live, must_change=True)
    console = ConsoleBrowser(live, clock)
    browser = console.new_browser()
    browser.base_url = "https://testserver"  # cookies of production are for HTTPS alone

    def csrf(page: Response) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, page.text
        return found.group(1)

    form = {"csrf": csrf(browser.get("/console/login")), "login": "chen", "password": PASSWORD}
    moved = browser.post("/console/login", data=form | {"onward": "/console/search"})
    assert "desk_operator" not in browser.cookies
    page = browser.get(moved.headers["location"])
    shown = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert shown
    secret = totp.from_text(shown.group(1).replace(" ", ""))
    step = {"csrf": csrf(page), "onward": "/console/search"}
    assert "数字不对" in browser.post("/console/login/code", data=step | {"code": "000000"}).text
    assert browser.post("/console/login/code", data={"csrf": "made up", "code": "1"}).status_code == 403
    moved = browser.post("/console/login/code", data=step | {"code": code_now(live, secret)})
    page = browser.get(moved.headers["location"])
    assert "换成自己的密码" in page.text
    moved = browser.post("/console/login/password", data=step | {"password": OWN})
    assert moved.headers["location"] == "/console/search"
    assert browser.get("/console/search").status_code == 200
    assert "重新输入账号和密码" in browser.get("/console/login/step").text
