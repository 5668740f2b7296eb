"""A lender's site on another host than the desk, and a gateway that it embeds, without engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import uvicorn
from playwright.sync_api import FrameLocator, Locator, Page, expect
from sqlalchemy import func, select

from bot.gateway import make_app
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.store.tables import Conversation, Message
from tests.builders.desk import a_desk
from tests.running.desk import RunningDesk, free_port

VOUCH_KEY = "a key that lender and desk share, long enough"

_PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>示例银行</title>
<script src="{desk}/widget.js" {attributes} async></script></head>
<body style="min-height: 3000px"><h1>示例银行</h1><p>欢迎。</p><button>登录</button></body></html>"""


@dataclass
class LenderSite:
    """Serves one page with the script tag, under a policy as strict as a bank's."""

    base: str
    desk: str
    attributes: str = ""
    vouch: Callable[[], str] | None = None
    asked: list[str] = field(default_factory=list)


@dataclass
class Gateway:
    """The desk's gateway alone, answering on loopback."""

    base: str
    deps: Deps

    def tell(self, said: str, text: str) -> None:
        """Answer as the bot would, where a borrower said something."""
        self.say(said, Reply(text))

    def say(self, said: str, reply: Reply, author: Author = Author.BOT) -> None:
        """Answer as anybody would, where a borrower said something."""
        with self.deps.begin() as session:
            found = select(Conversation).join(Message, Message.conversation_id == Conversation.id)
            conversation = session.scalars(found.where(Message.text == said)).one()
            say(session, self.deps, conversation, reply, author=author)

    def conversation_with(self, said: str) -> str:
        """Return the conversation in which a borrower said something."""
        with self.deps.read() as session:
            return session.scalars(select(Message.conversation_id).where(Message.text == said)).one()

    def conversations(self) -> int:
        """Count the conversations that were opened."""
        with self.deps.read() as session:
            return session.scalar(select(func.count()).select_from(Conversation)) or 0


@contextmanager
def lender_site(port: int, desk: str) -> Iterator[LenderSite]:
    """Run a lender's site; ``localhost`` is another site than the desk's ``127.0.0.1``."""
    site = LenderSite(f"http://localhost:{port}", desk)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = _PAGE.format(desk=site.desk, attributes=site.attributes).encode()
            self._send(200, "text/html; charset=utf-8", page)

        def do_POST(self) -> None:
            site.asked.append(self.path)
            token = site.vouch() if site.vouch is not None else None
            body = b"{}" if token is None else f'{{"token": "{token}"}}'.encode()
            self._send(403 if token is None else 200, "application/json", body)

        def _send(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            policy = f"default-src 'self'; script-src {site.desk}; frame-src {site.desk}; {_STYLE}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


_STYLE = "style-src-elem 'none'; style-src-attr 'unsafe-inline'"
"""The site's own page has one style attribute; style elements, as a careless launcher would bring, are refused."""


@contextmanager
def gateway(folder: Path, site: str) -> Iterator[Gateway]:
    """Run a gateway that a site may embed."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    deps = a_desk(folder, public_origin=base, embed_origins=site, vouch_key=VOUCH_KEY)
    server = uvicorn.Server(uvicorn.Config(make_app(deps), host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    RunningDesk.wait_until(lambda: server.started, 20, "the gateway to listen")
    try:
        yield Gateway(base, deps)
    finally:
        server.should_exit = True
        thread.join(20)
        deps.database.engine.dispose()


class Embedded:
    """The lender's page in one window, with the chat as people find it there."""

    def __init__(self, page: Page, site: LenderSite) -> None:
        self.page = page
        self._site = site
        self.launcher = page.locator("#desk-chat .launch")
        self.badge = page.locator("#desk-chat .badge")
        self.panel = page.locator("#desk-chat .panel")
        self.frame: FrameLocator = page.frame_locator("#desk-chat iframe")
        self.chat: Locator = self.frame.locator("deep-chat")

    def visit(self) -> Embedded:
        """Open the lender's page and wait for the button."""
        self.page.goto(self._site.base + "/")
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> Embedded:
        """Press the button and wait until the chat is connected."""
        self.launcher.click()
        return self.expect_open()

    def expect_open(self) -> Embedded:
        expect(self.chat).to_have_attribute("data-connection", "open")
        expect(self.frame.locator("[data-author]").first).to_be_visible()
        return self

    def say(self, text: str) -> None:
        """Type and send, and wait until the desk has it."""
        self.frame.locator("#text-input").click()
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        own = self.frame.locator("[data-author=borrower]").filter(has_text=text)
        expect(own).to_have_attribute("data-delivery", "stored")
