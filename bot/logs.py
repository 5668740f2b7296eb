"""Logging: constant event names with fields, one line each; JSON outside demo mode. No personal data."""

from __future__ import annotations

import logging

import structlog

_QUIET = ("httpx", "httpcore", "telegram", "rasa_sdk", "apscheduler", "sqlalchemy.engine", "uvicorn.access")

_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
"""Where it happened, without the values: local variables hold what people wrote."""


def configure(*, as_json: bool) -> None:
    """Set up structlog and quieten libraries that would print messages, URLs or statements."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_TRACEBACKS] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
