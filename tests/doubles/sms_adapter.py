"""A lender's adapter for text messages on loopback, as ``docs/sms-adapter.md`` asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.loopback import Double, SilentHandler

KEY = "an-invented-key-of-the-sms-adapter"


class _Handler(SilentHandler):
    def do_POST(self) -> None:  # the name the base class calls
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers = self.server.double.take(self.headers.get("Authorization", ""), body)
        if status == 0:
            return
        payload = json.dumps({"message_id": f"n-{len(self.server.double.requests)}"}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


@dataclass
class SmsAdapter(Double):
    """Use it as a context manager. ``answers`` (status, headers) are given to the next requests; 0 cuts the line."""

    handler = _Handler

    delivered: dict[str, tuple[str, str]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it takes messages."""
        return f"{self._httpd.base}/notices"

    def take(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        """Answer one request. Called by the HTTP handler, on its own thread."""
        with self._lock:
            self.requests.append(body)
            if key != f"Bearer {KEY}":
                return 401, {}
            status, headers = self.answers.pop(0) if self.answers else (202, {})
            if status < 300:  # a message that it knows is not sent again
                self.delivered.setdefault(body["id"], (body["phone"], body["text"]))
            return status, headers
