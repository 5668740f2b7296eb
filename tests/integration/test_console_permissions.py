"""Who may do what in the operators' console: every route, every role."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from bot.identity.roles import Permission, Role, may
from tests.builders.console import Console, csrf_of
from tests.builders.desk import (
    a_conversation,
    an_operator,
)

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
NO_PAGES_TO_STAY_ON = ("documents", "files", ".csv", ".pdf", "rows")
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


def test_whoever_had_to_log_in_comes_to_the_page_they_asked_for(console: Console) -> None:
    for path in PAGES:
        if any(part in path for part in NO_PAGES_TO_STAY_ON):
            continue
        page = filled(path, "0" * 32)
        asked = console.browser.get(page).headers["location"]
        assert f'name="onward" value="{page}"' in console.browser.get(asked).text


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


@pytest.mark.parametrize("name", ["app.py", "none.css"])
def test_only_the_static_files_are_served(console: Console, name: str) -> None:
    assert console.browser.get(f"/console/static/{name}").status_code == 404


@pytest.mark.parametrize("name", ["../app.py", "..%2Fapp.py"])
def test_a_way_out_of_the_static_files_leads_to_the_login(console: Console, name: str) -> None:
    stranger = console.browser.get(f"/console/static/{name}")
    assert (stranger.status_code, stranger.headers["location"].split("?")[0]) == (303, "/console/login")
