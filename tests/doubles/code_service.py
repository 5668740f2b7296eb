"""A lender's service for one-time codes on loopback, as ``docs/operations.md`` asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.doubles.loopback import Double, SilentHandler

KEY = "an-invented-key-of-the-code-service"


class _Handler(SilentHandler):
    def do_POST(self) -> None:  # the name the base class calls
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.double.take(
            self.headers.get("Authorization", ""), self.headers.get("Idempotency-Key", ""), body
        )
        if status == 0:
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.double.url)
        self.send_header("Content-Length", "0")
        self.end_headers()


@dataclass
class CodeService(Double):
    """Use it as a context manager. ``answers`` are the statuses given to the next requests; 0 cuts the line."""

    handler = _Handler

    taken: list[tuple[str, str]] = field(default_factory=list)
    """Phone and code of each letter that was taken, once."""
    letters: list[str] = field(default_factory=list)
    """The letter's id of each request."""
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it takes codes."""
        return f"{self._httpd.base}/codes"

    def take(self, key: str, letter: str, body: dict[str, str]) -> int:
        """Answer one request. Called by the HTTP handler, on its own thread."""
        with self._lock:
            is_known = letter in self.letters
            self.letters.append(letter)
            if key != f"Bearer {KEY}":
                return 401
            status = self.answers.pop(0) if self.answers else 202
            if status in (0, 202) and not is_known:
                self.taken.append((body["phone"], body["code"]))
            return status
