"""The operators' console over a real SQLite file: who gets in, who may do what, and what a page shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from httpx import Response
from sqlalchemy import func, select

from bot.console.live import LiveFeed, changes, events
from bot.console.rendering import Pages
from bot.desk.canned import Stage
from bot.desk.ownership import Owner, QueueReason
from bot.identity.masking import mask_numbers
from bot.identity.roles import Permission, Role, may
from bot.outreach.gate import HoldKind
from bot.services import handoff, heartbeats, inbox, operators
from bot.services.care import CareRefusal
from bot.services.case_desk import Refused
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.handoff import Done, Refusal
from bot.services.inbound import record_text
from bot.services.operator_login import StepRefusal
from bot.services.operators import LoginRefusal, LoginStep
from bot.services.reveal import NotRevealed, RevealReason
from bot.store.tables import AuditEntry, Hold, Message
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import (
    PASSWORD,
    Said,
    SetClock,
    Talk,
    a_borrower,
    a_conversation,
    a_debt,
    a_desk,
    an_operator,
    reviewing,
)


class Console(ConsoleBrowser):
    """A console, its browser, and the conversations that it told the gateway about."""

    def log_in(self, login: str = "chen", password: str = PASSWORD, onward: str = "") -> Response:
        """Fill in the login form."""
        page = self.browser.get("/console/login")
        form = {"csrf": csrf_of(page), "login": login, "password": password, "onward": onward}
        response: Response = self.browser.post("/console/login", data=form)
        return response

    def post(self, path: str, **form: str) -> Response:
        """Send a form with the session's own CSRF token."""
        response: Response = self.browser.post(path, data={"csrf": self.csrf, **form})
        return response

    def act(self, conversation_id: str, act: str, **form: str) -> Response:
        """Act on a conversation."""
        return self.post(f"/console/c/{conversation_id}/{act}", **form)


def csrf_of(page: Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


def count_of(deps: Deps, event: str) -> int:
    with deps.begin() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.event == event)) or 0


def said_by_operators(deps: Deps, conversation_id: str) -> list[str]:
    with deps.begin() as session:
        rows = session.scalars(
            select(Message.text).where(Message.conversation_id == conversation_id, Message.author == Author.OPERATOR)
        )
        return list(rows)


