"""When wrong answers lock verification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer to a verification question."""

    at: datetime
    passed: bool


def attempts_left(attempts: Sequence[Attempt], now: datetime, allowed: int, lock: timedelta) -> int:
    """Return how many more wrong answers are borne before it locks: those older than a ``lock`` span count no more."""
    recent = sum(not attempt.passed and now - attempt.at < lock for attempt in attempts)
    return max(0, allowed - recent)


def locked_until(attempts: Sequence[Attempt], now: datetime, allowed: int, lock: timedelta) -> datetime | None:
    """Return until when verification is locked, or None when it is open.

    ``allowed`` wrong answers within one ``lock`` span close it for a further ``lock`` span, counted from the last of
    them. A right answer in between does not wipe the wrong ones: otherwise a thief who knows one factor could try the
    other for ever.
    """
    wrong = sorted(attempt.at for attempt in attempts if not attempt.passed)
    for last in range(len(wrong) - 1, allowed - 2, -1):
        if wrong[last] - wrong[last - allowed + 1] < lock:
            until = wrong[last] + lock
            return until if until > now else None
    return None
