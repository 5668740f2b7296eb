"""A browser tab as many tests at once need it: the page's own way of keeping, resending and showing, without a page.

What is sent is kept under its key until the desk has stored or refused it, and is sent again after every cut. Each
connection goes to the next gateway, so nothing can rely on meeting the same one again.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

SAY_AGAIN_SECONDS = 1.0
"""After so long a person sends again what they were told has not been stored."""
_FIRST_RETRY, _LONGEST_RETRY = 0.3, 4.0
_PATIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as the page shows it."""

    seq: int
    author: str
    text: str
    buttons: dict[str, str]
    withheld: bool


@dataclass(slots=True)
class Tab:
    """One tab: what was said over it under which keys, and what it was shown."""

    bases: Sequence[str]
    cookie: str
    draw: Random
    heard: dict[int, Heard] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What was said, by key; a press by the words of its button."""
    stored: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    shown_twice: list[int] = field(default_factory=list)
    out_of_order: list[int] = field(default_factory=list)
    cuts: int = 0
    connects: Counter[str] = field(default_factory=Counter)
    _waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    _line: ClientConnection | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Keep a connection from now on."""
        self._task = asyncio.create_task(self._stay())

    async def close(self) -> None:
        """Close the tab."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def last_seq(self) -> int:
        """The highest number shown."""
        return max(self.heard, default=0)

    def since(self, seq: int) -> list[Heard]:
        """Return what others have said after a number, in order."""
        return [self.heard[each] for each in sorted(self.heard) if each > seq and self.heard[each].author != "borrower"]

    async def say(self, text: str) -> str:
        """Say something; returns its key. It is on its way until it is stored or refused."""
        return await self._take({"type": "say", "text": text}, text)

    async def press(self, title: str, token: str) -> str:
        """Press a quick reply; returns the key."""
        return await self._take({"type": "press", "token": token}, title)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true of what the tab has; False if it does not become so in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            left = deadline - loop.time()
            if left <= 0:
                return False
            self._news.clear()
            try:
                async with asyncio.timeout(min(left, 5.0)):
                    await self._news.wait()
            except TimeoutError:
                continue
        return True

    async def _take(self, frame: dict[str, str], words: str) -> str:
        key = uuid4().hex
        self.said[key] = words
        self._waiting[key] = {**frame, "key": key}
        if self._line is not None:
            try:
                await self._line.send(json.dumps(self._waiting[key]))
            except ConnectionClosed:
                return key  # it is sent again over the next one
        return key

    async def _stay(self) -> None:
        failures = 0
        turn = self.draw.randrange(len(self.bases))
        while True:
            base = self.bases[turn % len(self.bases)]
            turn += 1
            try:
                async with connect(
                    base.replace("http", "ws", 1) + "/chat/line",
                    additional_headers={"Cookie": f"desk_session={self.cookie}"},
                    open_timeout=_PATIENT_SECONDS,
                    ping_timeout=_PATIENT_SECONDS,
                ) as line:
                    self.connects[base] += 1
                    await self._serve(line)
                    failures = 0
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                failures += 1
            finally:
                self._line = None
            self.cuts += 1
            longest = min(_FIRST_RETRY * 2**failures, _LONGEST_RETRY)
            await asyncio.sleep(self.draw.uniform(_FIRST_RETRY, longest))

    async def _serve(self, line: ClientConnection) -> None:
        await line.send(json.dumps({"type": "hello", "after": self._after()}))
        async for raw in line:
            frame: dict[str, Any] = json.loads(raw)
            if frame["type"] == "welcome":
                self._line = line
                for waiting in list(self._waiting.values()):
                    await line.send(json.dumps(waiting))
            else:
                self._read(frame)
            self._news.set()

    def _after(self) -> int:
        """The number before the first message of which the text is still withheld, else the last."""
        withheld = [seq for seq, message in self.heard.items() if message.withheld]
        return min(withheld) - 1 if withheld else self.last_seq

    def _read(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ack":
            self.stored[frame["key"]] = frame["seq"]
            self._waiting.pop(frame["key"], None)
        elif frame["type"] == "problem" and frame["key"] in self._waiting:
            self.refused[frame["key"]] = frame["code"]
            del self._waiting[frame["key"]]
        elif frame["type"] == "message":
            self._show(frame)

    def _show(self, frame: dict[str, Any]) -> None:
        buttons = {each["title"]: each["token"] for each in frame["buttons"] if each["state"] == "open"}
        message = Heard(frame["seq"], frame["author"], frame["text"], buttons, frame["withheld"])
        known = self.heard.get(message.seq)
        if frame["key"] is not None and frame["key"] in self.said:
            self.stored.setdefault(frame["key"], message.seq)
            self._waiting.pop(frame["key"], None)
        if known is None:
            if message.seq < self.last_seq:
                self.out_of_order.append(message.seq)
            self.heard[message.seq] = message
        elif known.withheld:
            self.heard[message.seq] = message
        elif known.text != message.text:
            self.shown_twice.append(message.seq)


async def open_sessions(bases: Sequence[str], count: int, at_once: int = 10) -> list[str]:
    """Open so many sessions as browsers do, at each gateway in turn; returns their cookies."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> str:
        async with gate, httpx.AsyncClient(base_url=bases[number % len(bases)], timeout=60) as http:
            return (await http.get("/")).cookies["desk_session"]

    return list(await asyncio.gather(*(one(number) for number in range(count))))
