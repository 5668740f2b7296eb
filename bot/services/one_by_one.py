"""Work that is done row by row, each in a transaction of its own: one that fails keeps none of the others waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog

log = structlog.get_logger()

_Made = TypeVar("_Made")

_FAILED: ContextVar[list[str] | None] = ContextVar("rows_failed", default=None)


@contextmanager
def failures() -> Iterator[list[str]]:
    """Yield a list that takes the event of each row on which work fails within the context."""
    failed: list[str] = []
    token = _FAILED.set(failed)
    try:
        yield failed
    finally:
        _FAILED.reset(token)


def attempted(work: Callable[[], _Made], event: str, **row: str) -> _Made | None:
    """Return what the work on one row comes to; None where it failed, which is logged as ``event`` with the row's id.

    What failed is tried again in the next round.
    """
    try:
        return work()
    except Exception as error:
        log.error(event, **row, kind=type(error).__name__, exc_info=error)
        if (failed := _FAILED.get()) is not None:
            failed.append(event)
        return None
