"""A desk that serves Telegram in a test: real client, real database, the Bot API on loopback."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.channels.pacing import Pace
from bot.channels.telegram import TelegramChannel
from bot.services.conversations import Author, QuickReply, Reply, conversation_for, say
from bot.services.deps import Deps, make_deps
from bot.services.handoff import locked
from bot.services.history import MessageView, messages_after
from bot.settings import Settings
from bot.store.engine import Database
from bot.store.tables import Base, Conversation, Outbox
from tests.builders.desk import SetClock
from tests.doubles.telegram_server import Sent, TelegramServer

SWIFT = Pace(poll=5, look=0.05, first_pause=0.02, longest_pause=0.05, watch=0.1)
LI, WANG, ELSEWHERE = 5001, 5002, 9001
"""Three chats; no test is about the last."""


def desk_deps(
    folder: Path,
    server: TelegramServer,
    clock: SetClock,
    token: str | None = None,
    webhook_secret: str = "",
    public_origin: str = "",
) -> Deps:
    """Put a desk together on a database of its own."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it beside the fields
        demo_exposed="yes",
        var_dir=folder,
        data_key=SecretStr(base64.b64encode(b"d" * 32).decode()),
        lookup_key=SecretStr(base64.b64encode(b"l" * 32).decode()),
        telegram_api_base=server.base,
        TELEGRAM_BOT_TOKEN=token or server.token,
        telegram_webhook_secret=SecretStr(webhook_secret),
        public_origin=public_origin,
    )
    deps = make_deps(settings, clock)
    Base.metadata.create_all(deps.database.engine)
    return deps


@dataclass
class Desk:
    """The channel at work, and what a test asks about it."""

    deps: Deps
    server: TelegramServer
    clock: SetClock
    woken: list[str] = field(default_factory=list)
    channel: TelegramChannel | None = None
    rounds: int = 0

    async def start(self) -> None:
        self.channel = TelegramChannel(self.deps, self.woken.append, SWIFT)
        await self.channel.start()

    async def stop(self) -> None:
        if self.channel is not None:
            await self.channel.stop()
            self.channel = None

    def nudge(self) -> None:
        assert self.channel is not None
        self.channel.nudge()

    async def taken(self, update_id: int) -> None:
        """Wait until an update is stored and confirmed to Telegram."""
        await asyncio.to_thread(self.server.wait_until, lambda: self.server.confirmed(update_id))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds at Telegram's end."""
        await asyncio.to_thread(self.server.wait_until, condition)

    async def shown(self, chat_id: int, text: str) -> Sent:
        """Wait until a chat shows a message that contains ``text``."""
        return await asyncio.to_thread(self.server.wait_for, chat_id, lambda sent: text in sent.text)

    def conversation(self, chat_id: int) -> str:
        return conversation_for(self.deps, "telegram", str(chat_id))

    def transcript(self, chat_id: int) -> list[MessageView]:
        return messages_after(self.deps, self.conversation(chat_id), 0)

    def said_by_borrower(self, chat_id: int) -> list[str]:
        return [message.text for message in self.transcript(chat_id) if message.author == Author.BORROWER]

    def notices(self, chat_id: int) -> list[str]:
        return [message.text for message in self.transcript(chat_id) if message.author == Author.NOTICE]

    def write(self, chat_id: int, *texts: str, buttons: tuple[str, ...] = (), purpose: str = "reply") -> None:
        """Let the bot say something."""
        conversation_id = self.conversation(chat_id)
        with self.deps.begin() as session:
            conversation = locked(session, conversation_id)
            assert conversation is not None
            for text in texts:
                reply = Reply(text, tuple(QuickReply(title, f"/choose{{{title}}}") for title in buttons))
                say(session, self.deps, conversation, reply, author=Author.BOT, purpose=purpose)

    async def open(self, chat_id: int) -> None:
        """Open a conversation and wait until its greeting is delivered."""
        self.conversation(chat_id)
        greeting = self.deps.wording.all("greeting", lender=self.deps.settings.lender_name)
        await self.shown(chat_id, greeting[-1])

    async def sent_tries(self, chat_id: int, number: int) -> None:
        """Wait until so many sends to a chat were tried and the last of them is recorded."""
        await self.until(lambda: self.server.count("sendMessage", chat_id) >= number)
        await self.round()

    async def round(self) -> None:
        """Wait until what was being delivered is delivered and recorded, at the time the clock shows."""
        self.rounds += 1
        self.write(ELSEWHERE, f"({self.rounds})")
        self.nudge()
        await self.shown(ELSEWHERE, f"({self.rounds})")

    def outbox(self, chat_id: int) -> list[Outbox]:
        """Return a chat's outbox rows in the order in which they were written, without the greeting."""
        shown = [message.id for message in self.transcript(chat_id)][2:]
        with self.deps.begin() as session:
            rows = {row.message_id: row for row in session.scalars(select(Outbox))}
        return [rows[key] for key in shown if key in rows]

    def unreachable(self, chat_id: int) -> bool:
        """Tell whether a chat's conversation is on record as one that takes nothing."""
        conversation_id = self.conversation(chat_id)
        with self.deps.begin() as session:
            return session.get_one(Conversation, conversation_id).unreachable_at is not None

    def after(self, seconds: float) -> None:
        """Let time pass and look at the outbox."""
        self.clock.move(timedelta(seconds=seconds))
        self.nudge()


@contextmanager
def database_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every unit of work fail as it does when the database cannot be reached."""

    @contextmanager
    def refuse(_self: Database) -> Iterator[Session]:
        raise OperationalError("BEGIN", {}, Exception("connection refused"))
        yield

    with monkeypatch.context() as away:
        away.setattr(Database, "begin", refuse)
        yield