@pytest.fixture
def one_look_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the feed look only when the test says so."""
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 3600)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield Console(deps, clock)
    deps.database.engine.dispose()


# Logging in ----------------------------------------------------------------------------------------------------------


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


def test_whoever_had_to_log_in_comes_to_the_page_they_asked_for(console: Console) -> None:
    for path in PAGES:
        if any(
            part in path for part in ("documents", "files", ".csv", ".pdf", "rows")
        ):  # these are no pages to stay on
            continue
        page = filled(path, "0" * 32)
        asked = console.browser.get(page).headers["location"]
        assert f'name="onward" value="{page}"' in console.browser.get(asked).text


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


# Who may do what -----------------------------------------------------------------------------------------------------

OPEN = "open"
NOWHERE = "/console/{address:path}"
LOGGED_IN = "logged in"
ROUTES: dict[tuple[str, str], Permission | str] = {
    ("GET", "/console/static/{name}"): OPEN,
    ("GET", "/console/login"): OPEN,
    ("POST", "/console/login"): OPEN,
    ("GET", "/console/login/step"): OPEN,
    ("POST", "/console/login/code"): OPEN,
    ("POST", "/console/login/password"): OPEN,
    ("POST", "/console/logout"): LOGGED_IN,
    ("GET", NOWHERE): LOGGED_IN,
    ("GET", "/console/"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/list"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/live"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/documents/{document_id}"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/approvals"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/approvals/list"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/approvals/{approval_id}"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/approvals/{approval_id}/files/{note_id}"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/approvals/{approval_id}/ask"): Permission.REPLY,
    ("POST", "/console/approvals/{approval_id}/decide"): Permission.REPLY,
    ("GET", "/console/c/{conversation_id}"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/c/{conversation_id}/turns"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/c/{conversation_id}/take"): Permission.TAKE_CONVERSATIONS,
    ("POST", "/console/c/{conversation_id}/give-back"): Permission.TAKE_CONVERSATIONS,
    ("POST", "/console/c/{conversation_id}/assign"): Permission.ASSIGN_CONVERSATIONS,
    ("POST", "/console/c/{conversation_id}/reply"): Permission.REPLY,
    ("GET", "/console/c/{conversation_id}/offers"): Permission.REPLY,
    ("POST", "/console/c/{conversation_id}/offers"): Permission.REPLY,
    ("GET", "/console/call-backs"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/c/{conversation_id}/call-back"): Permission.REPLY,
    ("POST", "/console/c/{conversation_id}/call-back/settle"): Permission.REPLY,
    ("POST", "/console/tone"): Permission.REPLY,
    ("GET", "/console/payments"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/payments/{import_id}"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/payments/try"): Permission.IMPORT_PAYMENTS,
    ("POST", "/console/payments/apply"): Permission.IMPORT_PAYMENTS,
    ("POST", "/console/payments/traces/{trace_id}/close"): Permission.REPLY,
    ("POST", "/console/payments/traces/{trace_id}/found"): Permission.REPLY,
    ("POST", "/console/c/{conversation_id}/holds/{hold_id}/lift"): Permission.LIFT_HOLDS,
    ("GET", "/console/cases"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/cases/{case_id}"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/cases/{case_id}/files/{note_id}"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/cases/{case_id}/act"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/cases/{case_id}/extend"): Permission.DECIDE_CASES,
    ("POST", "/console/cases/{case_id}/kind"): Permission.REPLY,
    ("POST", "/console/cases/{case_id}/note"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/cases/{case_id}/attach"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/cases/{case_id}/finding"): Permission.DECIDE_CASES,
    ("GET", "/console/search"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/search"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/search/export"): Permission.EXPORT_TRANSCRIPTS,
    ("GET", "/console/c/{conversation_id}/replay"): Permission.READ_CONVERSATIONS,
    ("GET", "/console/c/{conversation_id}/transcript.pdf"): Permission.EXPORT_TRANSCRIPTS,
    ("POST", "/console/c/{conversation_id}/misread"): Permission.REPLY,
    ("GET", "/console/readings"): Permission.READ_CONVERSATIONS,
    ("POST", "/console/readings/export"): Permission.CORRECT_READINGS,
    ("POST", "/console/readings/{turn_id}/suggest"): Permission.REPLY,
    ("POST", "/console/readings/{turn_id}/correct"): Permission.CORRECT_READINGS,
    ("POST", "/console/readings/{turn_id}/discard"): Permission.CORRECT_READINGS,
    ("GET", "/console/quality"): Permission.REVIEW_QUALITY,
    ("GET", "/console/reports"): Permission.READ_REPORTS,
    ("GET", "/console/reports/rows"): Permission.READ_REPORTS,
    ("GET", "/console/reports/figures.csv"): Permission.READ_REPORTS,
    ("GET", "/console/events"): Permission.RESEND_EVENTS,
    ("POST", "/console/events/again"): Permission.RESEND_EVENTS,
    ("POST", "/console/c/{conversation_id}/holds"): Permission.REPLY,
    ("POST", "/console/c/{conversation_id}/care"): Permission.REPLY,
    ("POST", "/console/c/{conversation_id}/reveal"): Permission.REVEAL_DETAILS,
    ("POST", "/console/c/{conversation_id}/cases"): Permission.REPLY,
    ("GET", "/console/operators"): Permission.MANAGE_OPERATORS,
    ("POST", "/console/operators"): Permission.MANAGE_OPERATORS,
    ("POST", "/console/operators/{operator_id}"): Permission.MANAGE_OPERATORS,
    ("POST", "/console/operators/{operator_id}/act"): Permission.MANAGE_OPERATORS,
    ("POST", "/console/quality/draw"): Permission.REVIEW_QUALITY,
    ("POST", "/console/quality/flaws/{finding_id}/seen"): Permission.REVIEW_QUALITY,
    ("POST", "/console/quality/{review_id}"): Permission.REVIEW_QUALITY,
}
NOT_TAKEN_UP = (Refused.NO_TEXT, Refused.TEXT_TOO_LONG, Refused.DAY_OUT_OF_RANGE, Refused.NOTHING_TO_DISPUTE)
"""Why a case is not opened on somebody's behalf, beside what other acts are refused for."""
GUARDED = [(method, path, need) for (method, path), need in ROUTES.items() if need != OPEN]
PAGES = (
    "/console/",
    "/console/c/{conversation_id}",
    "/console/documents/{document_id}",
    "/console/approvals",
    "/console/approvals/{approval_id}",
    "/console/approvals/{approval_id}/files/{note_id}",
    "/console/payments",
    "/console/payments/{import_id}",
    "/console/cases",
    "/console/cases/{case_id}",
    "/console/cases/{case_id}/files/{note_id}",
    "/console/search",
    "/console/c/{conversation_id}/offers",
    "/console/c/{conversation_id}/replay",
    "/console/c/{conversation_id}/transcript.pdf",
    "/console/readings",
    "/console/quality",
    "/console/reports",
    "/console/reports/rows",
    "/console/reports/figures.csv",
    "/console/operators",
    "/console/call-backs",
    "/console/events",
)
STREAM = "/console/live"
"""Never ends by itself, so only refusals are asked over HTTP; its frames have tests of their own."""


