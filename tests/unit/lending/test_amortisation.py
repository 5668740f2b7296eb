from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bot.lending.amortisation import (
    AmortisationMethod,
    AmortisationRequest,
    AmortisedInstalment,
    InterestPeriod,
    amortise,
    first_due_date,
)

START = date(2026, 11, 21)
LOAN = AmortisationRequest(
    principal_fen=1_000_000,
    start_on=START,
    instalments=3,
    method=AmortisationMethod.EQUAL_PRINCIPAL,
    annual_rate=Decimal("0.18"),
)
LEVEL = replace(LOAN, method=AmortisationMethod.EQUAL_INSTALMENTS)


def rows(request: AmortisationRequest) -> list[tuple[date, int, int]]:
    return [(row.due_on, row.principal_fen, row.interest_fen) for row in amortise(request).rows]


def test_equal_principal_bears_the_interest_of_each_periods_days() -> None:
    # 10,000.00 x 30 x 0.18 / 360 = 150.00; 6,666.67 x 31 = 103.33; 3,333.34 x 31 = 51.67
    assert amortise(LOAN).rows == (
        AmortisedInstalment(1, date(2026, 12, 21), 333_333, 15_000, 666_667),
        AmortisedInstalment(2, date(2027, 1, 21), 333_333, 10_333, 333_334),
        AmortisedInstalment(3, date(2027, 2, 21), 333_334, 5_167, 0),
    )


def test_equal_instalments_are_equal_but_for_the_last() -> None:
    made = amortise(LEVEL)

    assert [row.amount_fen for row in made.rows] == [343_550, 343_550, 343_551]
    assert [row.interest_fen for row in made.rows] == [15_000, 10_407, 5_244]
    assert (made.interest_fen, made.total_fen) == (30_651, 1_030_651)


def test_a_year_of_equal_months_gives_the_instalment_of_the_usual_formula() -> None:
    # 10,000.00 at 1.5 % a month over 12 months: P x i / (1 - (1 + i)^-12) = 916.80
    made = amortise(replace(LEVEL, instalments=12, interest_period=InterestPeriod.EQUAL_MONTHS))

    assert {row.amount_fen for row in made.rows[:-1]} == {91_680}
    assert made.rows[-1].amount_fen == 91_681


def test_a_single_instalment_is_everything() -> None:
    assert rows(replace(LEVEL, instalments=1)) == [(date(2026, 12, 21), 1_000_000, 15_000)]


def test_interest_free_ignores_the_rate_and_the_last_takes_the_remainder() -> None:
    made = amortise(replace(LOAN, method=AmortisationMethod.INTEREST_FREE))

    assert [row.amount_fen for row in made.rows] == [333_333, 333_333, 333_334]
    assert made.interest_fen == 0


def test_a_down_payment_lowers_the_principal_from_the_first_day() -> None:
    made = amortise(replace(LOAN, down_payment_fen=400_000))

    assert [row.principal_fen for row in made.rows] == [200_000, 200_000, 200_000]
    assert made.rows[0].interest_fen == 9_000  # 6,000.00 x 30 x 0.18 / 360
    assert made.total_fen == 400_000 + 600_000 + made.interest_fen


def test_deferral_moves_the_dates_and_its_days_bear_interest() -> None:
    # 21 November to 21 February: 92 days on 10,000.00
    assert rows(replace(LOAN, deferral_months=2))[0] == (date(2027, 2, 21), 333_333, 46_000)


def test_interest_that_an_instalment_does_not_cover_is_carried_and_bears_nothing() -> None:
    made = amortise(replace(LEVEL, instalments=10, deferral_months=24))

    # 761 days on 10,000.00 are 3,805.00 before anything is paid; each instalment is 1,437.68 and goes to them at first.
    first, second, third, *_ = made.rows
    assert [row.principal_left_fen for row in (first, second)] == [1_000_000, 1_000_000]
    assert first.interest_fen == second.interest_fen == first.amount_fen
    # The two months after bear 31 + 31 days on 10,000.00, and not a fen on what was carried.
    assert third.interest_fen == 380_500 + 2 * 15_500 - 2 * first.amount_fen
    assert made.rows[-1].principal_left_fen == 0


def test_the_first_pay_day_is_never_less_than_a_month_away() -> None:
    assert first_due_date(START, 0, 21) == date(2026, 12, 21)
    assert first_due_date(START, 0, 25) == date(2026, 12, 25)
    assert first_due_date(START, 0, 15) == date(2027, 1, 15)
    assert first_due_date(date(2027, 1, 31), 0, 30) == date(2027, 2, 28)


def test_days_before_the_first_full_month_are_counted_by_the_day() -> None:
    # Pay day 31: 9 days to 30 November, then months: 10,000.00 x 0.18 x (9 / 360 + 1 / 12) = 45.00 + 150.00
    request = replace(LOAN, pay_day=31, interest_period=InterestPeriod.EQUAL_MONTHS)

    assert [(due_on, interest) for due_on, _, interest in rows(request)] == [
        (date(2026, 12, 31), 19_500),
        (date(2027, 1, 31), 10_000),
        (date(2027, 2, 28), 5_000),
    ]


def test_month_ends_keep_to_the_month_end_in_a_leap_year_too() -> None:
    due = [due_on for due_on, _, _ in rows(replace(LOAN, start_on=date(2027, 12, 31)))]

    assert due == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]


def test_half_a_fen_is_not_lost_by_dividing_early() -> None:
    # 3.75 x 28 days x 0.12 / 360 = 3.5 fen exactly, though 0.12 / 360 has no end
    tiny = replace(LOAN, principal_fen=375, instalments=1, annual_rate=Decimal("0.12"), start_on=date(2027, 2, 1))

    assert rows(tiny) == [(date(2027, 3, 1), 375, 4)]


@pytest.mark.parametrize(
    "change",
    [
        {"instalments": 0},
        {"down_payment_fen": -1},
        {"deferral_months": -1},
        {"down_payment_fen": 1_000_000},
        {"principal_fen": 2},
        {"pay_day": 32},
        {"day_count": 366},
        {"annual_rate": Decimal(-1)},
    ],
)
def test_what_cannot_be_paid_off_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|no month|360 or 365"):
        replace(LOAN, **change)  # type: ignore[arg-type]


def test_a_float_rate_is_refused() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        replace(LOAN, annual_rate=0.18)  # type: ignore[arg-type]
