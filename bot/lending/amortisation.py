"""Instalment schedules with interest, principal and interest apart on every row (rules P1 to P6 of docs/lending.md).

With ``InterestPeriod.ACTUAL_DAYS`` each row's interest is what ``bot.lending.accrual`` charges for the same days, so a
schedule paid on its dates, interest before principal, brings the ledger to 0. Nothing is charged on unpaid interest.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from bot.lending.money import round_to_fen, split_evenly
from bot.lending.schedule import add_months, monthly_due_dates

_MONTHS_A_YEAR = 12


class AmortisationMethod(StrEnum):
    """How principal is spread over the instalments."""

    INTEREST_FREE = "interest_free"
    EQUAL_INSTALMENTS = "equal_instalments"
    EQUAL_PRINCIPAL = "equal_principal"


class InterestPeriod(StrEnum):
    """What a period's interest is counted by: its days over the day count, or one twelfth of the annual rate."""

    ACTUAL_DAYS = "actual_days"
    EQUAL_MONTHS = "equal_months"


@dataclass(frozen=True, slots=True)
class AmortisationRequest:
    """What is to be paid, and how.

    ``principal_fen`` is owed from ``start_on``, when ``down_payment_fen`` is paid; the rest is paid in ``instalments``
    monthly instalments after ``deferral_months`` further months. ``annual_rate`` is a fraction a year and does not
    matter to an interest-free schedule. ``pay_day`` (1 to 31) is the day of the month instalments fall due, by default
    that of ``start_on``.

    Raises ``ValueError`` for a negative figure, an impossible day, or less than one fen for each instalment,
    ``TypeError`` for a rate that is not ``Decimal``.
    """

    principal_fen: int
    start_on: date
    instalments: int
    method: AmortisationMethod
    annual_rate: Decimal = Decimal(0)
    interest_period: InterestPeriod = InterestPeriod.ACTUAL_DAYS
    day_count: int = 360
    down_payment_fen: int = 0
    deferral_months: int = 0
    pay_day: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.annual_rate, Decimal):
            raise TypeError("rates are Decimal")
        if not self.annual_rate.is_finite() or self.annual_rate < 0:
            raise ValueError(f"the rate cannot be negative: {self.annual_rate}")
        if self.day_count not in (360, 365):
            raise ValueError(f"the interest year has 360 or 365 days, not {self.day_count}")
        if self.down_payment_fen < 0 or self.deferral_months < 0 or self.instalments < 1:
            raise ValueError("down payment and deferral cannot be negative, and there is at least one instalment")
        if self.financed_fen < self.instalments:
            raise ValueError(f"{self.financed_fen} fen cannot be paid in {self.instalments} instalments")
        if self.pay_day is not None and not 1 <= self.pay_day <= 31:
            raise ValueError(f"no month has a day {self.pay_day}")

    @property
    def financed_fen(self) -> int:
        """Principal to be paid in instalments, in fen."""
        return self.principal_fen - self.down_payment_fen

    @property
    def day_of_month(self) -> int:
        """The day instalments fall due; the last day of a shorter month."""
        return self.start_on.day if self.pay_day is None else self.pay_day


