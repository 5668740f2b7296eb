"""What the borrower signed, as far as arithmetic needs it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from bot.lending.allocation import AllocationOrder, DatedOrder, OrderOnDay


class ProductKind(StrEnum):
    """The kind of credit; rules differ between cards and the others."""

    CREDIT_CARD = "credit_card"
    CONSUMER_LOAN = "consumer_loan"
    ONLINE_LOAN = "online_loan"
    SMALL_LOAN = "small_loan"


@dataclass(frozen=True, slots=True)
class RateChange:
    """New rates of a contract: ``from_on`` is the first day that bears them. Fractions a year, as in ``ContractTerms``.

    Raises ``ValueError`` for a negative rate, ``TypeError`` for one that is not ``Decimal``.
    """

    from_on: date
    annual_rate: Decimal
    penalty_annual_rate: Decimal

    def __post_init__(self) -> None:
        _check_rates(self.annual_rate, self.penalty_annual_rate)


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """Rates and rules of one contract, read from the contract and never assumed.

    ``annual_rate`` and ``penalty_annual_rate`` are fractions a year (``Decimal("0.18")`` is 18 %). The penalty rate
    comes on top of the annual rate for overdue days; a contract that says "1.5 times" is entered as 0.5 times.
    ``day_count`` is the days in the interest year. ``late_fee_rate`` is a fraction of the unpaid minimum payment, never
    below ``late_fee_minimum_fen``. ``grace_days`` after the due date count as on time and bear no penalty interest.
    ``rate_changes`` (dates rising) replace both rates from their day on; before the first one the rates above hold.

    Raises ``ValueError`` for a negative figure, another day count or rate changes out of order, ``TypeError`` for a
    rate that is not ``Decimal``.
    """

    product_kind: ProductKind
    annual_rate: Decimal
    penalty_annual_rate: Decimal
    day_count: int
    late_fee_rate: Decimal
    late_fee_minimum_fen: int
    allocation: AllocationOrder
    allocation_after_90_days: AllocationOrder | None = None
    grace_days: int = 0
    rate_changes: tuple[RateChange, ...] = ()

    def __post_init__(self) -> None:
        _check_rates(self.annual_rate, self.penalty_annual_rate, self.late_fee_rate)
        if any(later.from_on <= earlier.from_on for earlier, later in pairwise(self.rate_changes)):
            raise ValueError("rate changes must rise by date, one a day")
        if self.day_count not in (360, 365):
            raise ValueError(f"the interest year has 360 or 365 days, not {self.day_count}")
        if self.late_fee_minimum_fen < 0 or self.grace_days < 0:
            raise ValueError("the minimum late fee and the grace days cannot be negative")

    def order_for(self, due_on: date) -> OrderOnDay:
        """The allocation order by day, given the oldest unpaid due date: it may change once 90 days are past."""
        if self.allocation_after_90_days is None:
            return self.allocation
        return DatedOrder(self.allocation, self.allocation_after_90_days, due_on + timedelta(days=91))

    def annual_rate_on(self, day: date) -> Decimal:
        """The ordinary rate that ``day`` bears, a fraction a year."""
        change = self._change_on(day)
        return self.annual_rate if change is None else change.annual_rate

    def penalty_annual_rate_on(self, day: date) -> Decimal:
        """The penalty rate in force on ``day``, a fraction a year; whether the day is overdue is not asked here."""
        change = self._change_on(day)
        return self.penalty_annual_rate if change is None else change.penalty_annual_rate

    def penalty_from(self, due_on: date) -> date:
        """The first day that bears penalty interest: the day after ``due_on`` and the grace days."""
        return due_on + timedelta(days=self.grace_days + 1)

    def burden_on(self, day: date, due_on: date) -> Decimal:
        """All rates that principal bears on ``day``, a fraction a year: with penalty interest once it has begun."""
        penalty = self.penalty_annual_rate_on(day) if day >= self.penalty_from(due_on) else Decimal(0)
        return self.annual_rate_on(day) + penalty

    def _change_on(self, day: date) -> RateChange | None:
        return next((change for change in reversed(self.rate_changes) if change.from_on <= day), None)


def _check_rates(*rates: Decimal) -> None:
    if not all(isinstance(rate, Decimal) for rate in rates):
        raise TypeError("rates are Decimal")
    if not all(rate.is_finite() and rate >= 0 for rate in rates):
        raise ValueError(f"rates cannot be negative: {rates}")
