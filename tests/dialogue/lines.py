"""The two ways to talk with the running desk, seen from the borrower: every answer has arrived when ``say`` returns.

That all is said is read from the database, not guessed from silence: it makes hundreds of turns quick, and nothing that
the desk stored can fail to arrive unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol
from urllib.parse import quote
from uuid import uuid4

import httpx
from sqlalchemy import select

from bot.services import web_sessions
from bot.services.conversations import conversation_for
from bot.store.tables import Conversation, Message, Outbox
from tests.doubles.telegram_server import Sent, TelegramServer
from tests.running.borrower import Borrower, Said
from tests.running.desk import RunningDesk

LONGEST_WAIT = 15.0
TAKES_OF_ONE_LINE = 10
"""The page takes twelve messages in ten seconds over one socket; a test is quicker and reloads in between."""

_chats = count(40_001)


class Line(Protocol):
    """A channel with one borrower at the other end."""

    @property
    def conversation_id(self) -> str:
        """The conversation this line belongs to."""

    @property
    def heard(self) -> list[Said]:
        """Everything said so far."""

    def say(self, text: str) -> list[Said]:
        """Say something; returns what was answered."""

    def press(self, title: str) -> list[Said]:
        """Press the latest button with these words; returns what was answered."""

    def heard_of(self, event: Callable[[], None], until: Callable[[Sequence[Said]], bool]) -> list[Said]:
        """Let something happen that is not the borrower's doing; returns what is said of it until that is enough."""

    def send_file(self, name: str, content: bytes) -> None:
        """Send a file."""

    def wait_for(self, words: str) -> Said:
        """Wait until somebody else says something with these words in it."""

    def problem(self) -> str | None:
        """Return the code of the problem that the last thing said met with, if any."""


class WebLine:
    """The web chat."""

    def __init__(self, desk: RunningDesk, borrower: Borrower) -> None:
        self.borrower = borrower
        self._desk = desk
        self._takes = 0
        self._problems = 0
        found = web_sessions.conversation_of(desk.deps, borrower.cookie)
        assert found is not None, "the page gave a cookie that opens nothing"
        self.conversation_id = found

    @property
    def heard(self) -> list[Said]:
        return self.borrower.heard

    def say(self, text: str) -> list[Said]:
        return self._send({"type": "say", "text": text})

    def press(self, title: str) -> list[Said]:
        token = next(
            (token for said in reversed(self.heard) for shown, token in said.buttons.items() if title in shown), None
        )
        assert token is not None, f"no button {title!r}"
        return self._send({"type": "press", "token": token})

    def heard_of(self, event: Callable[[], None], until: Callable[[Sequence[Said]], bool]) -> list[Said]:
        before = self.borrower.last_seq
        event()

        def news() -> list[Said]:
            return [said for said in self.heard if said.seq > before and said.author != "borrower"]

        self._desk.wait_until(lambda: self._is_caught_up() and until(news()), LONGEST_WAIT, "news of an event")
        return news()

    def send_file(self, name: str, content: bytes) -> None:
        base = self.borrower.base
        named = {"X-Upload-Key": uuid4().hex, "X-File-Name": quote(name), "Origin": base}
        with httpx.Client(base_url=base, cookies={"desk_session": self.borrower.cookie}) as browser:
            browser.post("/chat/evidence", content=content, headers=named)

    def wait_for(self, words: str) -> Said:
        return self.borrower.wait_for(words, LONGEST_WAIT)

    def problem(self) -> str | None:
        return str(self.borrower.problems[-1]["code"]) if len(self.borrower.problems) > self._problems else None

    def _send(self, frame: dict[str, str]) -> list[Said]:
        if self._takes == TAKES_OF_ONE_LINE:
            self.borrower.disconnect()
            self.borrower.connect()
            self._takes = 0
        self._takes += 1
        self._problems = len(self.borrower.problems)
        before, key = self.borrower.last_seq, uuid4().hex
        self.borrower.send({**frame, "key": key})
        self._desk.wait_until(lambda: self._is_taken(key), LONGEST_WAIT, f"the desk to take {frame}")
        self._desk.wait_until(lambda: settled(self._desk, self.conversation_id), LONGEST_WAIT, f"an answer to {frame}")
        self._desk.wait_until(self._is_caught_up, LONGEST_WAIT, "the answers to arrive")
        return [said for said in self.heard if said.seq > before and said.author != "borrower"]

    def _is_taken(self, key: str) -> bool:
        self.borrower.listen(0.02)
        return key in self.borrower.acked or self.problem() is not None

    def _is_caught_up(self) -> bool:
        with self._desk.deps.read() as session:
            last = session.get_one(Conversation, self.conversation_id).last_seq
        if self.borrower.last_seq < last:
            self.borrower.listen(0.02)
        return self.borrower.last_seq >= last


