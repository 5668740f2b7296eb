"""Instalments as one would work them out with pencil and calendar, independent of ``bot.lending``.

Written from rules P1 to P6 of docs/lending.md and from nothing else. Due dates are found by turning the calendar a day
at a time, the equal instalment by trying its digits; it imports nothing from the code it checks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Loan:
    """``method`` is interest_free, equal_instalments or equal_principal; ``period`` is actual_days or equal_months."""

    fen: int
    down_fen: int
    start: date
    count: int
    annual: Fraction
    method: str
    period: str
    day_count: int
    deferral: int
    pay_day: int | None


Row = tuple[date, int, int]
"""Due date, principal part and interest part in fen."""


def half_up(amount: Fraction) -> int:
    return math.floor(amount + Fraction(1, 2))


def rows_of(loan: Loan) -> list[Row]:
    days = due_dates(loan)
    principal = loan.fen - loan.down_fen
    if loan.method == "equal_instalments":
        return best_equal(loan, days, principal)
    each = principal // loan.count
    parts = [each] * (loan.count - 1)
    parts.append(principal - sum(parts))
    rows: list[Row] = []
    for number, part in enumerate(parts):
        interest = 0 if loan.method == "interest_free" else interest_of(loan, days, number, principal)
        rows.append((days[number], part, interest))
        principal -= part
    return rows


def due_dates(loan: Loan) -> list[date]:
    pay_day = loan.pay_day or loan.start.day
    found: list[date] = []
    today = months_after(loan.start, 1 + loan.deferral)
    while len(found) < loan.count:
        if is_pay_day(today, pay_day):
            found.append(today)
        today += ONE_DAY
    return found


def is_pay_day(day: date, pay_day: int) -> bool:
    is_month_end = (day + ONE_DAY).day == 1
    return day.day == pay_day or (is_month_end and day.day < pay_day)


def months_after(start: date, months: int) -> date:
    """Turn the calendar month by month, then go back from the wanted day to one that exists."""
    year, month = start.year, start.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for day in range(start.day, 0, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise AssertionError(start)


def interest_of(loan: Loan, days: list[date], number: int, principal: int) -> int:
    since = days[number - 1] if number else loan.start
    if loan.period == "actual_days":
        return half_up(principal * (days[number] - since).days * loan.annual / loan.day_count)
    exact = principal * loan.annual / 12
    if number == 0:
        exact += principal * max(0, (month_before(loan, days[0]) - loan.start).days) * loan.annual / loan.day_count
    return half_up(exact)


def month_before(loan: Loan, first_due: date) -> date:
    day = first_due.replace(day=1) - ONE_DAY
    while not is_pay_day(day, loan.pay_day or loan.start.day):
        day -= ONE_DAY
    return day


def best_equal(loan: Loan, days: list[date], principal: int) -> list[Row]:
    """Find the amount digit by digit: the largest leaving a last instalment no smaller; then try one fen more."""
    low = 0
    for digit in range(len(str(principal)) + 1, -1, -1):
        while gap(equal_rows(loan, days, principal, low + 10**digit)) >= 0:
            low += 10**digit
    candidates = []
    for amount in (low, low + 1):
        rows = equal_rows(loan, days, principal, amount)
        if amount > 0 and rows[-1][1] + rows[-1][2] >= 1:
            candidates.append((abs(gap(rows)), amount, rows))
    return min(candidates)[2]


def equal_rows(loan: Loan, days: list[date], principal: int, amount: int) -> list[Row]:
    rows: list[Row] = []
    interest_owed = 0
    for number, day in enumerate(days):
        interest_owed += interest_of(loan, days, number, principal)
        if number == loan.count - 1:
            rows.append((day, principal, interest_owed))
            break
        to_interest = min(amount, interest_owed)
        rows.append((day, amount - to_interest, to_interest))
        interest_owed -= to_interest
        principal -= amount - to_interest
    return rows


def gap(rows: list[Row]) -> int:
    """By how much the last instalment is larger than the others; with one alone there is nothing to be larger than."""
    if len(rows) == 1:
        return -1
    return rows[-1][1] + rows[-1][2] - rows[0][1] - rows[0][2]
