"""The real gateway with everything switched on, over a real socket, and a secret in its database.

The dialogue engine is away, as it may be; everything else is what serves the public. All people are invented.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select
from structlog.testing import capture_logs
from structlog.typing import EventDict
from websockets.sync.client import ClientConnection, connect

from bot.channels.handshake import StrictHandshake
from bot.gateway import make_app
from bot.services import stop_links, web_sessions
from bot.services.api_clients import Scope
from bot.services.conversations import FACT, Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.settings import ROOT
from bot.store.tables import ApiClient, ApiKey, Button, Message, Operator, WebSession
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.cases import a_complaint
from tests.builders.desk import SetClock, a_borrower, a_desk
from tests.doubles.telegram_server import TelegramServer
from tests.firewall.secret import (
    OTHER_PHONE,
    OTHER_TAIL,
    SECRET_NAME,
    SECRET_PHONE,
    SECRET_TAIL,
    Canaries,
    SecretDesk,
    Standing,
    a_standing,
    with_debts,
)
from tests.running.desk import RunningDesk, free_port

ORIGIN = "https://desk.lender.example"
PAYMENTS_KEY = "a-payments-key-for-tests-of-the-desk"
LENDER_KEY = f"desk_{'0' * 16}_{'s' * 43}"
TELEGRAM_SECRET = "A-webhook-secret-for-tests_0123456789"
VOUCH_KEY = "a key that lender and desk share, long enough"
MARKUP = "<i7x onload=alert(7)>"
"""In much of what the tests send; seen in an answer as it is, it would be markup."""
SUM, SUM_DONE = "{{7919*104729}}${7919*104729}", "829348951"
"""A sum that a template engine would do, and what it would come to."""

INJECTED = "X-Injected: yes"
"""Sent behind a line break; seen in an answer, it would be a header of its own or half of one."""
_OF_THE_SERVER = "Invalid UTF-8 sequence received from client"
"""What the server itself logs as an error when it closes the line to such a client."""

_TRACES = re.compile(rf"Traceback \(most recent|File \"/|site-packages|sqlalchemy\.|{re.escape(str(ROOT))}")
_MISHAPS = ("error", "critical")
_EXPECTED = frozenset({"telegram_webhook_unreadable", "telegram_update_failed"})
"""Logged as errors, and rightly: what only Telegram may send could not be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request: everything the server sent until it closed."""

    raw: bytes

    @property
    def status(self) -> int:
        """The status; 0 where nothing came."""
        first = self.raw.partition(b"\r\n")[0].split()
        return int(first[1]) if len(first) > 1 else 0

    @property
    def text(self) -> str:
        """Head and body."""
        return self.raw.decode("utf-8", errors="replace")


@dataclass
class PublicGateway:
    """The gateway as the public reaches it, and what it must never say."""

    app: FastAPI
    port: int
    deps: Deps
    canaries: Canaries
    sessions: dict[str, str]
    """Session tokens by what they open: an anonymous chat with an open case, one whose proof lapsed, another's."""
    known: tuple[str, ...]
    """What somebody who spies may have got hold of and that opens nothing: identifiers, others' buttons, hashes."""
    buttons: tuple[str, ...]
    """Tokens of buttons of the chat whose proof lapsed."""
    stop_token: str
    mishaps: list[str] = field(default_factory=list)

    def ask(self, head: bytes, body: bytes = b"", *, until: bytes = b"", then_close: bool = False) -> Answer:
        """Send these bytes on a connection of their own and return what comes back until it is closed.

        ``until`` ends the wait early. ``then_close`` says that nothing more is sent, which ends half a request.
        """
        received = bytearray()
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            try:
                line.sendall(head + body)
                if then_close:
                    line.shutdown(socket.SHUT_WR)
                while part := line.recv(65_536):
                    received += part
                    if until and until in received:
                        break
            except ConnectionError:  # the server may close before it has read everything
                pass
        return Answer(bytes(received))

    def request(
        self, method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]] = (), body: bytes = b""
    ) -> Answer:
        """Send one request, as odd as it may be, with the length that its body has."""
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Connection: close", b"Content-Length: %d" % len(body)]
        if not any(name.lower() == b"host" for name, _ in headers):
            lines.append(b"Host: desk.lender.example")
        lines += [name + b": " + value for name, value in headers]
        return self.ask(b"\r\n".join(lines) + b"\r\n\r\n", body)

    def line(self, cookie: str | None, path: str = "/chat/line", name: str = "desk_session") -> ClientConnection:
        """Open a socket with a session's cookie, as the page does."""
        headers = {"Cookie": f"{name}={cookie}"} if cookie is not None else {}
        url = f"ws://127.0.0.1:{self.port}{path}"
        # No compression and no pings of its own: what is sent is what the test says.
        return connect(
            url, origin=ORIGIN, additional_headers=headers, compression=None, ping_interval=None, close_timeout=5
        )

    def new_session(self) -> str:
        """Return the token of a session that was just opened."""
        return web_sessions.open_session(self.deps).token

    def assert_serves(self) -> None:
        """An honest borrower opens the chat, says something and sees it stored."""
        key = uuid4().hex
        with self.line(self.new_session()) as line:
            line.send(json.dumps({"type": "hello", "after": 0}))
            line.send(json.dumps({"type": "say", "key": key, "text": "在吗"}))
            seen = set[str]()
            while not {"welcome", "ack", "mine"} <= seen:
                frame = json.loads(line.recv(timeout=10))
                is_mine = frame["type"] == "message" and frame["key"] == key
                seen.add("mine" if is_mine else frame["type"])

    def assert_tells_nothing(self, said: str, sent: str = "") -> None:
        """Nothing that was said names the secret, shows the inside or repeats markup; ``sent`` is no news."""
        found = [canary for canary in self.canaries.seen_in(said) if canary not in sent]
        assert not found, f"told {found}"
        assert not (inside := _TRACES.search(said)), f"showed {inside.group()!r}"
        assert MARKUP not in said, "repeated markup"
        assert SUM_DONE not in said, "did a sum"
        assert INJECTED.lower() not in said.lower(), "took a header from what was sent"

    def assert_no_mishap(self) -> None:
        """Nothing went wrong behind the answers either."""
        told, self.mishaps[:] = list(self.mishaps), []
        assert not told, told


