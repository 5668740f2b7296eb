"""A desk that sends notices by e-mail or text message in a test: real channel, real database, real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from bot.channels.delivery import PushChannel
from bot.channels.pacing import Pace
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.services.mailboxes import mailbox_of, register_email
from bot.store.tables import Borrower, Conversation, Outbox
from tests.builders.desk import SetClock, a_borrower, a_desk

SWIFT = Pace(look=0.02, first_pause=0.02, longest_pause=0.05)
ADDRESS = "wang.xiaoming@example.com"
PHONE = "13800000001"
NOTICE = "您好，我是示例银行的 AI 助手。您有一条事项提醒，回复“查看”，核对身份后就能看到。"


class OneWayDesk:
    """One borrower who is written to, and what a test asks about it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.deps: Deps = a_desk(folder, self.clock, public_origin="https://desk.example.cn")
        self.borrower_id = a_borrower(self.deps, phone=PHONE)

    def register(self, address: str = ADDRESS) -> None:
        with self.deps.begin() as session:
            assert register_email(session, self.deps, session.get_one(Borrower, self.borrower_id), address) is None

    def notify(self, text: str = NOTICE, script: str = "hans") -> str:
        """Write a notice to the borrower's mailbox; returns the conversation."""
        with self.deps.begin() as session:
            conversation = mailbox_of(session, self.deps, self.borrower_id)
            assert conversation is not None
            conversation.script = script
            say(session, self.deps, conversation, Reply(text), author=Author.BOT, purpose="plan_notice")
            return conversation.id

    def rows(self) -> list[Outbox]:
        with self.deps.begin() as session:
            return list(session.scalars(select(Outbox)))

    def states(self) -> list[tuple[str, str | None]]:
        return [(row.state, row.last_error) for row in self.rows()]

    def unreachable(self) -> bool:
        with self.deps.begin() as session:
            return session.scalars(select(Conversation)).one().unreachable_at is not None

    async def recorded(self, *states: tuple[str, str | None]) -> None:
        """Wait until the outbox shows these."""
        for _ in range(400):
            if await asyncio.to_thread(self.states) == list(states):
                return
            await asyncio.sleep(0.02)
        assert self.states() == list(states)

    async def tried(self, times: int) -> None:
        """Wait until the only message was tried so many times and that is recorded."""
        for _ in range(400):
            [row] = await asyncio.to_thread(self.rows)
            if row.attempts == times and row.claimed_until is None:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not tried {times} times")

    def after(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))


@asynccontextmanager
async def at_work(channel: PushChannel) -> AsyncIterator[None]:
    """Run a channel for the length of a test."""
    await channel.start()
    try:
        yield
    finally:
        await channel.stop()
