"""Weeks of the desk's work, and how long people waited for a person in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.clock import SHANGHAI


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday to Sunday in Asia/Shanghai; ``monday`` is its first day."""

    monday: date

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime.combine(self.monday, time(0), tzinfo=SHANGHAI)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return self.begins + timedelta(days=7)


class Step(StrEnum):
    """What may happen to somebody who waits for a person."""

    QUEUED = "queued"
    TAKEN = "taken"
    LEFT = "queue_left"


@dataclass(frozen=True, slots=True)
class HandOver:
    """One step of a conversation on its way to a person."""

    conversation_id: str
    step: Step
    at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """How long somebody waited until a person took their conversation at ``taken_at``."""

    taken_at: datetime
    lasted: timedelta


def weeks_until(today: date, count: int) -> tuple[Week, ...]:
    """Return so many weeks up to the one that a day is in, oldest first."""
    monday = today - timedelta(days=today.weekday())
    return tuple(Week(monday - timedelta(days=7 * back)) for back in range(count - 1, -1, -1))


def waits(steps: Iterable[HandOver]) -> tuple[Wait, ...]:
    """Return the waits that ended with a person, from steps in the order in which they happened.

    It counts from the first time somebody was put into the queue; asking again does not begin anew. Whoever was taken
    without having waited has no wait, nor has whoever left.
    """
    since: dict[str, datetime] = {}
    found = []
    for one in steps:
        if one.step is Step.QUEUED:
            since.setdefault(one.conversation_id, one.at)
        else:
            began = since.pop(one.conversation_id, None)
            if one.step is Step.TAKEN and began is not None:
                found.append(Wait(one.at, one.at - began))
    return tuple(found)


def ranked(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the nearest-rank percentile of durations: the smallest that so many per cent do not exceed."""
    if not values:
        return None
    place = -(-percent * len(values) // 100)
    return sorted(values)[max(place, 1) - 1]


def share(part: int, whole: int) -> int | None:
    """Return a share in whole percent, rounded down; None of nothing."""
    return 100 * part // whole if whole else None
