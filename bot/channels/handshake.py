"""Which requests for a WebSocket get as far as the library that opens one."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_LINE = 8_000
"""Bytes of the address, and of a header with its name: the library reads lines of 8,192."""

MOST_HEADERS = 100
"""The library reads 128."""

_OWN = b"sec-websocket-"
_SHAPES = {b"sec-websocket-version": re.compile(rb"13"), b"sec-websocket-key": re.compile(rb"[A-Za-z0-9+/]{22}==")}
_LISTED = re.compile(rb"[A-Za-z0-9_=,;. -]*")
"""What the other headers of a handshake are made of: names, numbers and what stands between them (RFC 6455, 9.1)."""


class StrictHandshake(HttpToolsProtocol):
    """Takes a request that is no handshake by the letter as a plain one, which the routes refuse.

    The library's own refusals repeat what was sent and break off where that is no text; to what is too long it gives no
    answer at all.
    """

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and is_handshake(self.url, self.headers)


def is_handshake(address: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether an address and headers, their names in small letters, ask for a WebSocket as RFC 6455 has it."""
    own = [(name, value) for name, value in headers if name.startswith(_OWN)]
    longest = max(len(address), *(len(name) + len(value) for name, value in headers), 0)
    return (
        longest <= LONGEST_LINE
        and len(headers) <= MOST_HEADERS
        and {name for name, _ in own} >= _SHAPES.keys()
        and all(_SHAPES.get(name, _LISTED).fullmatch(value) for name, value in own)
    )
