"""The web chat: a page, and one WebSocket a browser tab, through each door that is open.

Frames are JSON texts; ``docs/web-chat.md`` describes them. The session is an http-only cookie made by the server, so
that knowing an identifier never means reading a conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Header, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from pydantic import ValidationError
from starlette.websockets import WebSocketState

from bot.channels.web_door import Door, doors, is_own_origin, script_wanted
from bot.channels.web_frames import FRAME, FRAME_LIMIT, Hello, Press, Say, Seen, key_of
from bot.channels.web_live import LiveConversations
from bot.metrics import count_received
from bot.services import crisis, document_store, evidence, history, inbound, web_sessions
from bot.services.conversations import WEB, Problem, Stored
from bot.services.deps import Deps
from bot.services.document_store import DocumentFile, DocumentView
from bot.services.history import MessageView
from bot.services.standing import Standing, standings
from bot.services.transcript import transcript
from bot.text.scripts import Script, to_script

log = structlog.get_logger()

_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
BURST, BURST_SECONDS = 12, 10.0


def make_router(deps: Deps, live: LiveConversations, wake: Callable[[str], None], dist: Path) -> APIRouter:
    """Return the routes of the page and its socket. ``wake`` has a conversation's new message answered."""
    router = APIRouter()
    for door in doors(deps.settings):
        _add_page(router, deps, door, dist)
        _add_transcript(router, deps, door)
        _add_line(router, deps, door, live, wake)
        if door.is_framed:
            _add_launcher(router, dist)
    return router


