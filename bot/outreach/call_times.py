"""When a borrower who asked for a call may be called: hours, one call a day, their own wishes. Pure.

A call that was asked for is no reminder: the limits of notices (F1, F3) and a stop of them (F5) do not forbid it. What
stands for everybody's peace does (T1, T2), as do the hours that they asked to be left alone in (W1), one call a day
(F2), and whatever makes a call the wrong thing altogether (F6). All wall-clock times are Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.clock import SHANGHAI
from bot.outreach.gate import HoldKind, Limits
from bot.outreach.wishes import ContactWishes

SLOT = timedelta(hours=1)
"""A call begins within so long after the time that was told (†)."""

LEAD = timedelta(minutes=30)
"""So long before a time that the desk proposes by itself, at least (†)."""

FARTHEST = timedelta(days=14)
"""Nobody is called later than that after they asked (†)."""

MOST_ATTEMPTS = 3
"""Unanswered calls, one a day, after which it is left to the borrower to ask again (†)."""

_PROPOSED_HOURS = (10, 14, 18)
_AFTERNOON = time(14)


class CallRule(StrEnum):
    """Why a call may not be made at a time; the values are the names of the rules."""

    PAST = "past"
    TOO_FAR = "too_far"
    HARD_BAN = "T1"
    SOFT_WINDOW = "T2"
    WISH = "W1"
    FREQUENCY = "F2"
    HOLD = "F6"
    UNKNOWN = "unknown"


FORBIDDING = frozenset({HoldKind.DISTRESS, HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR})
"""Holds under which no call is arranged: for danger somebody calls at once, and the others are not to be called."""


@dataclass(frozen=True, slots=True)
class Callee:
    """What is on record about somebody who asked for a call.

    ``called_at`` (aware) are the calls already made, answered or not. ``wishes`` None: they could not be read.
    """

    wishes: ContactWishes | None
    holds: frozenset[HoldKind] = frozenset()
    called_at: Sequence[datetime] = ()


def forbidden_by(at: datetime, now: datetime, callee: Callee, limits: Limits) -> CallRule | None:
    """Return the rule that forbids to arrange a call that begins between ``at`` and ``SLOT`` later; None if none does.

    The whole hour has to lie where calls are allowed. Both instants are aware.
    """
    if callee.wishes is None:
        return CallRule.UNKNOWN
    if callee.holds & FORBIDDING:
        return CallRule.HOLD
    if at < now - SLOT:
        return CallRule.PAST
    if at > now + FARTHEST:
        return CallRule.TOO_FAR
    begins, ends = at.astimezone(SHANGHAI), (at + SLOT).astimezone(SHANGHAI)
    if begins.date() != ends.date() or begins.time() < limits.hard_end or ends.time() > limits.hard_start:
        return CallRule.HARD_BAN
    if begins.time() < limits.soft_start or ends.time() > limits.soft_end:
        return CallRule.SOFT_WINDOW
    if any(callee.wishes.quiet_at(clock) for clock in _clocks(begins)):
        return CallRule.WISH
    if any(called.astimezone(SHANGHAI).date() == begins.date() for called in callee.called_at):
        return CallRule.FREQUENCY
    return None


def open_times(now: datetime, callee: Callee, limits: Limits, most: int = 3) -> tuple[datetime, ...]:
    """Return times at which a call may be arranged: the next full hour, then morning, afternoon and evening ones.

    Empty where no time of the next ``FARTHEST`` is allowed.
    """
    found: list[datetime] = []
    for at in _full_hours(now + LEAD):
        if at > now + FARTHEST or len(found) == most:
            break
        if found and at.hour not in _PROPOSED_HOURS:
            continue
        if forbidden_by(at, now, callee, limits) is None:
            found.append(at)
    return tuple(found)


def first_on(day: date, now: datetime, callee: Callee, limits: Limits) -> datetime | None:
    """Return the first allowed full hour of a day, from ten on where that is possible; None if there is none."""
    hours = sorted(range(24), key=lambda hour: (hour < _PROPOSED_HOURS[0], hour))
    times = (datetime.combine(day, time(hour), tzinfo=SHANGHAI) for hour in hours)
    return next((at for at in times if at >= now and forbidden_by(at, now, callee, limits) is None), None)


def refused_on(day: date, now: datetime, callee: Callee, limits: Limits) -> CallRule:
    """Return the rule that forbids a whole day, one on which ``first_on`` finds no time.

    It is that of the first working hour still ahead, or of the afternoon where none is; ``SOFT_WINDOW`` only where no
    other rule stands in the way.
    """
    hours = (datetime.combine(day, time(hour), tzinfo=SHANGHAI) for hour in range(24))
    ahead = (at for at in hours if at >= now and limits.soft_start <= at.time() < (at + SLOT).time() <= limits.soft_end)
    at = next(ahead, datetime.combine(day, _AFTERNOON, tzinfo=SHANGHAI))
    return forbidden_by(at, now, callee, limits) or CallRule.SOFT_WINDOW


def is_staffed(now: datetime, limits: Limits) -> bool:
    """Tell whether somebody is at the desk: its hours are those in which it may begin to speak (T2)."""
    return limits.soft_start <= now.astimezone(SHANGHAI).time() < limits.soft_end


def is_late(at: datetime, now: datetime) -> bool:
    """Tell whether a call that was told for ``at`` should have begun by now."""
    return now >= at + SLOT


def _clocks(begins: datetime) -> Iterator[time]:
    """The quarters of an hour in which a call may begin."""
    for minutes in range(0, 60, 15):
        yield (begins + timedelta(minutes=minutes)).time()


def _full_hours(since: datetime) -> Iterator[datetime]:
    here = since.astimezone(SHANGHAI)
    at = here.replace(minute=0, second=0, microsecond=0)
    while True:
        if at >= here:
            yield at
        at += timedelta(hours=1)