@dataclass(frozen=True, slots=True)
class AmortisedInstalment:
    """One row: its parts in fen, and the principal left after it. ``number`` counts from 1."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    principal_left_fen: int

    @property
    def amount_fen(self) -> int:
        """What is paid on the due date."""
        return self.principal_fen + self.interest_fen


@dataclass(frozen=True, slots=True)
class AmortisationSchedule:
    """A down payment on the start day and rows that end at 0 principal."""

    start_on: date
    down_payment_fen: int
    rows: tuple[AmortisedInstalment, ...]

    @property
    def interest_fen(self) -> int:
        """All interest of the schedule: what it costs beyond the principal."""
        return sum(row.interest_fen for row in self.rows)

    @property
    def total_fen(self) -> int:
        """Everything paid, the down payment included."""
        return self.down_payment_fen + sum(row.amount_fen for row in self.rows)


def amortise(request: AmortisationRequest) -> AmortisationSchedule:
    """Make the schedule. Principal parts and down payment add up to the principal, to the fen."""
    periods = _periods(request)
    is_level = request.method is AmortisationMethod.EQUAL_INSTALMENTS
    rows = (_equal_instalments if is_level else _equal_principal)(request.financed_fen, periods)
    return AmortisationSchedule(request.start_on, request.down_payment_fen, rows)


def first_due_date(start_on: date, deferral_months: int, day_of_month: int) -> date:
    """The first ``day_of_month`` that lies at least one month and the deferral months after ``start_on`` (rule P2)."""
    earliest = add_months(start_on, 1 + deferral_months)
    pay_day = add_months(earliest, 0, day_of_month)
    return pay_day if pay_day >= earliest else add_months(earliest, 1, day_of_month)


@dataclass(frozen=True, slots=True)
class _Period:
    """A period whose interest is principal x ``rate_units`` / ``divisor``; dividing last keeps half a fen exact."""

    due_on: date
    rate_units: Decimal
    divisor: int

    def interest_fen(self, principal_fen: int) -> int:
        return round_to_fen(principal_fen * self.rate_units / self.divisor)


def _periods(request: AmortisationRequest) -> list[_Period]:
    wanted, rate, day_count = request.day_of_month, request.annual_rate, request.day_count
    first_due_on = first_due_date(request.start_on, request.deferral_months, wanted)
    due_dates = monthly_due_dates(first_due_on, request.instalments, wanted)
    if request.method is AmortisationMethod.INTEREST_FREE:
        return [_Period(due_on, Decimal(0), 1) for due_on in due_dates]
    if request.interest_period is InterestPeriod.ACTUAL_DAYS:
        days = pairwise((request.start_on, *due_dates))
        return [_Period(until, (until - since).days * rate, day_count) for since, until in days]
    days_before = max(0, (add_months(first_due_on, -1, wanted) - request.start_on).days)
    first = _Period(first_due_on, (day_count + _MONTHS_A_YEAR * days_before) * rate, _MONTHS_A_YEAR * day_count)
    return [first, *(_Period(due_on, rate, _MONTHS_A_YEAR) for due_on in due_dates[1:])]


def _equal_principal(principal_fen: int, periods: list[_Period]) -> tuple[AmortisedInstalment, ...]:
    rows: list[AmortisedInstalment] = []
    left_fen = principal_fen
    parts = zip(periods, split_evenly(principal_fen, len(periods)), strict=True)
    for number, (period, part_fen) in enumerate(parts, start=1):
        interest_fen = period.interest_fen(left_fen)
        left_fen -= part_fen
        rows.append(AmortisedInstalment(number, period.due_on, part_fen, interest_fen, left_fen))
    return tuple(rows)


def _equal_instalments(principal_fen: int, periods: list[_Period]) -> tuple[AmortisedInstalment, ...]:
    """Search the amount for which the last instalment differs least; it falls as the amount rises, so halving works."""
    if len(periods) == 1:
        return _level(principal_fen, periods, 0)
    too_small, enough = 0, principal_fen + sum(period.interest_fen(principal_fen) for period in periods)
    while enough - too_small > 1:
        amount_fen = (too_small + enough) // 2
        if _excess_of_last(principal_fen, periods, amount_fen) > 0:
            too_small = amount_fen
        else:
            enough = amount_fen
    candidates = [_level(principal_fen, periods, amount_fen) for amount_fen in (too_small, enough) if amount_fen > 0]
    possible = [rows for rows in candidates if rows[-1].amount_fen >= 1]
    return min(possible, key=lambda rows: abs(rows[-1].amount_fen - rows[0].amount_fen))


def _excess_of_last(principal_fen: int, periods: list[_Period], amount_fen: int) -> int:
    return _level(principal_fen, periods, amount_fen)[-1].amount_fen - amount_fen


def _level(principal_fen: int, periods: list[_Period], amount_fen: int) -> tuple[AmortisedInstalment, ...]:
    """Rows of ``amount_fen`` and a last one of whatever is left; too large an amount makes that negative."""
    rows: list[AmortisedInstalment] = []
    left_fen, interest_owed_fen = principal_fen, 0
    for number, period in enumerate(periods, start=1):
        # What an instalment does not cover is carried on by itself: it is not added to principal and bears nothing.
        interest_owed_fen += period.interest_fen(left_fen)
        is_last = number == len(periods)
        interest_fen = interest_owed_fen if is_last else min(amount_fen, interest_owed_fen)
        part_fen = left_fen if is_last else amount_fen - interest_fen
        left_fen -= part_fen
        interest_owed_fen -= interest_fen
        rows.append(AmortisedInstalment(number, period.due_on, part_fen, interest_fen, left_fen))
    return tuple(rows)
