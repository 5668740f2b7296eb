"""Turning templates into responses, and the headers that every response of the console carries."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.clock import local
from bot.console.assets import asset_url
from bot.identity.roles import Permission, may
from bot.lending.money import format_yuan
from bot.services.deps import Deps
from bot.services.heartbeats import scheduler_health
from bot.services.operators import OperatorView

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Stop(Exception):
    """Ends a request early with a response, from inside a dependency."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class ConsoleRoute(APIRoute):
    """A route that answers ``Stop`` with its response, keeps pages out of caches and sets the security headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await handle(request)
            except Stop as stop:
                response = stop.response
            except RequestValidationError:
                # An address or a form that no page of ours makes; nothing in it is worth repeating to its maker.
                response = Response(status_code=422)
            response.headers.update(HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded


def _in_groups(text: str) -> str:
    """Write a secret as people type it, four characters at a time."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


class Pages:
    """Renders templates with what all of them need."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.is_https = deps.settings.origin.startswith("https://")
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["local"] = local
        self._environment.filters["yuan"] = format_yuan
        self._environment.filters["groups"] = _in_groups
        self._environment.globals["asset"] = asset_url
        self._environment.globals["Permission"] = Permission

    def render(
        self, template: str, operator: OperatorView | None = None, status: int = 200, **context: object
    ) -> HTMLResponse:
        """Render a template; ``operator`` is who reads it."""
        now: datetime = self.deps.now()
        html = self._environment.get_template(template).render(
            **context,
            operator=operator,
            may=lambda permission: operator is not None and may(operator.role, permission),
            lender=self.deps.settings.lender_name,
            scheduler_is_late=lambda: scheduler_health(self.deps).is_late,
            now=now,
        )
        return HTMLResponse(html, status)

    def words(self, template: str = "_words.html") -> Mapping[str, Mapping[str, str]]:
        """Return a template's tables of words for codes, by name."""
        module = self._environment.get_template(template).module
        return {name: value for name, value in vars(module).items() if name.isupper()}
