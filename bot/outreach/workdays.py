"""Working days and public holidays of mainland China, make-up working days included. Pure.

Official for the years whose arrangement has been published; for later years the statutory days are computed and the
make-up days are not known yet.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from holidays import HolidayBase, country_holidays

_DAY = timedelta(days=1)


def is_working_day(day: date) -> bool:
    """Whether people work on a calendar day: Monday to Friday, less public holidays, plus make-up working days."""
    return _calendar(day.year).is_working_day(day)


def next_working_day(day: date) -> date:
    """Return the first working day after a day.

    Raises:
        OverflowError: the calendar ends before there is one.
    """
    day += _DAY
    while not is_working_day(day):
        day += _DAY
    return day


@lru_cache(maxsize=4096)
def in_public_holiday(day: date) -> bool:
    """Whether a day is one of a public holiday's days off, the weekend that it is joined to included.

    A weekend that touches no public holiday is none.

    Raises:
        OverflowError: the day lies at an end of the calendar.
    """
    if is_working_day(day):
        return False
    first = last = day
    while not is_working_day(first - _DAY):
        first -= _DAY
    while not is_working_day(last + _DAY):
        last += _DAY
    return any(first + n * _DAY in _calendar(day.year) for n in range((last - first).days + 1))


@lru_cache(maxsize=16)
def _calendar(year: int) -> HolidayBase:
    """The calendar of a year and its neighbours: holidays and their make-up days reach over the new year.

    Filled at once and for good: one that fills itself when asked must not be shared between threads.
    """
    return country_holidays("CN", years=range(max(year - 1, 1), min(year + 1, 9999) + 1), expand=False)