def test_the_table_of_routes_is_complete(console: Console) -> None:
    routes = [route for route in console.router.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(console.router.routes)
    assert {(method, route.path) for route in routes for method in route.methods or ()} == set(ROUTES)


def filled(path: str, conversation_id: str) -> str:
    return path.replace(":path", "").format(
        conversation_id=conversation_id,
        hold_id="0" * 32,
        document_id="0" * 32,
        approval_id="0" * 32,
        import_id="0" * 32,
        trace_id="0" * 32,
        case_id="0" * 32,
        note_id="0" * 32,
        turn_id="0" * 32,
        finding_id="0" * 32,
        review_id="0" * 32,
        operator_id="0" * 32,
        name="console.css",
        address="nowhere",
    )


def test_without_a_session_pages_lead_to_the_login_and_everything_else_is_refused(console: Console) -> None:
    conversation = a_conversation(console.deps)
    for method, path, _ in GUARDED:
        form = {"csrf": "made up", "key": str(uuid4()), "text": "您好"}
        address = filled(path, conversation)
        response = console.browser.request(method, address, data=form if method == "POST" else None)
        if method == "GET" and path in (*PAGES, NOWHERE):
            assert response.status_code == 303, path
            assert response.headers["location"].startswith("/console/login"), path
        else:
            assert response.status_code == 403, path
    assert console.told == []


@pytest.mark.parametrize("role", Role)
def test_a_role_may_use_exactly_the_routes_it_has_the_permission_for(console: Console, role: Role) -> None:
    wrong = []
    for number, (method, path, need) in enumerate(GUARDED):
        allowed = not isinstance(need, Permission) or may(role, need)
        if path == STREAM and allowed:
            continue
        console.log_in_as(role, f"{role.value}-{number}")  # anew: one of the routes ends the session
        address = filled(path, a_conversation(console.deps))
        if method == "POST":
            response = console.post(address, key=str(uuid4()), text="您好")
        else:
            response = console.browser.get(address)
        if (response.status_code != 403) is not allowed:
            wrong.append((method, path, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("token", ["", "made up"])
def test_a_change_without_the_sessions_token_is_refused(console: Console, token: str) -> None:
    an_operator(console.deps, role=Role.ADMIN)
    console.log_in()
    conversation = a_conversation(console.deps)
    for method, path, _ in GUARDED:
        if method == "POST":
            form = {"csrf": token, "key": str(uuid4()), "text": "您好"}
            assert console.browser.post(filled(path, conversation), data=form).status_code == 403, path
    assert console.told == []
    assert console.browser.get("/console/").status_code == 200


def test_another_sessions_token_is_refused(console: Console) -> None:
    an_operator(console.deps)
    an_operator(console.deps, login="li")
    console.log_in(login="li")
    token = csrf_of(console.browser.get("/console/"))
    console.browser = console.new_browser()
    console.log_in()
    conversation = a_conversation(console.deps)
    assert console.browser.post(f"/console/c/{conversation}/take", data={"csrf": token}).status_code == 403


def test_every_answer_forbids_foreign_content_and_pages_are_not_cached(console: Console) -> None:
    for path in ("/console/login", "/console/", "/console/list", "/console/static/console.css", "/console/c/nonsense"):
        headers = console.browser.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; style-src 'self'")
        assert ("immutable" if "static" in path else "no-store") in headers["cache-control"]


@pytest.mark.parametrize("name", ["../app.py", "app.py", "..%2Fapp.py", "none.css"])
def test_only_the_static_files_are_served(console: Console, name: str) -> None:
    stranger = console.browser.get(f"/console/static/{name}", follow_redirects=False)
    assert stranger.status_code == 404 or stranger.headers["location"].startswith("/console/login?")
    assert "def " not in stranger.text


# Taking, replying, giving back ---------------------------------------------------------------------------------------


def test_taking_tells_the_borrower_and_the_gateway(console: Console) -> None:
    an_operator(console.deps, name="小陈")
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    assert console.act(conversation, "take").headers["location"] == f"/console/c/{conversation}#done"
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "我在跟进" in page
    assert "小陈来接着和您说了" in page
    assert console.told == [conversation]


def test_of_two_operators_who_take_at_once_exactly_one_wins(console: Console) -> None:
    people = [an_operator(console.deps, login=f"operator{n}", name=f"坐席{n}") for n in range(2)]
    for _ in range(10):
        conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
        take = partial(handoff.take, console.deps, conversation)
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(take, people))
        assert outcomes.count(Done(Owner.HUMAN)) == 1
        assert outcomes.count(Refusal.NOT_ALLOWED) == 1


def test_taking_what_a_colleague_has_is_refused_in_a_sentence(console: Console) -> None:
    an_operator(console.deps)
    other = an_operator(console.deps, login="li", name="李敏")
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=other))
    response = console.act(conversation, "take")
    assert response.status_code == 409
    assert "已经有同事在跟进" in response.text
    assert console.told == []


