from datetime import date

import pytest

from bot.lending.schedule import (
    ScheduledInstalment,
    add_months,
    equal_instalments,
    level_amounts,
    monthly_due_dates,
    scheduled,
)


def test_a_short_month_does_not_shift_later_due_dates() -> None:
    assert monthly_due_dates(date(2026, 12, 31), 4, 31) == (
        date(2026, 12, 31),
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    )


def test_the_first_date_may_differ_from_the_pay_day() -> None:
    assert monthly_due_dates(date(2026, 12, 5), 2, 20) == (date(2026, 12, 5), date(2027, 1, 20))


def test_leap_day_is_used_when_there_is_one() -> None:
    assert add_months(date(2027, 11, 30), 3) == date(2028, 2, 29)


def test_the_last_instalment_takes_the_remainder() -> None:
    dates = monthly_due_dates(date(2026, 12, 15), 3, 15)

    assert equal_instalments(100_000, dates) == (
        ScheduledInstalment(1, date(2026, 12, 15), 33333),
        ScheduledInstalment(2, date(2027, 1, 15), 33333),
        ScheduledInstalment(3, date(2027, 2, 15), 33334),
    )


@pytest.mark.parametrize(
    ("total", "each", "amounts"), [(250, 100, (100, 100, 50)), (200, 100, (100, 100)), (50, 100, (50,))]
)
def test_level_amounts_end_with_a_smaller_one(total: int, each: int, amounts: tuple[int, ...]) -> None:
    assert level_amounts(total, each) == amounts


@pytest.mark.parametrize(("months", "day"), [(0, 15), (3, 0), (3, 32)])
def test_impossible_months_and_days_are_refused(months: int, day: int) -> None:
    with pytest.raises(ValueError, match=r"at least one month|no month has a day"):
        monthly_due_dates(date(2026, 12, 15), months, day)


def test_less_than_a_fen_an_instalment_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be paid"):
        equal_instalments(2, monthly_due_dates(date(2026, 12, 15), 3, 15))


def test_no_dates_no_schedule() -> None:
    with pytest.raises(ValueError, match="cannot split"):
        equal_instalments(100, ())


@pytest.mark.parametrize(
    ("amounts", "dates"),
    [
        ((1, 1), (date(2026, 12, 15),)),
        ((1, 1), (date(2026, 12, 15), date(2026, 12, 15))),
        ((1, 0), (date(2026, 12, 15), date(2027, 1, 15))),
    ],
    ids=["counts differ", "dates do not rise", "nothing to pay"],
)
def test_a_schedule_that_does_not_hold_together_is_refused(amounts: tuple[int, ...], dates: tuple[date, ...]) -> None:
    with pytest.raises(ValueError, match=r"longer|must rise|must be positive"):
        scheduled(amounts, dates)


def test_level_amounts_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot pay"):
        level_amounts(0, 100)
