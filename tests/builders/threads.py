"""Doing things at the same moment, as several processes do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """Call ``act`` with 0, 1, … in so many threads that start together; returns what each returned, in that order."""
    together = Barrier(number)

    def run(turn: int) -> T:
        together.wait()
        return act(turn)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
