"""The console with a browser of its own, as the tests of its pages drive it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from bot.console.app import make_router
from bot.identity.roles import Role
from bot.services import operators
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.store.tables import AuditEntry, Message
from tests.builders.desk import PASSWORD, SetClock, an_operator


@dataclass
class ConsoleBrowser:
    """A console, its browser, and the conversations that it told the gateway about; ``area`` is where pages lie."""

    deps: Deps
    clock: SetClock
    area: str = ""
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router = make_router(self.deps, self.told.append)
        # Taken as they are: including a router works out every route's parameters once more, which takes longest.
        self.app = FastAPI(routes=self.router.routes)
        self.browser = self.new_browser()

    def new_browser(self) -> TestClient:
        """Return a browser without cookies, on the desk's own origin."""
        return TestClient(self.app, base_url=self.deps.settings.origin, follow_redirects=False)

    def log_in_as(self, role: Role, login: str = "chen", name: str = "小陈") -> str:
        """Create an operator and log in as them; returns the id."""
        operator_id = an_operator(self.deps, login, name, role)
        token = operators.log_in(self.deps, login, PASSWORD)
        assert isinstance(token, str)
        self.browser.cookies.clear()
        self.browser.cookies.set("desk_operator", token)
        return operator_id

    def shown(self, path: str = "") -> str:
        """Return a page of the area."""
        response: Response = self.browser.get(f"/console{self.area}{path}")
        assert response.status_code == 200, response.text
        return response.text

    @property
    def csrf(self) -> str:
        """The session's token."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.browser.get("/console/").text)
        assert found
        return found.group(1)

    def send(self, path: str, file: tuple[str, bytes, str] | None = None, **form: str) -> Response:
        """Send a form of the area with the session's token, and a file (name, content, media type) if there is one."""
        data: Mapping[str, str] = {"csrf": self.csrf, **form}
        files = {"file": file} if file is not None else None
        response: Response = self.browser.post(f"/console{self.area}{path}", data=data, files=files)
        return response


class Console(ConsoleBrowser):
    """A console whose forms are filled in and sent."""

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
    """Return the token of the form on a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


def count_of(deps: Deps, event: str) -> int:
    """Count what is on record under a name."""
    with deps.begin() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.event == event)) or 0


def said_by_operators(deps: Deps, conversation_id: str) -> list[str]:
    """Return what people of the desk said in a conversation."""
    with deps.begin() as session:
        rows = session.scalars(
            select(Message.text).where(Message.conversation_id == conversation_id, Message.author == Author.OPERATOR)
        )
        return list(rows)