def test_only_the_owner_can_reply_and_what_was_typed_is_given_back(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    response = console.act(conversation, "reply", key=str(uuid4()), text="我写了很久的话")
    assert response.status_code == 409
    assert "不由您跟进" in response.text
    assert "我写了很久的话</textarea>" in response.text
    assert said_by_operators(console.deps, conversation) == []
    assert console.told == []


def test_a_form_sent_twice_is_said_once(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    key = str(uuid4())
    for _ in range(2):
        assert console.act(conversation, "reply", key=key, text="您好\r\n我看到了").status_code == 303
    console.act(conversation, "reply", key=str(uuid4()), text="还在吗")
    assert said_by_operators(console.deps, conversation) == ["您好\n我看到了", "还在吗"]


def test_every_page_makes_its_own_reply_key(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    pages = [console.browser.get(f"/console/c/{conversation}").text for _ in range(2)]
    keys = {key for page in pages for key in re.findall(r'name="key" value="([0-9a-f-]{36})"', page)}
    assert len(keys) == 2


@pytest.mark.parametrize(("text", "sentence"), [("  ", "回复是空的"), ("长" * 1001, "太长")])
def test_a_reply_that_cannot_be_sent_is_refused_in_a_sentence(console: Console, text: str, sentence: str) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    response = console.act(conversation, "reply", key=str(uuid4()), text=text)
    assert response.status_code == 409
    assert sentence in response.text
    assert text in response.text


def test_words_that_must_not_be_said_are_given_back_with_what_to_write_instead(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    typed = "您好。再不还就要坐 牢，我们会联系您的家人。"
    response = console.act(conversation, "reply", key=str(uuid4()), text=typed)
    assert response.status_code == 409
    assert f"{typed}</textarea>" in response.text
    assert "<q>坐 牢</q>" in response.text
    assert response.text.count("<li><q>") == len(handoff.unfitting(console.deps, typed)) >= 2
    assert said_by_operators(console.deps, conversation) == []
    assert console.told == []


def test_the_audit_of_words_that_were_not_sent_names_rules_and_holds_no_text(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    console.act(conversation, "reply", key=str(uuid4()), text="不还就让您坐牢")
    with console.deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "reply_unfitting")).one()
    assert (entry.actor_id, entry.subject_id, entry.detail) == (me, conversation, {"rules": "jail"})


def test_words_mended_after_a_refusal_are_sent(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    refused = console.act(conversation, "reply", key=str(uuid4()), text="不还就让您坐牢")
    key = re.findall(r'name="key" value="([0-9a-f-]{36})"', refused.text)[0]
    assert console.act(conversation, "reply", key=key, text="还不上一般不会坐牢，我们看看怎么排。").status_code == 303
    assert said_by_operators(console.deps, conversation) == ["还不上一般不会坐牢，我们看看怎么排。"]


def test_a_person_may_say_that_they_are_one(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    assert console.act(conversation, "reply", key=str(uuid4()), text="我是真人，您慢慢说。").status_code == 303


@pytest.mark.parametrize(("typed", "found"), [("父债子偿", 1), ("您慢慢说", 0), ("", 0), ("好" * 5000, 0)])
def test_what_is_being_typed_can_be_checked_before_it_is_sent(console: Console, typed: str, found: int) -> None:
    an_operator(console.deps)
    console.log_in()
    response = console.post("/console/tone", text=typed)
    assert response.status_code == 200
    assert response.text.count("<li>") == found
    assert count_of(console.deps, "reply_unfitting") == 0


def test_what_is_being_typed_is_never_markup(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    assert "<b>" not in console.post("/console/tone", text="<b>坐<b>牢").text


def test_giving_back_hands_the_conversation_to_the_bot(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me, reason=QueueReason.ASKED))
    assert console.act(conversation, "give-back").status_code == 303
    assert console.told == [conversation]
    assert console.act(conversation, "give-back").status_code == 409
    assert inbox.listing(console.deps, reviewing())[0].owner is Owner.BOT


def test_a_supervisor_lifts_a_hold_once(console: Console) -> None:
    an_operator(console.deps, role=Role.SUPERVISOR)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(holds=(HoldKind.COMPLAINT,)))
    with console.deps.begin() as session:
        hold_id = session.scalars(select(Hold.id)).one()
    assert f"/holds/{hold_id}/lift" in console.browser.get(f"/console/c/{conversation}").text
    assert console.act(conversation, f"holds/{hold_id}/lift").status_code == 303
    assert console.act(conversation, f"holds/{hold_id}/lift").status_code == 409
    assert count_of(console.deps, "hold_lifted") == 1


def test_who_may_not_lift_holds_sees_no_button_for_it(console: Console) -> None:
    an_operator(console.deps, role=Role.AGENT)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(holds=(HoldKind.COMPLAINT,)))
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "投诉" in page
    assert "/lift" not in page


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("REFUSAL", [*Refusal, *CareRefusal, *NOT_TAKEN_UP, *NotRevealed, "unfitting", "hold_gone"]),
        ("REVEAL_REASON", [*RevealReason]),
        ("STAGE", [*Stage]),
        ("LOGIN", [*LoginRefusal, "stale_form", StepRefusal.OVER]),
        ("LOGIN_STEP", [*LoginStep]),
        ("STEP_REFUSAL", [*StepRefusal, "stale_form"]),
        ("HOLD", [*HoldKind]),
        ("REASON", [*QueueReason]),
        ("OWNER", [*Owner]),
        ("ROLE", [*Role]),
        ("AUTHOR", [*Author]),
    ],
)
def test_every_code_that_a_page_can_show_has_words(console: Console, table: str, codes: list[str]) -> None:
    words = Pages(console.deps).words()[table]
    assert {str(code) for code in codes} == set(words)
    assert all(words.values())


# What the pages show -------------------------------------------------------------------------------------------------


def test_opening_a_conversation_is_audited_and_following_it_is_not(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps)
    console.browser.get(f"/console/c/{conversation}")
    for path in ("/console/", "/console/list", f"/console/c/{conversation}/turns?after=1"):
        assert console.browser.get(path).status_code == 200
    with console.deps.begin() as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.event == "transcript_read")).one()
    assert (read.actor_id, read.subject_id) == (me, conversation)


