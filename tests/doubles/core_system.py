"""The lender's core system on loopback, as far as it takes events: ``docs/integration.md`` is the contract."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.loopback import Double, SilentHandler

_DRIPS, _BETWEEN_DRIPS = 600, 0.05


class _Handler(SilentHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.double.take(self.headers.get("Desk-Signature", ""), body)
        if not status:
            self.close_connection = True
            return
        if self.server.double.drips:
            self._drip(status, self.server.double.drips)
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 302:
            self.send_header("Location", self.server.double.url)
        self.end_headers()

    def _drip(self, status: int, part: str) -> None:
        """Answer with a header or a body that does not end, a line at a time, until nobody listens."""
        self.close_connection = True
        self.send_response(status)
        if part == "body":
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
        self.flush_headers()
        with contextlib.suppress(OSError):
            for _ in range(_DRIPS):
                self.wfile.write(b"Still-Here: yes\r\n")
                time.sleep(_BETWEEN_DRIPS)


@dataclass
class CoreSystem(Double):
    """Use it as a context manager. ``answers`` are given to the next requests, then 204; 0 cuts the line.

    ``drips``: ``header`` or ``body``, whichever part of its answers does not end. Without its secret it takes nothing.
    ``taken`` are the events, ``requests`` counts all attempts.
    """

    handler = _Handler

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    drips: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    @property
    def url(self) -> str:
        """Where it takes events."""
        return f"{self._httpd.base}/events"

    def take(self, given: str, body: bytes) -> int:
        """Answer one request as a careful receiver does. Called on the HTTP handler's thread."""
        with self._lock:
            self.requests += 1
            parts = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
            expected = hmac.new(self.secret.encode(), f"{parts.get('t')}.".encode() + body, hashlib.sha256)
            if not hmac.compare_digest(expected.hexdigest(), parts.get("v1", "")):
                return 401
            status = self.answers.pop(0) if self.answers else 204
            if 200 <= status < 300:
                self.taken.append(json.loads(body))
            return status
