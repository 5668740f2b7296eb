"""Where the chat in its frame hands in the token with which the lender's server vouches for its customer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bot.channels.web_door import Door, doors, is_own_origin
from bot.identity.vouch import LONGEST_TOKEN
from bot.services import vouching
from bot.services.deps import Deps
from bot.services.web_sessions import conversation_of

PATH = "/chat/vouch"
_LONGEST_BODY = 16_384
"""Bytes; a token and its braces are far shorter."""


class Handed(BaseModel):
    """The token, as the lender's server made it."""

    token: str = Field(max_length=LONGEST_TOKEN)


def make_router(deps: Deps) -> APIRouter:
    """Return the route; only the frame has one, for only there is a site around the chat."""
    router = APIRouter()
    for door in doors(deps.settings):
        if door.is_framed:
            _add_route(router, deps, door)
    return router


def _add_route(router: APIRouter, deps: Deps, door: Door) -> None:
    @router.post(door.prefix + PATH, max_body_size=_LONGEST_BODY)
    def vouch(
        request: Request,
        handed: Handed,
        origin: Annotated[str | None, Header()] = None,
        host: Annotated[str, Header()] = "",
    ) -> Response:
        """Answer 204 when the token counts, whomever it names, and 403 when it does not; why stands in the log."""
        conversation_id = conversation_of(deps, door.token_of(request))
        if origin is None or not is_own_origin(origin, host, deps) or conversation_id is None:
            return Response(status_code=403)
        refusal = vouching.accept(deps, conversation_id, handed.token)
        return Response(status_code=204 if refusal is None else 403)
