"""Files sent in from the page: looked at by their bytes, kept sealed with the case or request that they are for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated
from urllib.parse import unquote

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from bot.channels.web_door import Door, doors, is_own_origin, script_wanted
from bot.desk.uploads import KEEPS, LARGEST_UPLOAD, Brought, UploadRefusal
from bot.metrics import count_refused_upload
from bot.services import consents
from bot.services import evidence as files
from bot.services.conversations import WEB
from bot.services.deps import Deps
from bot.services.intake import tell
from bot.services.web_sessions import conversation_of
from bot.text.scripts import to_script

PATH = "/chat/evidence"

_STATUS: dict[Brought | UploadRefusal, int] = {
    Brought.KEPT: 200,
    Brought.KEPT_FOR_PLAN: 200,
    Brought.NO_CASE: 409,
    Brought.NOT_VERIFIED: 409,
    Brought.NO_CONSENT: 409,
    Brought.ENOUGH: 409,
    UploadRefusal.TOO_LARGE: 413,
    UploadRefusal.EMPTY: 422,
    UploadRefusal.UNKNOWN_KIND: 422,
}

log = structlog.get_logger()


def make_router(deps: Deps, changed: Callable[[str], None]) -> APIRouter:
    """Return the routes that take files. ``changed`` has a conversation's pages look for news."""
    router = APIRouter()
    for door in doors(deps.settings):
        _add_route(router, deps, door, changed)
    return router


def _add_route(router: APIRouter, deps: Deps, door: Door, changed: Callable[[str], None]) -> None:
    @router.post(door.prefix + PATH)
    async def evidence(
        request: Request,
        upload_key: Annotated[str, Header(alias="X-Upload-Key", min_length=8, max_length=64)],
        file_name: Annotated[str, Header(alias="X-File-Name", max_length=2000)] = "",
        origin: Annotated[str | None, Header()] = None,
        host: Annotated[str, Header()] = "",
        accept_language: Annotated[str, Header()] = "",
    ) -> Response:
        """Take the body as one file, its name percent-encoded in a header; it is not read where it is for nothing.

        ``X-Upload-Key`` is the page's own name for the file: sent again, it changes nothing.
        """

        def answer(status: int, name: str, **values: str) -> Response:
            words = to_script(deps.wording.one(name, **values), script_wanted(accept_language))
            return JSONResponse({"text": words}, status, headers={"Cache-Control": "no-store"})

        def came_to(outcome: Brought | UploadRefusal, **values: str) -> Response:
            if outcome not in KEEPS:
                count_refused_upload(WEB, outcome)
            return answer(_STATUS[outcome], f"evidence_{outcome.value}", **values)

        conversation_id = await asyncio.to_thread(conversation_of, deps, door.token_of(request))
        if origin is None or not is_own_origin(origin, host, deps) or conversation_id is None:
            return answer(403, "problem_session_expired")
        hindrance = await asyncio.to_thread(files.hindrance, deps, conversation_id)
        if hindrance is not None:
            if hindrance is Brought.NO_CONSENT:
                await asyncio.to_thread(consents.ask, deps, conversation_id, upload_key)
                changed(conversation_id)
            return came_to(hindrance)
        content = await _body(request)
        if content is None:
            return answer(400, "evidence_not_fetched")
        outcome = await asyncio.to_thread(files.bring, deps, conversation_id, unquote(file_name), content)
        values = await asyncio.to_thread(files.values_for, deps, conversation_id, outcome)
        if outcome in KEEPS:
            author = files.spoken_by(outcome)
            said = partial(tell, deps, conversation_id, f"evidence_{outcome}", upload_key, author, **values)
            await asyncio.to_thread(said)
            changed(conversation_id)
        return came_to(outcome, **values)


async def _body(request: Request) -> bytes | None:
    """Read a file, no further than one byte past the largest that is taken; None when the browser went away."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > LARGEST_UPLOAD:
                break
    except ClientDisconnect:
        log.info("upload_broken_off", received=len(content))
        return None
    return bytes(content)
