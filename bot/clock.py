"""Time as a dependency: nothing else in the desk reads the machine's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""Contact rules, due dates and everything a borrower reads are in this zone."""


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock, moved by an offset that only demo mode allows."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC) + self._offset


def local(instant: datetime) -> datetime:
    """Return an aware instant as wall-clock time in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI)


def business_date(instant: datetime) -> date:
    """Return the calendar day in Asia/Shanghai that an aware instant falls on."""
    return local(instant).date()
