"""Due dates and interest-free instalments."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise

from bot.lending.money import split_evenly

_LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY_29 = 29


@dataclass(frozen=True, slots=True)
class ScheduledInstalment:
    """One payment of a schedule: ``number`` counts from 1, ``amount_fen`` is positive."""

    number: int
    due_on: date
    amount_fen: int


def add_months(day: date, months: int, day_of_month: int | None = None) -> date:
    """The same day ``months`` later, or the last day of a month that has no such day (Civil Code art. 202).

    ``day_of_month`` (1 to 31) aims at that day instead of the day of ``day``. Raises ``ValueError`` outside 1 to 31.
    """
    wanted = day.day if day_of_month is None else day_of_month
    if not 1 <= wanted <= 31:
        raise ValueError(f"no month has a day {wanted}")
    year, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = _FEBRUARY_29 if month_index == 1 and calendar.isleap(year) else _LAST_DAYS[month_index]
    return date(year, month_index + 1, min(wanted, last))


@lru_cache(maxsize=256)
def monthly_due_dates(first_on: date, months: int, day_of_month: int) -> tuple[date, ...]:
    """``first_on``, then ``day_of_month`` of each following month; month end where the month is shorter.

    A short month does not shift later ones: 31 January is followed by 28 February and 31 March.
    Raises ``ValueError`` if ``months`` is below 1 or ``day_of_month`` outside 1 to 31.
    """
    if months < 1:
        raise ValueError(f"a schedule needs at least one month, got {months}")
    return (first_on, *(add_months(first_on, ahead, day_of_month) for ahead in range(1, months)))


def equal_instalments(total_fen: int, due_dates: Sequence[date]) -> tuple[ScheduledInstalment, ...]:
    """Split ``total_fen`` over the dates without interest; the last instalment takes the remainder.

    Raises ``ValueError`` if there is no date, the dates do not rise, or there is less than one fen for each date.
    """
    if total_fen < len(due_dates):
        raise ValueError(f"{total_fen} fen cannot be paid in {len(due_dates)} instalments")
    return scheduled(split_evenly(total_fen, len(due_dates)), due_dates)


def level_amounts(total_fen: int, instalment_fen: int) -> tuple[int, ...]:
    """Instalments of exactly ``instalment_fen`` and a smaller last one where the total does not divide.

    Raises ``ValueError`` unless both are positive.
    """
    if total_fen <= 0 or instalment_fen <= 0:
        raise ValueError(f"cannot pay {total_fen} fen in instalments of {instalment_fen} fen")
    full, rest = divmod(total_fen, instalment_fen)
    return (instalment_fen,) * full + ((rest,) if rest else ())


def scheduled(amounts_fen: Sequence[int], due_dates: Sequence[date]) -> tuple[ScheduledInstalment, ...]:
    """Pair amounts with dates.

    Raises ``ValueError`` if counts differ, an amount is not positive or dates do not rise.
    """
    if any(later <= earlier for earlier, later in pairwise(due_dates)):
        raise ValueError("due dates must rise")
    if min(amounts_fen, default=1) <= 0:
        raise ValueError("every instalment must be positive")
    pairs = zip(due_dates, amounts_fen, strict=True)
    return tuple(ScheduledInstalment(number, due_on, amount) for number, (due_on, amount) in enumerate(pairs, start=1))
