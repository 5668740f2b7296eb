"""What a borrower may ask about being written to, and what becomes of wishes that stand. Pure.

All times are wall-clock times in Asia/Shanghai; days are calendar days there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum

from bot.outreach.gate import Limits
from bot.outreach.wishes import ContactWishes

MOST_DAYS_BEFORE = 15
"""A notice longer before a due date would come before most people know what they can pay."""


class Channel(StrEnum):
    """Where notices can go. ``OTHER`` is anything the desk does not write to: WeChat, LINE, the telephone."""

    WEB = "web"
    TELEGRAM = "telegram"
    EMAIL = "email"
    SMS = "sms"
    OTHER = "other"


class Obstacle(StrEnum):
    """Why a wish cannot be met as it was said."""

    HOUR_CLOSED = "hour_closed"
    NO_HOURS_LEFT = "hours_none_left"
    TOO_MANY_DAYS_BEFORE = "too_many_days_before"
    NO_MORE_OFTEN = "no_more_often"
    ONE_DAY_ONLY = "one_day_only"
    DAYS_OF_WEEK = "days_of_week"
    CHANNEL_CLOSED = "channel_closed"
    OTHER_NUMBER = "other_number"


class Question(StrEnum):
    """What has to be asked before a wish can be noted."""

    HOUR = "hour"
    DAYS_BEFORE = "days_before"
    DAY_OF_MONTH = "day_of_month"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Stop:
    """No more notices, at once (F5)."""


@dataclass(frozen=True, slots=True)
class Pause:
    """No notices before ``until``. ``is_open_end``: no end was named, and this one has to be said back."""

    until: date
    is_open_end: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Notices again."""


@dataclass(frozen=True, slots=True)
class Show:
    """What is set now."""


@dataclass(frozen=True, slots=True)
class AskWhy:
    """Why notices came again after they had stopped."""


@dataclass(frozen=True, slots=True)
class Reset:
    """No wishes any more: as the policy has it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Reminders were spoken of, but nothing about how they should come."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """A wish that cannot be met, with what comes nearest to it.

    ``asked`` and ``nearest`` are times of day (``HOUR_CLOSED``); ``day`` is the day of a month that was named
    (``ONE_DAY_ONLY``).
    """

    why: Obstacle
    asked: time | None = None
    nearest: time | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """A wish with two readings; ``hours`` are the times of day between which to choose (``HOUR``)."""

    what: Question
    hours: tuple[time, ...] = ()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """No notices from ``start`` to ``end`` (exclusive); may lie over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Change:
    """New wishes; what is None stays as it was. ``beside`` is what else was said and cannot be noted."""

    quiet: QuietHours | None = None
    send_at: time | None = None
    day_of_month: int | None = None
    days_before: int | None = None
    channel: Channel | None = None
    per_seven_days: int | None = None
    beside: Impossible | Unclear | None = None

    @property
    def wants_notices(self) -> bool:
        """Whether it says when or where notices are to come, which nobody says who wants none."""
        return any(wish is not None for wish in (self.send_at, self.day_of_month, self.days_before, self.channel))

    @property
    def says_nothing(self) -> bool:
        """Whether nothing in it can be noted."""
        return not self.wants_notices and self.quiet is None and self.per_seven_days is None


WishChange = Stop | Pause | Resume | Show | AskWhy | Reset | Nothing | Impossible | Unclear | Change


def changed(wishes: ContactWishes, change: Change, limits: Limits) -> ContactWishes | Impossible:
    """Return the wishes that stand after a change.

    What is newer wins where two contradict: an hour replaces quiet hours that cover it, quiet hours end an hour that
    lies in them, and a day of the month and days before a due date replace each other. Quiet hours said one after the
    other are kept together where both fit. Impossible, and nothing changes, when they would leave no hour of the
    window.
    """
    after = replace(
        wishes,
        channel=change.channel.value if change.channel is not None else wishes.channel,
        per_seven_days=change.per_seven_days if change.per_seven_days is not None else wishes.per_seven_days,
    )
    if change.day_of_month is not None or change.days_before is not None:
        after = replace(after, day_of_month=change.day_of_month, days_before=change.days_before)
    if change.quiet is not None:
        quiet = _together(wishes, change.quiet, limits)
        if quiet is None:
            return Impossible(Obstacle.NO_HOURS_LEFT)
        after = replace(after, quiet_from=quiet.start, quiet_to=quiet.end)
        if after.send_at is not None and after.quiet_at(after.send_at):
            after = replace(after, send_at=None)
    if change.send_at is not None:
        after = replace(after, send_at=change.send_at)
        if after.quiet_at(change.send_at):
            after = replace(after, quiet_from=None, quiet_to=None)
    return after


def _together(wishes: ContactWishes, quiet: QuietHours, limits: Limits) -> QuietHours | None:
    """Join new quiet hours with those that stand; the new ones alone where one span cannot hold both."""
    new = ContactWishes(quiet_from=quiet.start, quiet_to=quiet.end)
    if not new.left_of(limits.soft_start, limits.soft_end):
        return None
    left = [
        piece
        for opens, closes in wishes.left_of(limits.soft_start, limits.soft_end)
        for piece in new.left_of(opens, closes)
    ]
    if wishes.quiet_from is None or not left:
        return quiet
    if len(left) == 1:
        ((opens, closes),) = left
        return QuietHours(closes, opens)
    (first, quiet_from), (quiet_to, last) = left[0], left[-1]
    is_one_gap = len(left) == 2 and first == limits.soft_start and last == limits.soft_end
    return QuietHours(quiet_from, quiet_to) if is_one_gap else quiet
