"""Whatever anybody sends over the chat's line: it is answered or closed in order, and the next borrower is served."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from bot.services import history
from tests.fuzz.gateway import ORIGIN, PublicGateway
from tests.fuzz.odd import BOMBS, header_values, objects, percent, texts, values, written

FRAMES = {"welcome", "message", "ack", "buttons", "typing", "state", "problem"}
"""What ``docs/web-chat.md`` says that the server sends."""
ORDERLY = {1000, 1003, 1007, 1009}
"""Closed with a reason that the client gave; not 1011, and not broken off."""
DOORS = (("/chat/line", "desk_session"), ("/embedded/chat/line", "desk_embedded"))


@dataclass
class Heard:
    """What a connection brought until its last frame was answered, or until it was closed."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    closed_with: int | None = None

    @property
    def news(self) -> str:
        """All of it but what the client itself said: its messages come back, and its keys with them."""
        told = [
            {name: value for name, value in frame.items() if name != "key"}
            for frame in self.frames
            if frame.get("author") != "borrower"
        ]
        return json.dumps(told, ensure_ascii=False)


def talk(
    gateway: PublicGateway, frames: list[str | bytes], token: str | None, door: tuple[str, str] = DOORS[0]
) -> Heard:
    """Send frames, then one that is always answered; return what came."""
    heard, last = Heard(), uuid4().hex
    with gateway.line(token, *door) as line:
        try:
            for frame in frames:
                line.send(frame)
            line.send(written({"type": "press", "key": last, "token": "none"}))
            while not (heard.frames and heard.frames[-1]["type"] == "problem" and heard.frames[-1]["key"] == last):
                heard.frames.append(json.loads(line.recv(timeout=10)))
        except ConnectionClosed as closed:
            heard.closed_with = closed.rcvd.code if closed.rcvd is not None else 1006
    return heard


def assert_orderly(gateway: PublicGateway, heard: Heard) -> None:
    """What came is what the documentation names, tells nothing, and nothing failed behind it."""
    assert heard.closed_with is None or heard.closed_with in ORDERLY
    assert {frame["type"] for frame in heard.frames} <= FRAMES
    gateway.assert_tells_nothing(heard.news)
    gateway.assert_no_mishap()


def frames(gateway: PublicGateway) -> st.SearchStrategy[str | bytes]:
    """A frame: honest, nearly honest, or anything."""
    known = (*gateway.known, *gateway.sessions.values())
    right: dict[str, st.SearchStrategy[object]] = {
        "type": st.sampled_from(["hello", "say", "press", "seen"]),
        "key": st.sampled_from(["key-0001", "key-0002", "key-0003"]),
        "text": texts(*known),
        "token": st.sampled_from(known),
        "after": st.integers(0, 9),
        "seq": st.integers(0, 9),
    }
    honest = st.fixed_dictionaries(right).map(written)
    nearly = st.builds(lambda whole, odd: written({**whole, **odd}), st.fixed_dictionaries(right), objects(right))
    anything = st.one_of(values(*known).map(written), texts().map(_sendable), st.sampled_from(BOMBS))
    return st.one_of(honest, nearly, nearly, anything, st.binary(max_size=80))


def _sendable(text: str) -> str:
    return text.encode("utf-8", errors="replace").decode()


@given(data=st.data())
def test_odd_frames_are_answered_or_the_line_is_closed(gateway: PublicGateway, data: st.DataObject) -> None:
    tokens = st.one_of(st.none(), st.sampled_from(list(gateway.sessions.values())), st.sampled_from(gateway.known))
    sent = data.draw(st.lists(frames(gateway), min_size=1, max_size=8))
    assert_orderly(gateway, talk(gateway, sent, data.draw(tokens), data.draw(st.sampled_from(DOORS))))
    greeted = talk(gateway, [written({"type": "hello", "after": 0})], gateway.sessions["anonymous"])
    assert [frame["type"] for frame in greeted.frames].count("welcome") == 1


@pytest.mark.parametrize(
    "frame",
    [
        *BOMBS,
        '{"type":"press","key":"\\ud800-key-0001","token":1}',
        '{"type":"say","key":"key-0001\\u0000","text":"在吗"}',
        '{"type":"press","key":"key-0009","token":"\\u0000"}',
        f'{{"type":"seen","seq":{2**63}}}',
        f'{{"type":"hello","after":{10**40}}}',
        "汉" * 64_001,
        b"\x00\xff",
        "",
    ],
    ids=lambda frame: repr(frame)[:40],
)
def test_a_frame_that_is_none_is_a_problem_and_ends_nothing(gateway: PublicGateway, frame: str | bytes) -> None:
    heard = talk(gateway, [frame], gateway.sessions["anonymous"])
    assert heard.closed_with is None
    assert next(each["code"] for each in heard.frames if each["type"] == "problem") in ("bad_frame", "too_long")
    assert_orderly(gateway, heard)


