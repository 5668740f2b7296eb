"""Days without a year: however they are written they are one day, and the nearest one."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.dates import find_dates

AHEAD = ("{m}/{d}还", "{m}/{d}前还", "{m}.{d}还", "{m}-{d}之前还", "{m}/{d}号还", "{m}月{d}号还", "{m}月{d}日还")
BEHIND = ("{m}/{d}已经还了", "{m}.{d}还了", "{m}/{d}号已经还了", "{m}月{d}号已经还了", "{m}月{d}日已经还了")
DAYS = st.dates(date(2026, 1, 1), date(2032, 12, 31))


def read(form: str, named: date, today: date) -> list[date | None]:
    return [reading.payload.day for reading in find_dates(form.format(m=named.month, d=named.day), today)]


def next_one(named: date, today: date) -> date | None:
    """The nearest such day from today on; None where the year in which it would come has none."""
    for ahead in range(366):
        day = today + timedelta(days=ahead)
        if (day.month, day.day) == (named.month, named.day):
            return day
        if (named.month, named.day) == (2, 29) and (day.month, day.day) == (2, 28) and day.year % 4:
            return None
    raise AssertionError("every day comes within a year")


@pytest.mark.parametrize("year", [2027, 2028])
def test_every_day_of_a_year_is_the_same_in_every_form(year: int) -> None:
    first = date(year, 1, 1)
    for number in range((date(year + 1, 1, 1) - first).days):
        named = first + timedelta(days=number)
        for today in (named - timedelta(days=1), named):
            assert {form: read(form, named, today) for form in AHEAD} == {form: [named] for form in AHEAD}
            assert len({tuple(read(form, named, today)) for form in BEHIND}) == 1


@given(DAYS, DAYS)
def test_a_day_that_is_ahead_is_the_next_one(named: date, today: date) -> None:
    for form in AHEAD:
        assert read(form, named, today) == [next_one(named, today)]


@given(DAYS, DAYS)
def test_a_day_that_is_behind_is_never_ahead(named: date, today: date) -> None:
    readings = {tuple(read(form, named, today)) for form in BEHIND}
    assert len(readings) == 1
    [(day,)] = readings
    assert day is None or (day <= today and day > today - timedelta(days=1461))