def test_asking_for_all_turns_is_audited_every_time(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps)
    for times in (1, 2):
        console.browser.get(f"/console/c/{conversation}/turns?after=0")
        assert count_of(console.deps, "transcript_read") == times


def test_following_what_one_has_not_opened_today_is_audited_once(console: Console) -> None:
    someone = an_operator(console.deps, "lin", "小林")
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said("一"), Said("二"))))
    inbox.transcript(console.deps, conversation, reviewing(someone))
    inbox.transcript(console.deps, a_conversation(console.deps), reviewing(me))
    for _ in range(2):
        assert inbox.turns_after(console.deps, conversation, 1, reviewing(me))
        assert count_of(console.deps, "transcript_read") == 3
    console.clock.move(timedelta(hours=12))
    inbox.turns_after(console.deps, conversation, 1, reviewing(me))
    assert count_of(console.deps, "transcript_read") == 4


def test_looking_for_a_conversation_that_is_not_there_is_no_reading(console: Console) -> None:
    me = an_operator(console.deps)
    assert inbox.turns_after(console.deps, "0" * 32, 0, reviewing(me)) is None
    assert count_of(console.deps, "transcript_read") == 0


PHONE = "13912345678"
ID_NUMBER = "11010519491231002X"


def test_no_page_shows_an_identity_number_or_a_full_phone_or_name(console: Console) -> None:
    an_operator(console.deps, role=Role.ADMIN)
    console.log_in()
    borrower = a_borrower(console.deps, name="欧阳小测", phone=PHONE, id_number=ID_NUMBER)
    said = (
        Said(f"我手机{PHONE},身份证{ID_NUMBER}", intent="inform", entities=(("phone", PHONE),)),
        Said("139 1234 5678 是我,卡号6222-0000-1111-2222"),
        Said("后四位002X,验证码483920", intent="verify_identity", entities=(("tail", "002X"),)),
        Said(f"还是{PHONE}"),
    )
    talk = Talk(said=said, borrower_id=borrower, verified=True, holds=(HoldKind.DISPUTE,))
    conversation = a_conversation(console.deps, talk)
    for path in ("/", "/list", f"/c/{conversation}", f"/c/{conversation}/turns?after=0"):
        page = console.browser.get(f"/console{path}").text
        for secret in (PHONE, "139 1234 5678", ID_NUMBER, "002X", "483920", "6222", "小测"):
            assert secret not in page, (path, secret)
    page = console.browser.get(f"/console/c/{conversation}").text
    for shown in ("欧***", "139****5678", "****2X", "已核实"):
        assert shown in page


