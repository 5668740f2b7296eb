"""Logging in and out, cookies, CSRF, and who may use which route."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from enum import Enum
from hmac import compare_digest
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.rendering import Pages, Stop
from bot.identity.roles import READS_ALL, Permission, may
from bot.services import operator_login, operators, reading_rights
from bot.services.operator_login import StepRefusal
from bot.services.operators import LoginRefusal, OperatorView, Unfinished

SESSION_COOKIE = "desk_operator"
STEP_COOKIE = "desk_login_step"
"""Stands for a login whose password was right and that lacks a step."""

LOGIN_COOKIE = "desk_login"
"""Holds the token that the login form must bring back, as there is no session yet to bind it to."""

_LONGEST_FORM = 16_384
"""Bytes of the login form, which anybody may send."""
STORABLE = r"^[^\x00]*$"
"""PostgreSQL stores every character but U+0000."""

_ID = re.compile(r"[0-9a-f]{32}")
_TOKEN_BYTES = 27
_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}")
"""What the desk makes of so many bytes; anything else in the cookie is somebody's and is not given back."""
_OWN_PAGE = re.compile(
    rf"{PREFIX}/(c/[0-9a-f]{{32}}(/replay|/offers)?|(approvals|payments|cases)(/[0-9a-f]{{32}})?|search|readings|quality|reports|operators|call-backs|events)?"
)


class Kind(Enum):
    """What a route answers to somebody who may not use it."""

    PAGE = "page"
    """Without a session: the login page. Without the permission: 403."""
    ACTION = "action"
    """403, for what a page's script or a form asks."""


class Access:
    """The dependency that guards a route: returns the operator, or ends the request.

    A route that changes something uses ``ChangeAccess``, which wants the session's CSRF token as well.
    """

    def __init__(self, pages: Pages, permission: Permission | None, kind: Kind) -> None:
        self.pages = pages
        self.permission = permission
        self.kind = kind

    def __call__(self, request: Request) -> OperatorView:
        """Return the operator who makes the request.

        Raises:
            Stop: there is no session, the role lacks the permission, or the conversation is not the operator's to read.
        """
        token = request.cookies.get(SESSION_COOKIE)
        operator = operators.current(self.pages.deps, token) if token else None
        if operator is None:
            if self.kind is Kind.PAGE:
                raise Stop(RedirectResponse(f"{PREFIX}/login?next={request.url.path}", 303))
            raise Stop(self.pages.render("refused.html", status=403, reason="no_session"))
        if self.permission is not None and not may(operator.role, self.permission):
            raise Stop(self.pages.render("refused.html", operator, 403, reason="not_permitted"))
        if operator.role not in READS_ALL:
            self._refuse_what_is_not_theirs(request, operator)
        return operator

    def _refuse_what_is_not_theirs(self, request: Request, operator: OperatorView) -> None:
        """End a request whose route names a conversation that this operator may not read, whatever it does.

        Raises:
            Stop: it may not be read; a colleague who was quicker is said to have been.
        """
        deps, named = self.pages.deps, str(request.path_params.get("conversation_id", ""))
        # Anything else in its place is refused by the route itself.
        if _ID.fullmatch(named) is None or reading_rights.may_read(deps, operator.reader, named):
            return
        if reading_rights.is_in_hand(deps, named):
            raise Stop(self.pages.render("refused.html", operator, 409, reason="in_other_hands"))
        raise Stop(self.pages.render("refused.html", operator, 404, reason="unknown"))


class ChangeAccess(Access):
    """Guards a change: a session, the permission, and the session's CSRF token in the form."""

    def __init__(self, pages: Pages, permission: Permission | None) -> None:
        super().__init__(pages, permission, Kind.ACTION)

    def __call__(self, request: Request, csrf: Annotated[str, Form()] = "") -> OperatorView:
        """Return the operator who makes the change.

        Raises:
            Stop: there is no session, the role lacks the permission, or the token is not the session's.
        """
        operator = super().__call__(request)
        if not _same(csrf, operator.csrf):
            raise Stop(self.pages.render("refused.html", operator, 403, reason="stale_form"))
        return operator


