"""A borrower on the web chat, as a test drives one: over the real socket, in plain sentences."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx
from websockets.sync.client import ClientConnection, connect

_CODE = re.compile(r"[验驗][证證][码碼][:\uff1a](\d{6})")
QUIET_SECONDS = 0.6
PATIENT_SECONDS = 120.0
"""How long a busy machine may take to answer a sign of life."""


@dataclass(slots=True)
class Said:
    """One message as the page gets it."""

    seq: int
    author: str
    text: str
    buttons: dict[str, str] = field(default_factory=dict)
    withheld: bool = False


class Borrower:
    """Opens a session, says things, and waits for the answers."""

    def __init__(self, base: str, cookie: str | None = None, accept_language: str = "zh-CN") -> None:
        self.base = base
        self.cookie = cookie or httpx.get(f"{base}/").cookies["desk_session"]
        self._language = accept_language
        self._socket: ClientConnection | None = None
        self.heard: list[Said] = []
        self.problems: list[dict[str, Any]] = []
        self.acked: dict[str, int] = {}
        self.owner = "bot"

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def connect(self) -> None:
        """Open the socket and catch up."""
        headers = {"Cookie": f"desk_session={self.cookie}", "Accept-Language": self._language}
        url = self.base.replace("http", "ws", 1) + "/chat/line"
        self._socket = connect(
            url,
            origin=self.base,  # type: ignore[arg-type]
            additional_headers=headers,
            ping_timeout=PATIENT_SECONDS,
        )
        self.send({"type": "hello", "after": self.last_seq})
        self.listen(0.3)

    def disconnect(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def last_seq(self) -> int:
        """The highest seq heard."""
        return max((said.seq for said in self.heard), default=0)

    def say(self, text: str, *, wait: float = 20.0) -> list[Said]:
        """Say something and return what is answered until it is quiet."""
        before = self.last_seq
        self.send({"type": "say", "key": uuid4().hex, "text": text})
        return self._answers(before, wait)

    def press(self, title: str, *, wait: float = 20.0) -> list[Said]:
        """Press the latest button whose title contains ``title``."""
        for said in reversed(self.heard):
            for shown, token in said.buttons.items():
                if title in shown:
                    before = self.last_seq
                    self.send({"type": "press", "key": uuid4().hex, "token": token})
                    return self._answers(before, wait)
        raise AssertionError(f"no button {title!r}")

    def say_code(self) -> list[Said]:
        """Say the one-time code that demo mode showed."""
        return self.say(self.code)

    @property
    def code(self) -> str:
        """The latest one-time code that demo mode showed."""
        codes = [match.group(1) for said in self.heard if (match := _CODE.search(said.text))]
        assert codes, "no code was shown"
        return codes[-1]

    def verify(self, phone: str, id_tail: str) -> list[Said]:
        """Prove identity from the start."""
        self.say("我要核对身份")
        self.say(phone)
        self.say_code()
        return self.say(id_tail)

    def send(self, frame: dict[str, Any]) -> None:
        """Send a raw frame."""
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def send_raw(self, data: str | bytes) -> None:
        """Send whatever, as a hostile client would."""
        assert self._socket is not None
        self._socket.send(data)

    def listen(self, seconds: float) -> None:
        """Take in frames for a while."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._take(left)

    def wait_for(self, words: str, seconds: float = 20.0) -> Said:
        """Wait until somebody says something with these words in it."""
        deadline = time.monotonic() + seconds
        while True:
            for said in self.heard:
                if said.author != "borrower" and words in said.text:
                    return said
            left = deadline - time.monotonic()
            assert left > 0, f"nobody said {words!r}; heard: {[s.text for s in self.heard][-6:]}"
            self._take(min(left, 1.0))

    def _answers(self, before: int, wait: float) -> list[Said]:
        deadline = time.monotonic() + wait
        answered_at: float | None = None
        problems = len(self.problems)
        while (now := time.monotonic()) < deadline:
            new = [said for said in self.heard if said.seq > before and said.author != "borrower"]
            if len(self.problems) > problems:
                return new
            if any(said.author != "notice" for said in new):
                answered_at = answered_at or now
            if answered_at is not None and not self._take(QUIET_SECONDS):
                return [said for said in self.heard if said.seq > before and said.author != "borrower"]
            if answered_at is None:
                self._take(0.2)
        return [said for said in self.heard if said.seq > before and said.author != "borrower"]

    def _hear(self, said: Said) -> None:
        """Keep a message; a real text comes in place of the withheld one, as on the page."""
        for place, known in enumerate(self.heard):
            if known.seq == said.seq and known.withheld:
                self.heard[place] = said
                return
        self.heard.append(said)

    def _take(self, seconds: float) -> bool:
        assert self._socket is not None
        try:
            frame = json.loads(self._socket.recv(timeout=seconds))
        except TimeoutError:
            return False
        kind = frame["type"]
        if kind == "message":
            buttons = {button["title"]: button["token"] for button in frame["buttons"] if button["state"] == "open"}
            self._hear(Said(frame["seq"], frame["author"], frame["text"], buttons, frame["withheld"]))
        elif kind == "problem":
            self.problems.append(frame)
        elif kind == "ack":
            self.acked[frame["key"]] = frame["seq"]
        elif kind in ("state", "welcome"):
            self.owner = frame["owner"]
        return True