def test_a_bare_number_is_hidden_when_it_proved_identity_and_shown_when_it_is_an_income(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = (
        Said("483920", intent="inform", actions=("verify_form",)),
        Said("3721", intent="inform", actions=("verify_form", "action_after_verification", "action_tell_balance")),
        Said("6543", intent="verify_identity", actions=("plan_form",)),
        Said("8765", handling="pending"),
    )
    conversation = a_conversation(console.deps, Talk(said=said))
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "6543" in page
    for secret in ("483920", "3721", "8765"):
        assert f">{secret}<" not in page


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("483920", "483920"),
        ("６５４３", "６５４３"),
        ("3721。", "3721"),
        ("483 920", "483"),
        ("是483920", "483920"),
        ("尾号3721", "3721"),
        ("應該是後四位 3721", "3721"),
        ("是372x吧", "372x"),
    ],
)
def test_what_proves_identity_is_hidden_from_the_person_who_answers(console: Console, text: str, secret: str) -> None:
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said(text, handling="held"),)))
    read = inbox.transcript(console.deps, conversation, reviewing(me))
    assert read is not None
    assert secret not in read.turns[0].text
    assert secret not in read.row.last_text


@pytest.mark.parametrize("text", ["我一个月到手6000", "欠了120000元", "2026年还不上", "每月能还1500"])
def test_sums_told_to_the_person_who_answers_are_shown(console: Console, text: str) -> None:
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said(text, handling="held"),)))
    read = inbox.transcript(console.deps, conversation, reviewing(me))
    assert read is not None
    assert read.turns[0].text == text


@pytest.mark.parametrize("text", ["每月1500.50元", "2026-11-21 10:30还1500", "800 或 1000", "合同1234567890"])
def test_amounts_and_dates_are_shown_as_they_were_typed(text: str) -> None:
    assert mask_numbers(text) == text