def _same(given: str, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the login page, logging in and logging out."""
    deps = pages.deps

    def login_page(
        request: Request, onward: str, refusal: str | None = None, login: str = "", status: int = 200
    ) -> Response:
        # The token is kept while it is there, so that a second tab does not spoil the form of the first.
        kept = request.cookies.get(LOGIN_COOKIE, "")
        token = kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(_TOKEN_BYTES)
        response = pages.render("login.html", status=status, csrf=token, onward=onward, refusal=refusal, login=login)
        _set_cookie(response, pages, LOGIN_COOKIE, token, 3600)
        return response

    @router.get("/login")
    def show_login(request: Request) -> Response:
        return login_page(request, _own_page(request.query_params.get("next", "")))

    @router.post("/login", max_body_size=_LONGEST_FORM)
    async def log_in(
        request: Request,
        csrf: Annotated[str, Form()] = "",
        login: Annotated[str, Form(max_length=100, pattern=STORABLE)] = "",
        password: Annotated[str, Form(max_length=200)] = "",
        onward: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        onward = _own_page(onward)
        expected = request.cookies.get(LOGIN_COOKIE, "")
        if not expected or not _same(csrf, expected):
            return login_page(request, onward, "stale_form", login, 403)
        outcome = await run_in_threadpool(operators.log_in, deps, login.strip(), password)
        if isinstance(outcome, LoginRefusal):
            return login_page(request, onward, outcome.value, login, 401)
        return go_on(outcome, onward)

    def go_on(outcome: str | Unfinished, onward: str) -> Response:
        if isinstance(outcome, Unfinished):
            response = RedirectResponse(f"{PREFIX}/login/step?{urlencode({'next': onward})}", 303)
            _set_cookie(response, pages, STEP_COOKIE, outcome.token, int(operators.STEPS_WITHIN.total_seconds()))
            return response
        response = RedirectResponse(onward, 303)
        _set_cookie(response, pages, SESSION_COOKIE, outcome, int(operators.SESSION.total_seconds()))
        response.delete_cookie(LOGIN_COOKIE, path=PREFIX)
        response.delete_cookie(STEP_COOKIE, path=PREFIX)
        return response

    def step_page(request: Request, onward: str, refusal: str | None = None, status: int = 200) -> Response:
        view = operator_login.waiting_for(deps, request.cookies.get(STEP_COOKIE, ""))
        if view is None or refusal in (StepRefusal.OVER, StepRefusal.LOCKED):
            return login_page(request, onward, refusal or StepRefusal.OVER.value, status=401)
        kept = request.cookies.get(LOGIN_COOKIE, "")
        token = kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(_TOKEN_BYTES)
        response = pages.render(
            "login_step.html",
            status=status,
            csrf=token,
            onward=onward,
            view=view,
            refusal=refusal,
            minimum=operators.PASSWORD_MINIMUM,
        )
        _set_cookie(response, pages, LOGIN_COOKIE, token, 3600)
        return response

    def take_step(
        request: Request, csrf: str, onward: str, step: Callable[[str], str | Unfinished | StepRefusal]
    ) -> Response:
        onward = _own_page(onward)
        expected = request.cookies.get(LOGIN_COOKIE, "")
        if not expected or not _same(csrf, expected):
            return step_page(request, onward, "stale_form", 403)
        outcome = step(request.cookies.get(STEP_COOKIE, ""))
        if isinstance(outcome, StepRefusal):
            return step_page(request, onward, outcome.value, 401)
        return go_on(outcome, onward)

    @router.get("/login/step")
    def show_step(request: Request) -> Response:
        return step_page(request, _own_page(request.query_params.get("next", "")))

    @router.post("/login/code", max_body_size=_LONGEST_FORM)
    def give_code(
        request: Request,
        csrf: Annotated[str, Form()] = "",
        code: Annotated[str, Form(max_length=20)] = "",
        onward: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        return take_step(request, csrf, onward, lambda token: operator_login.give_code(deps, token, code))

    @router.post("/login/password", max_body_size=_LONGEST_FORM)
    def choose_password(
        request: Request,
        csrf: Annotated[str, Form()] = "",
        password: Annotated[str, Form(max_length=200)] = "",
        onward: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        return take_step(request, csrf, onward, lambda token: operator_login.choose_password(deps, token, password))

    @router.post("/logout", dependencies=[Depends(ChangeAccess(pages, None))])
    def log_out(request: Request) -> Response:
        operators.log_out(deps, request.cookies[SESSION_COOKIE])
        response = RedirectResponse(f"{PREFIX}/login", 303)
        response.delete_cookie(SESSION_COOKIE, path=PREFIX)
        return response


def _own_page(address: str) -> str:
    """Return where to go after the login: never anywhere but a page of the console."""
    return address if _OWN_PAGE.fullmatch(address) else f"{PREFIX}/"


def _set_cookie(response: Response, pages: Pages, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=PREFIX,
        httponly=True,
        samesite="strict",
        secure=pages.is_https,
    )