def test_a_frame_that_no_message_needs_ends_the_line(gateway: PublicGateway) -> None:
    heard = talk(gateway, ["1" * 1_000_001], gateway.sessions["anonymous"])
    # The rest of the frame may still be on its way when the line is closed, and then the reason is lost.
    assert heard.closed_with in (1009, 1006)
    gateway.assert_serves()
    gateway.assert_no_mishap()


def test_bytes_that_are_no_text_end_the_line(gateway: PublicGateway) -> None:
    with gateway.line(gateway.sessions["anonymous"]) as line:
        line.send(b"\xff\xfe\xff", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    gateway.assert_no_mishap()


@pytest.mark.parametrize("session", ["anonymous", "other"])
def test_the_buttons_of_another_conversation_are_none(gateway: PublicGateway, session: str) -> None:
    pressed = [written({"type": "press", "key": f"button-{n}", "token": t}) for n, t in enumerate(gateway.buttons)]
    heard = talk(gateway, pressed[:9], gateway.sessions[session])
    assert {frame["code"] for frame in heard.frames if frame["type"] == "problem"} == {"unknown_button"}
    assert_orderly(gateway, heard)


def test_more_messages_than_anybody_types_are_refused_and_not_stored(gateway: PublicGateway) -> None:
    said = [written({"type": "say", "key": f"in-a-rush-{n}", "text": "喂"}) for n in range(40)]
    heard = talk(gateway, said, gateway.new_session())
    codes = [frame["code"] for frame in heard.frames if frame["type"] == "problem"]
    assert codes == ["too_fast"] * (40 - 12 + 1)
    assert_orderly(gateway, heard)


def test_a_sign_of_danger_is_taken_however_fast_it_comes(gateway: PublicGateway) -> None:
    said = [written({"type": "say", "key": f"in-a-rush-{n}", "text": "喂"}) for n in range(12)]
    said.append(written({"type": "say", "key": "in-danger-1", "text": "我不想活了"}))
    heard = talk(gateway, said, gateway.new_session())
    assert "in-danger-1" in [frame["key"] for frame in heard.frames if frame["type"] == "ack"]
    assert_orderly(gateway, heard)


@given(data=st.data())
def test_an_odd_request_for_a_line_gets_none_or_one_that_tells_nothing(
    gateway: PublicGateway, data: st.DataObject
) -> None:
    right = {
        "Upgrade": b"websocket",
        "Connection": b"Upgrade",
        "Sec-WebSocket-Version": b"13",
        "Sec-WebSocket-Key": b"AAAAAAAAAAAAAAAAAAAAAA==",
        "Origin": ORIGIN.encode(),
        "Cookie": b"desk_session=" + gateway.sessions["lapsed"].encode(),
        "Sec-WebSocket-Extensions": b"permessage-deflate",
    }
    odd = data.draw(st.lists(st.sampled_from(list(right)), max_size=2, unique=True))
    headers = {name: data.draw(header_values()) if name in odd else value for name, value in right.items()}
    path = data.draw(st.sampled_from([path for path, _ in DOORS]) | texts().map(lambda text: "/" + percent(text)))
    lines = [f"GET {path} HTTP/1.1".encode(), b"Host: desk.lender.example"]
    lines += [name.encode() + b": " + value for name, value in headers.items()]
    answer = gateway.ask(b"\r\n".join(lines) + b"\r\n\r\n", until=b"\r\n\r\n")
    assert answer.status < 500
    gateway.assert_tells_nothing(answer.text)
    gateway.assert_no_mishap()


def test_a_line_from_a_foreign_page_is_refused(gateway: PublicGateway) -> None:
    answer = gateway.ask(
        b"GET /chat/line HTTP/1.1\r\nHost: desk.lender.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Origin: https://evil.example\r\n\r\n",
        until=b"\r\n\r\n",
    )
    assert answer.status == 403


def test_a_failure_on_our_side_ends_the_line_with_its_code(
    gateway: PublicGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(history, "mark_seen", away)
    heard = talk(gateway, [written({"type": "seen", "seq": 1})], gateway.sessions["anonymous"])
    assert heard.closed_with == 1011
    monkeypatch.undo()
    until = time.monotonic() + 10
    while not gateway.mishaps and time.monotonic() < until:  # the line is closed before it is written down why
        time.sleep(0.02)
    assert ["line_failed" in mishap for mishap in gateway.mishaps] == [True]
    gateway.mishaps.clear()
    gateway.assert_serves()
