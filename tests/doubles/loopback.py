"""What the doubles have in common: an HTTP server on a free port of loopback, in a thread of its own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self


class LoopbackServer(ThreadingHTTPServer):
    """Answers with a handler, which finds what it stands in for as ``self.server.double``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], double: Any) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.double = double
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def base(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let go of the port."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class SilentHandler(BaseHTTPRequestHandler):
    """Prints nothing: a path may hold a token."""

    server: LoopbackServer

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        """Stay silent."""


class Double:
    """Stands in on loopback for something out of reach, for as long as it is used as a context manager."""

    handler: ClassVar[type[BaseHTTPRequestHandler]]

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._httpd = LoopbackServer(self.handler, self)

    def __enter__(self) -> Self:
        self._httpd.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._httpd.stop()
