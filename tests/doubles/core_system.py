"""The lender's core system on loopback, as far as it takes events: ``docs/integration.md`` is the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class CoreSystem:
    """Use it as a context manager. ``answers`` are given to the next requests, then 204; 0 cuts the line.

    Without its secret it takes nothing. ``taken`` are the events, ``requests`` counts all attempts.
    """

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._httpd = _Server(("127.0.0.1", 0), _Handler)
        self._httpd.double = self
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it takes events."""
        return f"http://127.0.0.1:{self._httpd.server_address[1]}/events"

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    double: CoreSystem


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.double.take(self.headers.get("Desk-Signature", ""), body)
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 302:
            self.send_header("Location", self.server.double.url)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
