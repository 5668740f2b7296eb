"""Logging: constant event names with fields, one line each; JSON outside demo mode. No personal data.

Lines of libraries take the same form. Of an exception the log says its kind and where it happened, never its text: that
of a ``ValueError`` is often the very value that somebody typed.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sys
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor, WrappedLogger

from bot import metrics

_QUIET = (
    "httpx",
    "httpcore",
    "telegram",
    "rasa_sdk",
    "apscheduler",
    "sqlalchemy.engine",
    "uvicorn.access",
    "fontTools",
    "alembic",
)

_ROOT = Path(__file__).resolve().parent.parent
_DEEPEST = 20
"""Frames of a traceback that are kept, the innermost."""


class Lines(structlog.PrintLogger):
    """Prints lines, and goes without where they cannot be written.

    A log on a full disk must not keep a borrower from being told that their words were not stored.
    """

    def msg(self, message: str) -> None:
        """Print one line, if there is room for it."""
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def configure(*, as_json: bool) -> None:
    """Set up structlog and the standard library's logging alike, and quieten libraries that would print messages.

    Alarms are counted on their way, see ``bot.metrics``, so they are raised even if their lines cannot be written.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        say_where,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # of lines that cannot be written: it would print what was in them
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[metrics.count_alarm, *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: Lines(),
    )


def say_where(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind, its causes' kinds, and the places it went through."""
    given: Any = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["trace"] = _told(error)
    return event


class RequestIds:
    """ASGI middleware: a random id for each request and connection, in every log line and in the answer's header.

    An id that the caller brings along is not taken: it could hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = secrets.token_hex(8)

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message.setdefault("headers", [])
                MutableHeaders(scope=message)["X-Request-Id"] = request
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request):
            await self._app(scope, receive, send_with_id)


def _told(error: BaseException) -> list[str]:
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(type(current).__name__)
        lines += _places(current.__traceback__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines


def _places(traceback: TracebackType | None) -> list[str]:
    frames = [(frame.f_code, line) for frame, line in walk_tb(traceback)][-_DEEPEST:]
    return [f"{_shortened(code.co_filename)}:{line} {code.co_name}" for code, line in frames]


def _shortened(filename: str) -> str:
    path = Path(filename)
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else filename