def _add_launcher(router: APIRouter, dist: Path) -> None:
    @router.get("/widget.js")
    def launcher() -> Response:
        """Send the script for the lender's pages. Its address stays the same for years, so it is asked for often."""
        return FileResponse(
            dist / "widget.js",
            media_type="text/javascript; charset=utf-8",
            headers={
                "Cache-Control": "public, max-age=300",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _add_page(router: APIRouter, deps: Deps, door: Door, dist: Path) -> None:
    @router.get(f"{door.prefix}/", response_class=HTMLResponse)
    def page(request: Request, accept_language: Annotated[str, Header()] = "") -> Response:
        response = HTMLResponse((dist / "index.html").read_text("utf-8"))
        response.headers["Content-Security-Policy"] = door.policy
        response.headers.update(_UNKEPT)
        token = door.token_of(request)
        if token is None or not web_sessions.renew(deps, token):
            token = web_sessions.open_session(deps, script_wanted(accept_language)).token
        door.keep(response, token, deps.settings)
        return response

    @router.get(f"{door.prefix}/documents/{{document_id}}")
    def document(request: Request, document_id: str, accept_language: Annotated[str, Header()] = "") -> Response:
        conversation_id = web_sessions.conversation_of(deps, door.token_of(request))
        found = document_store.fetch(deps, conversation_id, document_id)
        if found is None:
            words = document_store.speech_in(deps, script_wanted(accept_language)).say("refused")
            return PlainTextResponse(words, 403, _UNKEPT)
        return _file_response(found)


def _add_transcript(router: APIRouter, deps: Deps, door: Door) -> None:
    @router.get(f"{door.prefix}/chat/transcript")
    def save(request: Request, accept_language: Annotated[str, Header()] = "") -> Response:
        """Send the session's own conversation as a text, what is withheld from it left out."""
        conversation_id = web_sessions.conversation_of(deps, door.token_of(request))
        made = transcript(deps, conversation_id) if conversation_id is not None else None
        if made is None:
            words = to_script(deps.wording.one("problem_session_expired"), script_wanted(accept_language))
            return PlainTextResponse(words, 403, _UNKEPT)
        attached = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
        return PlainTextResponse(made.text, headers=attached | _UNKEPT)


def _add_line(router: APIRouter, deps: Deps, door: Door, live: LiveConversations, wake: Callable[[str], None]) -> None:
    @router.websocket(f"{door.prefix}/chat/line")
    async def line(socket: WebSocket) -> None:
        if not _same_origin(socket, deps):
            await socket.close(code=4403)
            return
        await socket.accept()
        conversation_id = await asyncio.to_thread(web_sessions.conversation_of, deps, door.token_of(socket))
        connection = Connection(deps, live, wake, socket, conversation_id)
        await connection.serve()


def _file_response(file: DocumentFile) -> Response:
    """Send a document, kept by no cache and guessed at by nobody."""
    return Response(
        file.content,
        media_type=file.media_type,
        headers={
            "Content-Disposition": file.disposition,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        },
    )


def _same_origin(socket: WebSocket, deps: Deps) -> bool:
    """Browsers always send an Origin; it must be the desk's own, or the very host the page was served from."""
    origin = socket.headers.get("origin")
    return origin is None or is_own_origin(origin, socket.headers.get("host", ""), deps)


class Connection:
    """One tab's connection: reads its frames, and shows it the conversation in order."""

    def __init__(
        self,
        deps: Deps,
        live: LiveConversations,
        wake: Callable[[str], None],
        socket: WebSocket,
        conversation_id: str | None,
    ) -> None:
        self.conversation_id = conversation_id or ""
        self._deps = deps
        self._live = live
        self._wake = wake
        self._socket = socket
        self._after = 0
        self._withheld: set[int] = set()
        self._welcomed = False
        self._state: dict[str, object] | None = None
        self._script: Script | None = None
        self._sending = asyncio.Lock()
        self._recent: deque[float] = deque(maxlen=BURST)

    async def serve(self) -> None:
        """Serve until the tab goes away. What fails otherwise ends the connection, and the page opens another."""
        self._live.add(self)
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._frame(message.get("text"))
        except WebSocketDisconnect:
            return
        except Exception as error:
            log.error("line_failed", conversation=self.conversation_id, kind=type(error).__name__, exc_info=error)
            await self._end()
        finally:
            self._live.remove(self)

    async def _end(self) -> None:
        """Close for a reason of ours, unless the page has gone already."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self._socket.close(code=1011)

    async def refresh(self) -> None:
        """Send every message after the last one sent, the state if it changed, and what need not be withheld any more.

        The state is read first: a proof that comes in between is then a change for the next look, never overlooked.
        """
        if not self._welcomed:
            return
        async with self._sending:
            standing = await self._standing()
            rows = await asyncio.to_thread(history.messages_after, self._deps, self.conversation_id, self._after)
            for row in rows:
                await self._send(_message_frame(row))
                self._after = row.seq
                if row.withheld:
                    self._withheld.add(row.seq)
            if standing is not None:
                state = await self._state_of(standing)
                if state != self._state:
                    self._state = state
                    await self._send({"type": "state", **state})
                if standing.is_verified and self._withheld:
                    await self._send_withheld()

    async def _standing(self) -> Standing | None:
        found = await asyncio.to_thread(standings, self._deps, [self.conversation_id])
        return found.get(self.conversation_id)

    async def _state_of(self, standing: Standing) -> dict[str, object]:
        """What the page shows around the conversation."""
        self._script = standing.script
        return {
            "owner": standing.owner,
            "verified": standing.is_verified,
            "ahead": standing.ahead,
            "files": await asyncio.to_thread(evidence.awaits, self._deps, self.conversation_id),
            "script": standing.script,
        }

    async def _send_withheld(self) -> None:
        """Send the real texts of what this connection got without them, as far as they may be read now."""
        rows = await asyncio.to_thread(
            history.messages_now_readable, self._deps, self.conversation_id, tuple(self._withheld)
        )
        for row in rows:
            await self._send(_message_frame(row))
            self._withheld.discard(row.seq)

    async def typing(self, on: bool) -> None:
        """Show or hide the typing sign."""
        if self._welcomed:
            await self._send({"type": "typing", "on": on, "author": "bot"})

    async def buttons(self, frame: dict[str, object]) -> None:
        """Show what has become of a message's quick replies, whichever tab pressed one."""
        if self._welcomed:
            await self._send(frame)

    async def _frame(self, text: str | None) -> None:
        if text is None or len(text) > FRAME_LIMIT:
            await self._problem("bad_frame" if text is None else "too_long", key_of(text))
            return
        try:
            frame = FRAME.validate_json(text)
        except ValidationError:
            await self._problem("bad_frame", key_of(text))
            return
        if not self.conversation_id:
            await self._problem("session_expired", getattr(frame, "key", None))
        elif isinstance(frame, Hello):
            await self._hello(frame)
        elif isinstance(frame, Seen):
            await asyncio.to_thread(history.mark_seen, self._deps, self.conversation_id, frame.seq)
        else:
            await self._take(frame)

    async def _hello(self, frame: Hello) -> None:
        standing = await self._standing()
        if standing is None:  # the conversation was deleted while its page was open
            await self._problem("session_expired", None)
            return
        seen = await asyncio.to_thread(history.seen_up_to, self._deps, self.conversation_id)
        self._after = min(frame.after, standing.last_seq)
        self._state = await self._state_of(standing)
        await self._send(
            {
                "type": "welcome",
                "last_seq": standing.last_seq,
                "seen": seen,
                **self._state,
                "demo": self._deps.settings.mode == "demo",
                "telegram": bool(self._deps.settings.telegram_bot_token.get_secret_value()),
                "lender": self._deps.settings.lender_name,
            }
        )
        self._welcomed = True
        await self.refresh()

    async def _take(self, frame: Say | Press) -> None:
        if self._too_fast() and not await self._is_urgent(frame):
            await self._problem("too_fast", frame.key)
            return
        try:
            if isinstance(frame, Say):
                stored = await asyncio.to_thread(
                    inbound.record_text, self._deps, self.conversation_id, frame.key, frame.text
                )
            else:
                stored = await asyncio.to_thread(
                    inbound.record_press, self._deps, self.conversation_id, frame.key, frame.token
                )
        except Exception as error:  # noqa: BLE001  # whatever it was, the borrower is told and the key is settled
            log.error("message_not_stored", conversation=self.conversation_id, kind=type(error).__name__)
            await self._problem("not_stored", frame.key)
            return
        if isinstance(stored, Problem):
            await self._problem(stored.value, frame.key)
        else:
            await self._settled(frame, stored)

    async def _settled(self, frame: Say | Press, stored: Stored) -> None:
        await self._send({"type": "ack", "key": frame.key, "seq": stored.seq})
        if isinstance(frame, Press):
            found = await asyncio.to_thread(history.buttons_of_reply, self._deps, frame.token)
            if found is not None:
                buttons = [{"title": b.title, "token": b.token, "state": b.state} for b in found[1]]
                frame_for_all: dict[str, object] = {"type": "buttons", "id": found[0], "buttons": buttons}
                self._live.buttons(self.conversation_id, frame_for_all)
        self._live.changed(self.conversation_id)
        if not stored.repeated:
            count_received(WEB)
            self._wake(self.conversation_id)

    def _too_fast(self) -> bool:
        now = time.monotonic()
        if len(self._recent) == BURST and now - self._recent[0] < BURST_SECONDS:
            return True
        self._recent.append(now)
        return False

    async def _is_urgent(self, frame: Say | Press) -> bool:
        """Whether there is a sign of danger in what was typed: it is taken however fast it comes."""
        if not isinstance(frame, Say) or len(frame.text) > self._deps.settings.message_max_characters:
            return False
        return await asyncio.to_thread(crisis.sign_in, self._deps, frame.text) is not None

    async def _problem(self, code: str, key: str | None) -> None:
        limit = str(self._deps.settings.message_max_characters)
        words = self._deps.wording.one(f"problem_{code}", limit=limit)
        script = self._script or script_wanted(self._socket.headers.get("accept-language", ""))
        await self._send({"type": "problem", "code": code, "text": to_script(words, script), "key": key})

    async def _send(self, frame: dict[str, object]) -> None:
        if self._socket.client_state is not WebSocketState.CONNECTED:
            return
        try:
            await self._socket.send_text(json.dumps(frame, ensure_ascii=False))
        except (RuntimeError, WebSocketDisconnect):
            self._live.remove(self)


def _message_frame(row: MessageView) -> dict[str, object]:
    return {
        "type": "message",
        "seq": row.seq,
        "id": row.id,
        "author": row.author,
        "text": row.text,
        "at": row.at.isoformat().replace("+00:00", "Z"),
        "key": row.key,
        "buttons": [{"title": b.title, "token": b.token, "state": b.state} for b in row.buttons],
        "withheld": row.withheld,
        "document": _document_fields(row.document),
        "extras": row.extras,
    }


def _document_fields(document: DocumentView | None) -> dict[str, object] | None:
    if document is None:
        return None
    width, height = document.size or (None, None)
    return {
        "id": document.id,
        "title": document.title,
        "picture": document.is_picture,
        "width": width,
        "height": height,
    }