def test_what_a_borrower_types_is_never_markup(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(said=(Said("<script>alert(1)</script>"),)))
    for path in ("/console/", f"/console/c/{conversation}"):
        page = console.browser.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_turn_shows_what_the_bot_made_of_it(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = Said("每月800", intent="propose_payment", confidence=0.876, entities=(("amount", "800"),), actions=("a_b",))
    page = console.browser.get(f"/console/c/{a_conversation(console.deps, Talk(said=(said,)))}").text
    for shown in ("propose_payment", "88%", "amount=800", "a_b"):
        assert shown in page


def test_a_proof_of_identity_that_has_lapsed_is_not_shown_as_valid(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    talk = Talk(borrower_id=a_borrower(console.deps), verified=True)
    conversation = a_conversation(console.deps, talk)
    console.clock.move(timedelta(minutes=31))
    assert "核实已过期" in console.browser.get(f"/console/c/{conversation}").text


def test_debts_are_shown_while_the_borrower_is_verified_and_not_afterwards(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    borrower = a_borrower(console.deps)
    for principal_fen in (123450, 80000):
        a_debt(console.deps, borrower, principal_fen)
    conversation = a_conversation(console.deps, Talk(borrower_id=borrower, verified=True))
    page = console.browser.get(f"/console/c/{conversation}").text
    for shown in ("¥1,234.50", "¥800.00", "¥2,034.50", "逾期 30 天", "截至 11月21日"):
        assert shown in page
    console.clock.move(timedelta(minutes=31))
    assert "¥" not in console.browser.get(f"/console/c/{conversation}").text


def test_a_contract_that_makes_no_sense_does_not_shut_the_conversation(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    borrower = a_borrower(console.deps)
    a_debt(console.deps, borrower, 80000, allocation="nonsense")
    conversation = a_conversation(console.deps, Talk(said=(Said("在吗"),), borrower_id=borrower, verified=True))
    page = console.browser.get(f"/console/c/{conversation}")
    assert page.status_code == 200
    assert "在吗" in page.text
    assert "请先不要报数字" in page.text


def test_danger_comes_first_then_the_queue_in_its_order_then_the_latest(console: Console) -> None:
    def talk(owner: Owner, reason: QueueReason | None, waited: int = 0, *holds: HoldKind) -> str:
        said = (Said("在吗", minutes_ago=waited),)
        return a_conversation(console.deps, Talk(said, owner=owner, reason=reason, waited_minutes=waited, holds=holds))

    old = talk(Owner.BOT, None, 50)
    new = talk(Owner.BOT, None, 1)
    asked = talk(Owner.QUEUED, QueueReason.ASKED, 40)
    complaint = talk(Owner.QUEUED, QueueReason.COMPLAINT, 2)
    waits_longer = talk(Owner.QUEUED, QueueReason.COMPLAINT, 9)
    held = talk(Owner.BOT, None, 60, HoldKind.DISTRESS)
    distress = talk(Owner.QUEUED, QueueReason.DISTRESS, 0)
    rows = inbox.listing(console.deps, reviewing())
    assert [row.id for row in rows] == [distress, waits_longer, complaint, asked, held, new, old]
    assert [row.id for row in rows if row.in_danger] == [distress, held]


def test_a_long_list_never_cuts_off_who_waits(console: Console) -> None:
    waiting = a_conversation(
        console.deps, Talk((Said("有人吗", minutes_ago=900),), owner=Owner.QUEUED, reason=QueueReason.ASKED)
    )
    for _ in range(4):
        a_conversation(console.deps)
    assert waiting in [row.id for row in inbox.listing(console.deps, reviewing(), limit=3)]


def test_danger_is_said_in_words(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.DISTRESS, holds=(HoldKind.DISTRESS,)))
    page = console.browser.get("/console/").text
    assert "危急" in page
    assert 'data-attention="danger"' in page
    assert "<title>(1) " in page


def test_the_list_shows_what_the_operator_chose_on_every_page(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    waiting = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    mine = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    others = a_conversation(console.deps)
    shown = {"all": {waiting, mine, others}, "waiting": {waiting}, "mine": {mine}}
    for choice, expected in shown.items():
        console.browser.get(f"/console/?show={choice}")
        assert set(re.findall(r'data-id="(\w+)"', console.browser.get("/console/list").text)) == expected
        assert set(re.findall(r'data-id="(\w+)"', console.browser.get(f"/console/c/{mine}").text)) == expected


def test_an_unknown_conversation_is_said_to_be_gone(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    for path in ("", "/turns"):
        response = console.browser.get(f"/console/c/{'0' * 32}{path}")
        assert response.status_code == 404
        assert "没有找到这个会话" in response.text
    assert console.act("0" * 32, "take").status_code == 404


def test_an_address_that_is_no_page_is_said_to_be_none_and_asks_strangers_to_log_in(console: Console) -> None:
    stranger = console.browser.get("/console/reprots", follow_redirects=False)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/console/login?next=/console/reprots")
    an_operator(console.deps)
    console.log_in()
    for path in ("reprots", "c/nonsense/nowhere", "static/none/none.css"):
        response = console.browser.get(f"/console/{path}")
        assert response.status_code == 404
        assert "没有这个页面" in response.text
        assert "回到收件箱" in response.text


# Live ----------------------------------------------------------------------------------------------------------------


def test_the_update_holds_only_newer_turns(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(said=(Said("一"), Said("二"), Said("三"))))
    page = console.browser.get(f"/console/c/{conversation}/turns?after=2").text
    assert re.findall(r'data-seq="(\d+)"', page) == ["3"]


def test_a_listener_is_told_of_every_kind_of_change_and_of_nothing_else(
    console: Console, one_look_at_a_time: None
) -> None:
    deps = console.deps
    me = an_operator(deps)
    quiet, writes, asks, withdraws, taken = (
        a_conversation(deps, Talk(owner=owner, reason=reason))
        for owner, reason in (
            (Owner.BOT, None),
            (Owner.BOT, None),
            (Owner.BOT, None),
            (Owner.QUEUED, QueueReason.ASKED),
            (Owner.QUEUED, QueueReason.ASKED),
        )
    )
    long_quiet = a_conversation(
        deps, Talk((Said("在", minutes_ago=300),), owner=Owner.QUEUED, reason=QueueReason.ASKED)
    )

    async def follow() -> tuple[set[str], set[str], set[str]]:
        feed = LiveFeed(deps, lambda: False)
        async with feed.listening() as listener:
            record_text(deps, writes, "a key", "有人吗")
            handoff.ask_human(deps, asks, QueueReason.ASKED)
            handoff.withdraw(deps, withdraws)
            handoff.withdraw(deps, long_quiet)
            handoff.take(deps, taken, me)
            await feed.look()
            first = await listener.next(0)
            await feed.look()
            second = await listener.next(0)
            console.clock.move(timedelta(hours=1))
            await feed.look()
            return first, second, await listener.next(0)

    first, second, later = asyncio.run(follow())
    assert first == {writes, asks, withdraws, taken, long_quiet}
    assert quiet not in first
    assert second == set()
    assert later == set()


def test_a_sign_of_distress_while_a_person_answers_is_a_change() -> None:
    calm = inbox.Pulse(3, Owner.HUMAN, None, "me", in_danger=False)
    danger = inbox.Pulse(3, Owner.HUMAN, None, "me", in_danger=True)
    assert changes({"a": calm, "b": calm}, {"a": danger, "b": calm}) == {"a"}


def test_a_stream_names_what_changed_and_ends_when_the_feed_closes(console: Console, one_look_at_a_time: None) -> None:
    conversation = a_conversation(console.deps)

    async def follow() -> list[str]:
        feed = LiveFeed(console.deps, lambda: False)
        stream = events(feed)
        frames = [await anext(stream)]
        record_text(console.deps, conversation, "a key", "有人吗")
        await feed.look()
        frames.append(await anext(stream))
        feed.close()
        frames.extend([frame async for frame in stream])
        return frames

    frames = asyncio.run(asyncio.wait_for(follow(), 5))
    assert frames[1] == f'event: changed\ndata: ["{conversation}"]\n\n'
    assert all(frame.startswith(":") for frame in frames[2:])


def test_streams_end_when_the_server_stops(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 0)

    async def follow() -> list[str]:
        return [frame async for frame in events(LiveFeed(console.deps, lambda: True))]

    frames = asyncio.run(asyncio.wait_for(follow(), 5))
    assert not any("changed" in frame for frame in frames)


def test_a_stream_ends_after_its_time_so_that_a_session_that_ended_is_noticed(console: Console) -> None:
    async def follow() -> list[str]:
        return [frame async for frame in events(LiveFeed(console.deps, lambda: False), stream_seconds=0.05)]

    assert asyncio.run(asyncio.wait_for(follow(), 5))


def test_a_database_that_is_away_for_a_moment_does_not_end_the_looking(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def failing(_deps: Deps, _since: object) -> dict[str, inbox.Pulse]:
        looks.append(1)
        if len(looks) == 2:
            raise ConnectionError
        return {}

    monkeypatch.setattr(inbox, "pulse", failing)
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 0)

    async def follow() -> None:
        feed = LiveFeed(console.deps, lambda: False)
        async with feed.listening():
            while len(looks) < 4:
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(follow(), 5))
    assert len(looks) >= 4


def test_danger_rings_for_the_queue_and_the_one_who_answers_but_not_for_colleagues(console: Console) -> None:
    me = an_operator(console.deps)
    other = an_operator(console.deps, login="li", name="李敏")
    console.log_in()
    distress = (HoldKind.DISTRESS,)
    waiting = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.DISTRESS, holds=distress))
    mine = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me, holds=distress))
    theirs = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=other, holds=distress))
    page = console.browser.get("/console/list").text
    rings = dict(re.findall(r'data-id="(\w+)" data-attention="(\w*)"', page))
    assert rings == {waiting: "danger", mine: "danger", theirs: ""}
    assert page.count("危急</span>") == 3


# Whether notices go out ----------------------------------------------------------------------------------------------


def test_a_silent_scheduler_is_said_in_the_header_and_a_living_one_is_not(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = "提醒程序没有在运行"
    assert said in console.browser.get("/console/").text
    heartbeats.beat(console.deps, heartbeats.SCHEDULER)
    assert said not in console.browser.get("/console/").text
    console.clock.move(heartbeats.longest_silence(console.deps) + timedelta(seconds=1))
    assert said in console.browser.get("/console/").text
