"""From the web chat to Telegram: the link that a borrower's page asks for."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from bot.channels.web_door import Door, doors, is_own_origin, script_wanted
from bot.services.channel_links import make_link
from bot.services.deps import Deps
from bot.services.web_sessions import conversation_of
from bot.text.scripts import to_script

PATH = "/chat/telegram"


class Named(Protocol):
    """The Telegram channel, as far as a link needs it."""

    @property
    def username(self) -> str | None:
        """The bot's name at Telegram, without the @; None while it is not known."""
        ...


def make_router(deps: Deps, telegram: Named) -> APIRouter:
    """Return the routes that make a link for the browser's own conversation."""
    router = APIRouter()
    for door in doors(deps.settings):
        _add_link(router, deps, door, telegram)
    return router


def _add_link(router: APIRouter, deps: Deps, door: Door, telegram: Named) -> None:
    @router.post(door.prefix + PATH)
    def link(
        request: Request,
        origin: Annotated[str | None, Header()] = None,
        host: Annotated[str, Header()] = "",
        accept_language: Annotated[str, Header()] = "",
    ) -> Response:
        conversation_id = conversation_of(deps, door.token_of(request))
        if origin is None or not is_own_origin(origin, host, deps) or conversation_id is None:
            return _refused(403, "problem_session_expired", accept_language)
        if telegram.username is None:
            return _refused(503, "telegram_away", accept_language)
        url = f"https://t.me/{telegram.username}?start={make_link(deps, conversation_id)}"
        return JSONResponse({"url": url}, headers={"Cache-Control": "no-store"})

    def _refused(status: int, name: str, accept_language: str) -> Response:
        words = to_script(deps.wording.one(name), script_wanted(accept_language))
        return JSONResponse({"text": words}, status, headers={"Cache-Control": "no-store"})
