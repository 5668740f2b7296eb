"""Days, weeks and months of the desk's work, and how long people waited for a person in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.clock import SHANGHAI

_A_DAY = timedelta(days=1)


class Unit(StrEnum):
    """How long the spans are that figures are counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days in Asia/Shanghai, ``first`` and ``last`` included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime.combine(self.first, time(0), tzinfo=SHANGHAI)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return datetime.combine(self.last + _A_DAY, time(0), tzinfo=SHANGHAI)


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

    conversation_id: str
    taken_at: datetime
    lasted: timedelta


def spans_until(today: date, unit: Unit, count: int) -> tuple[Span, ...]:
    """Return so many spans up to the one that a day is in, oldest first; weeks are Monday to Sunday."""
    last = _span_of(today, unit)
    spans = [last]
    while len(spans) < count:
        spans.append(_span_of(spans[-1].first - _A_DAY, unit))
    return tuple(reversed(spans))


def _span_of(day: date, unit: Unit) -> Span:
    if unit is Unit.DAY:
        return Span(day, day)
    if unit is Unit.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Span(monday, monday + timedelta(days=6))
    next_month = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return Span(day.replace(day=1), next_month - _A_DAY)


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
                found.append(Wait(one.conversation_id, one.at, one.at - began))
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