class _Mishaps(logging.Handler):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "websockets.client" or record.getMessage().startswith(_OF_THE_SERVER):
            return
        error = record.exc_info[1] if record.exc_info else None
        self._note(f"{record.name}: {record.getMessage()} {error!r}")


@contextmanager
def public_gateway(folder: Path) -> Iterator[PublicGateway]:
    """Run it for the length of a block."""
    mishaps: list[str] = []

    def note(_logger: object, method: str, event: EventDict) -> EventDict:
        if method in _MISHAPS and event.get("event") not in _EXPECTED:
            mishaps.append(str(event))
        return event

    handler = _Mishaps(mishaps.append)
    with TelegramServer() as telegram, capture_logs(processors=[note]):
        logging.getLogger().addHandler(handler)
        desk = _a_full_desk(folder, telegram)
        # As ``bot run gateway`` does it, on a port that is free.
        server = uvicorn.Server(
            uvicorn.Config(
                app := make_app(desk.deps),
                port=(port := free_port()),
                log_config=None,
                access_log=False,
                http=StrictHandshake,
                ws_max_size=1_000_000,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            RunningDesk.wait_until(lambda: server.started, 30, "the gateway to listen")
            yield _opened(desk, app, port, mishaps)
        finally:
            server.should_exit = True
            thread.join(20)
            logging.getLogger().removeHandler(handler)
            desk.deps.database.engine.dispose()


def _a_full_desk(folder: Path, telegram: TelegramServer) -> SecretDesk:
    """Make a desk with every public endpoint switched on, and a borrower who has much to hide."""
    clock = SetClock()
    deps = a_desk(folder, clock, ORIGIN, embed_origins="https://www.lender.example", vouch_key=VOUCH_KEY)
    deps.settings.payments_key = SecretStr(PAYMENTS_KEY)
    deps.settings.telegram_bot_token = SecretStr(telegram.token)
    deps.settings.telegram_webhook_secret = SecretStr(TELEGRAM_SECRET)
    deps.settings.telegram_api_base = telegram.base
    deps.settings.rasa_port = free_port()
    borrower_id = a_borrower(deps, SECRET_NAME, SECRET_PHONE, f"11010119900101{SECRET_TAIL}")
    other_id = a_borrower(deps, "邓丙丁", OTHER_PHONE, f"11010119900101{OTHER_TAIL}")
    a_debt_of(deps, other_id, Owed(principal_fen=333_300, creditor="寻常银行"))
    with deps.begin() as session:
        session.add(client := ApiClient(name="core", scopes=list(Scope), created_at=deps.now()))
        session.flush()
        key_id, secret = LENDER_KEY.split("_")[1:]
        secret_hash = deps.vault.lookup("api_key", secret)
        session.add(ApiKey(id=key_id, client_id=client.id, secret_hash=secret_hash, created_at=deps.now()))
        session.add(
            Operator(
                id="0" * 32, login="fuzz", display_name="小陈", role="agent", password_hash="", created_at=deps.now()
            )
        )
    return SecretDesk(deps, clock, borrower_id, other_id, "0" * 32, with_debts(deps, borrower_id))


def _opened(desk: SecretDesk, app: FastAPI, port: int, mishaps: list[str]) -> PublicGateway:
    deps = desk.deps
    anonymous = web_sessions.open_session(deps)
    a_complaint(deps, anonymous.conversation_id)
    lapsed = a_standing(desk, Standing.LAPSED, "1a" * 16)
    other = a_standing(desk, Standing.SOMEBODY_ELSE, "2b" * 16)
    sessions = {"anonymous": anonymous.token}
    with deps.begin() as session:
        conversation = locked(session, lapsed)
        assert conversation is not None
        told = Reply(f"{SECRET_NAME}您好,要看金丝雀银行的哪一笔?", (QuickReply("金丝雀产品", "/ask"),))
        say(session, deps, conversation, told, author=Author.BOT).purpose = FACT
        for name, conversation_id in (("lapsed", lapsed), ("other", other)):
            sessions[name] = f"a-session-token-of-{name}-for-tests"
            session.add(
                WebSession(
                    token_hash=deps.vault.lookup("web_session", sessions[name]),
                    conversation_id=conversation_id,
                    created_at=deps.now(),
                    expires_at=deps.now() + timedelta(days=30),
                )
            )
    with deps.read() as session:
        hashes = list(session.scalars(select(WebSession.token_hash)))
        buttons = tuple(session.scalars(select(Button.token).where(Button.conversation_id == lapsed)))
        messages = list(session.scalars(select(Message.id)))
    known = (*desk.ids, desk.borrower_id, lapsed, other, *hashes, *buttons, *messages)
    stop_token = stop_links.stop_address(deps, other).rpartition("/")[2]
    return PublicGateway(app, port, deps, Canaries(desk), sessions, known, buttons, stop_token, mishaps)