class TelegramLine:
    """A private chat over Telegram's double."""

    def __init__(self, desk: RunningDesk, cloud: TelegramServer) -> None:
        self.chat_id = next(_chats)
        self._desk = desk
        self._cloud = cloud
        self.heard: list[Said] = []
        self.conversation_id = conversation_for(desk.deps, "telegram", str(self.chat_id))
        self._desk.wait_until(self._is_delivered, LONGEST_WAIT, "the greeting")

    def say(self, text: str) -> list[Said]:
        return self._after(self._cloud.send_text(self.chat_id, text))

    def press(self, title: str) -> list[Said]:
        for sent in reversed(self._cloud.messages(self.chat_id)):
            for shown, _ in sent.buttons:
                if title in shown:
                    return self._after(self._cloud.press(self.chat_id, sent.message_id, shown))
        raise AssertionError(f"no button {title!r}")

    def share_phone(self, phone: str) -> list[Said]:
        """Press the key that sends the number of this account; returns what was answered."""
        return self._after(self._cloud.share_contact(self.chat_id, f"+86{phone}", user_id=self.chat_id))

    def heard_of(self, event: Callable[[], None], until: Callable[[Sequence[Said]], bool]) -> list[Said]:
        before = len(self.heard)
        event()
        self._desk.wait_until(
            lambda: self._is_delivered() and until(self.heard[before:]), LONGEST_WAIT, "news of an event"
        )
        return self.heard[before:]

    def send_file(self, name: str, content: bytes) -> None:
        self._cloud.send_file(self.chat_id, content, name=name)

    def wait_for(self, words: str) -> Said:
        def find() -> Said | None:
            return next((said for said in reversed(self.heard) if words in said.text), None)

        self._desk.wait_until(lambda: self._is_delivered() and find() is not None, LONGEST_WAIT, f"{words!r}")
        said = find()
        assert said is not None
        return said

    def problem(self) -> str | None:
        return None

    def shown(self) -> list[Sent]:
        """Return the bot's messages as the chat shows them."""
        return self._cloud.messages(self.chat_id)

    def _after(self, update_id: int) -> list[Said]:
        before = len(self.heard)
        self._desk.wait_until(lambda: self._cloud.confirmed(update_id), LONGEST_WAIT, "the update to be taken")
        self._desk.wait_until(lambda: settled(self._desk, self.conversation_id), LONGEST_WAIT, "an answer")
        self._desk.wait_until(self._is_delivered, LONGEST_WAIT, "the answers to arrive")
        return self.heard[before:]

    def _is_delivered(self) -> bool:
        with self._desk.deps.read() as session:
            mine = select(Message.id).where(Message.conversation_id == self.conversation_id)
            waiting = session.scalar(select(Outbox.id).where(Outbox.message_id.in_(mine), Outbox.state == "pending"))
        if waiting is not None:
            return False
        for sent in self._cloud.messages(self.chat_id)[len(self.heard) :]:
            self.heard.append(Said(sent.message_id, "bot", sent.text, dict(sent.buttons)))
        return True


def settled(desk: RunningDesk, conversation_id: str) -> bool:
    """Tell whether no message of a conversation waits for the bot's answer."""
    with desk.deps.read() as session:
        waiting = select(Message.id).where(Message.conversation_id == conversation_id, Message.handling == "pending")
        return session.scalar(waiting.limit(1)) is None
