"""Working days and public holidays, against days of the State Council's arrangements for 2025 and 2026."""

from datetime import date

import pytest

from bot.outreach.workdays import in_public_holiday, is_working_day, next_working_day


@pytest.mark.parametrize(
    "day",
    [date(2026, 11, 23), date(2026, 10, 8), date(2026, 2, 14), date(2026, 10, 10), date(2026, 1, 4), date(2025, 9, 28)],
)
def test_weekdays_and_make_up_days_are_worked(day: date) -> None:
    assert is_working_day(day)
    assert not in_public_holiday(day)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 1, 1), date(2026, 1, 3)),
        (date(2026, 2, 15), date(2026, 2, 23)),
        (date(2026, 4, 4), date(2026, 4, 6)),
        (date(2026, 5, 1), date(2026, 5, 5)),
        (date(2026, 6, 19), date(2026, 6, 21)),
        (date(2026, 9, 25), date(2026, 9, 27)),
        (date(2026, 10, 1), date(2026, 10, 7)),
        (date(2025, 10, 1), date(2025, 10, 8)),
    ],
)
def test_the_days_off_of_a_holiday_are_those_of_the_arrangement_weekends_in_it_included(
    first: date, last: date
) -> None:
    span = [date.fromordinal(day) for day in range(first.toordinal() - 1, last.toordinal() + 2)]
    assert [day for day in span if in_public_holiday(day)] == span[1:-1]


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 11, 22), date(2026, 10, 11)])
def test_a_plain_weekend_is_no_holiday(day: date) -> None:
    assert not is_working_day(day)
    assert not in_public_holiday(day)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 9, 30), date(2026, 10, 8)),
        (date(2026, 10, 9), date(2026, 10, 10)),
        (date(2026, 11, 20), date(2026, 11, 23)),
        (date(2026, 12, 31), date(2027, 1, 4)),
    ],
)
def test_the_next_working_day_lies_after_holidays_and_may_be_a_saturday(day: date, following: date) -> None:
    assert next_working_day(day) == following


def test_where_the_calendar_ends_there_is_no_next_working_day() -> None:
    with pytest.raises(OverflowError):
        next_working_day(date.max)
