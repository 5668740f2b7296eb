"""When notices can go out: the hour that suits, and places in time that keep clear of one another. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.clock import SHANGHAI, local
from bot.outreach.gate import Limits
from bot.outreach.wishes import ContactWishes

USUAL_TIME = time(10, 0)
"""When notices go out on their day, if the borrower has no other wish. Asia/Shanghai."""

_DAY = timedelta(days=1)
_SEVEN_DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SendingTime:
    """The time of day at which a borrower's notices go out. Asia/Shanghai."""

    clock: time

    @classmethod
    def of(cls, wishes: ContactWishes, limits: Limits) -> SendingTime:
        """The wished time where it can be met, else the usual one, else the first that the quiet hours leave."""
        window = (limits.soft_start, limits.soft_end)
        if (wished := wishes.earliest_in(*window)) is not None:
            return cls(wished)
        left = wishes.left_of(*window)
        if not left or any(opens <= USUAL_TIME < closes for opens, closes in left):
            return cls(USUAL_TIME)
        return cls(left[0][0])

    def on(self, day: date) -> datetime:
        """The sending time of a day."""
        return datetime.combine(day, self.clock, tzinfo=SHANGHAI)

    def after(self, instant: datetime) -> datetime:
        """The first sending time that is not before an instant (aware)."""
        day = local(instant).date()
        return self.on(day) if self.on(day) >= instant else self.on(day + _DAY)


class Slots:
    """Instants that are taken. A new one must keep the distance from each, and the number within seven days.

    ``taken`` notices count from the full hour they went out in: one follows its time by seconds, and the gate has the
    last word.
    """

    def __init__(self, taken: Iterable[datetime], limits: Limits, wishes: ContactWishes) -> None:
        self._apart = limits.apart
        self._per_seven_days = min(limits.per_seven_days, wishes.per_seven_days or limits.per_seven_days)
        self._taken = sorted(at.replace(minute=0, second=0, microsecond=0) for at in taken)

    def fits(self, at: datetime) -> bool:
        """Whether a notice can go out then."""
        before = bisect_right(self._taken, at)
        if before and at - self._taken[before - 1] < self._apart:
            return False
        if before < len(self._taken) and self._taken[before] - at < self._apart:
            return False
        first = bisect_right(self._taken, at - _SEVEN_DAYS)
        beyond = bisect_left(self._taken, at + _SEVEN_DAYS)
        near = [*self._taken[first:before], at, *self._taken[before:beyond]]
        ends = near[before - first :]
        return all(sum(end - _SEVEN_DAYS < other <= end for other in near) <= self._per_seven_days for end in ends)

    def take(self, at: datetime) -> None:
        """Take an instant."""
        insort(self._taken, at)
