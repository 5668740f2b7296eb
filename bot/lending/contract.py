"""What the borrower signed, as far as arithmetic needs it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.lending.allocation import AllocationOrder, DatedOrder, OrderOnDay


class ProductKind(StrEnum):
    """The kind of credit; rules differ between cards and the others."""

    CREDIT_CARD = "credit_card"
    CONSUMER_LOAN = "consumer_loan"
    ONLINE_LOAN = "online_loan"
    SMALL_LOAN = "small_loan"


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """Rates and rules of one contract, read from the contract and never assumed.

    ``annual_rate`` and ``penalty_annual_rate`` are fractions a year (``Decimal("0.18")`` is 18 %). The penalty rate
    comes on top of the annual rate for overdue days; a contract that says "1.5 times" is entered as 0.5 times.
    ``day_count`` is the days in the interest year. ``late_fee_rate`` is a fraction of the unpaid minimum payment, never
    below ``late_fee_minimum_fen``. ``grace_days`` after the due date count as on time and bear no penalty interest.

    Raises ``ValueError`` for a negative figure or another day count, ``TypeError`` for a rate that is not ``Decimal``.
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

    def __post_init__(self) -> None:
        rates = (self.annual_rate, self.penalty_annual_rate, self.late_fee_rate)
        if not all(isinstance(rate, Decimal) for rate in rates):
            raise TypeError("rates are Decimal")
        if not all(rate.is_finite() and rate >= 0 for rate in rates):
            raise ValueError(f"rates cannot be negative: {rates}")
        if self.day_count not in (360, 365):
            raise ValueError(f"the interest year has 360 or 365 days, not {self.day_count}")
        if self.late_fee_minimum_fen < 0 or self.grace_days < 0:
            raise ValueError("the minimum late fee and the grace days cannot be negative")

    def order_for(self, due_on: date) -> OrderOnDay:
        """The allocation order by day, given the oldest unpaid due date: it may change once 90 days are past."""
        if self.allocation_after_90_days is None:
            return self.allocation
        return DatedOrder(self.allocation, self.allocation_after_90_days, due_on + timedelta(days=91))
