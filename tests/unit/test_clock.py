"""Days and how they are written for borrowers."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.clock import SystemClock, business_date, local
from bot.text.display import day_text


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_business_day_begins_at_midnight_in_shanghai(instant: datetime, day: date) -> None:
    assert business_date(instant) == day
    assert local(instant) == instant
    assert local(instant).utcoffset() == timedelta(hours=8)


def test_the_machines_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 12, 15), "12月15日"),
        (date(2026, 1, 2), "1月2日"),
        (date(2027, 1, 15), "2027年1月15日"),
        (date(2025, 12, 31), "2025年12月31日"),
    ],
)
def test_a_day_is_written_with_its_year_only_when_it_is_another_year(day: date, text: str) -> None:
    assert day_text(day, date(2026, 11, 21)) == text
