"""Which requests are handshakes of a WebSocket by the letter."""

from __future__ import annotations

import pytest

from bot.channels.handshake import LONGEST_LINE, MOST_HEADERS, is_handshake

VERSION, KEY = (b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
BROWSER = [
    (b"host", b"desk.lender.example"),
    VERSION,
    KEY,
    (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
    (b"user-agent", "浏览器".encode()),
]


def test_what_browsers_send_is_one() -> None:
    assert is_handshake(b"/chat/line", BROWSER)


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (b"/chat/line", [KEY]),
        (b"/chat/line", [VERSION]),
        (b"/chat/line", [(b"sec-websocket-version", b"8"), KEY]),
        (b"/chat/line", [(b"sec-websocket-version", "\x80".encode()), KEY]),
        (b"/chat/line", [VERSION, (b"sec-websocket-key", b"<script>")]),
        (b"/chat/line", [*BROWSER, (b"sec-websocket-protocol", b"<script>")]),
        (b"/" + b"A" * LONGEST_LINE, BROWSER),
        (b"/chat/line", [*BROWSER, (b"cookie", b"a" * LONGEST_LINE)]),
        (b"/chat/line", [*BROWSER, *[(b"x", b"")] * MOST_HEADERS]),
    ],
)
def test_what_the_library_could_not_answer_is_none(address: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert not is_handshake(address, headers)
