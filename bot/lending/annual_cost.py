"""What credit costs a year, every fee included: the internal rate of return of its payments (rule M1).

Day-exact, by the XIRR convention: the rate at which everything received, discounted by actual days over 365, equals
everything paid. Decimal arithmetic and bisection only, so the same payments give the same rate on every machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum
from itertools import accumulate, pairwise

from bot.lending.amortisation import AmortisationSchedule
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, effective_entries
from bot.lending.statement import statement

COST_TOLERANCE = Decimal("0.000001")
"""Rates are searched to a billionth of this and then rounded to it (0.0001 percentage points), half up."""

HIGHEST_ANNUAL_COST = Decimal(1000)
"""100,000 % a year; a dearer one is not computed."""

LOWEST_ANNUAL_COST = Decimal("-0.999")
"""A borrower who pays back a thousandth; a cheaper one is not computed."""

_ANNUAL_COST_TO_NOTE = Decimal("0.24")
_DAYS_A_YEAR = 365
_SEARCH_TOLERANCE = COST_TOLERANCE / 10**9
_ARITHMETIC = Context(prec=50)


class CostFinding(StrEnum):
    """A fact about a cost, not a judgement: the borrower may ask for a check (rule M2); nothing is called unlawful."""

    ABOVE_24_PERCENT = "above_24_percent"


class NoAnnualCost(StrEnum):
    """Why payments have no annual cost.

    ONE_SIDED: nothing received before something was paid. AMBIGUOUS: money went back and forth so that several rates
    may fit. OUT_OF_RANGE: the rate lies beyond ``LOWEST_ANNUAL_COST`` or ``HIGHEST_ANNUAL_COST``.
    """

    ONE_SIDED = "one_sided"
    AMBIGUOUS = "ambiguous"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Fen that the borrower received (above 0) or paid (below 0) on a day."""

    on: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class AnnualCost:
    """A rate a year as a fraction, rounded to ``COST_TOLERANCE``; below 0 if less is paid than was received."""

    rate: Decimal

    @property
    def findings(self) -> tuple[CostFinding, ...]:
        """What should be said about the rate; exactly 24 % is not above it."""
        return (CostFinding.ABOVE_24_PERCENT,) if self.rate > _ANNUAL_COST_TO_NOTE else ()


def annual_cost(flows: Iterable[CashFlow]) -> AnnualCost | NoAnnualCost:
    """The yearly cost of these payments, in any order; those of one day count together.

    It is given only where no other rate fits as well: at this rate the borrower is never overpaid before the end
    (Soper's condition), or more is paid than received and the running sum changes sign once, when it is the only rate
    above 0 (Norstrøm's condition).
    """
    by_day: dict[date, int] = {}
    for flow in flows:
        by_day[flow.on] = by_day.get(flow.on, 0) + flow.amount_fen
    days = sorted(day for day, fen in by_day.items() if fen)
    amounts = [by_day[day] for day in days]
    if not amounts or amounts[0] < 0 or min(amounts) > 0:
        return NoAnnualCost.ONE_SIDED
    is_only_positive = sum(amounts) < 0 and _sign_changes(tuple(accumulate(amounts))) == 1
    if amounts[-1] > 0 and not is_only_positive:
        return NoAnnualCost.AMBIGUOUS
    dated = [((day - days[0]).days, amount) for day, amount in zip(days, amounts, strict=True)]
    with localcontext(_ARITHMETIC):
        rate = _bisect(dated, Decimal(0) if is_only_positive else LOWEST_ANNUAL_COST)
        if rate is None:
            return NoAnnualCost.OUT_OF_RANGE
        if not is_only_positive and _is_overpaid_on_the_way(dated, rate):
            return NoAnnualCost.AMBIGUOUS
        # "or 0": no rate of minus nought.
        return AnnualCost(rate.quantize(COST_TOLERANCE, rounding=ROUND_HALF_UP) or Decimal(0))


def cost_to_date(
    terms: ContractTerms, entries: Iterable[Entry], due_on: date, as_of: date
) -> AnnualCost | NoAnnualCost:
    """The yearly cost of a debt if all that is owed at the end of ``as_of`` were paid then.

    Interest must have been accrued up to ``as_of``. Waived sums cost nothing; fees count when they are paid or owed.
    Raises ``LedgerError`` for a contradictory ledger.
    """
    counted = effective_entries(entries, as_of)
    signs = {EntryKind.DRAWDOWN: 1, EntryKind.PAYMENT: -1}
    flows = [CashFlow(entry.effective_on, signs.get(entry.kind, 0) * entry.amount_fen) for entry in counted]
    owed = statement(terms, counted, due_on, as_of).balances
    return annual_cost([*flows, CashFlow(as_of, owed.credit_fen - owed.total_fen)])


def cost_of_schedule(
    received_fen: int, schedule: AmortisationSchedule, fees: Sequence[CashFlow] = ()
) -> AnnualCost | NoAnnualCost:
    """The yearly cost of receiving ``received_fen`` on the schedule's start day and paying the schedule and ``fees``.

    A fee kept back from the loan is left out of ``received_fen``; the others are flows below 0.
    """
    flows = [CashFlow(schedule.start_on, received_fen - schedule.down_payment_fen)]
    flows += [CashFlow(row.due_on, -row.amount_fen) for row in schedule.rows]
    return annual_cost([*flows, *fees])


def _sign_changes(amounts: Sequence[int]) -> int:
    signs = [amount > 0 for amount in amounts if amount]
    return sum(earlier != later for earlier, later in pairwise(signs))


def _bisect(flows: Sequence[tuple[int, int]], lowest: Decimal) -> Decimal | None:
    """Halve the range of rates until it is far narrower than the rounding; the value is below 0 left of the rate.

    None if the rate is not within the range.
    """
    low, high = lowest, HIGHEST_ANNUAL_COST
    if _present_value(flows, low) > 0 or _present_value(flows, high) < 0:
        return None
    while high - low > _SEARCH_TOLERANCE:
        middle = (low + high) / 2
        if _present_value(flows, middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _present_value(flows: Sequence[tuple[int, int]], rate: Decimal) -> Decimal:
    a_day = (1 + rate) ** (Decimal(-1) / _DAYS_A_YEAR)
    return sum((amount * a_day**days for days, amount in flows), Decimal(0))


def _is_overpaid_on_the_way(flows: Sequence[tuple[int, int]], rate: Decimal) -> bool:
    """Whether, counted at this rate, the debt falls below 0 by more than half a fen before the last payment."""
    a_day = (1 + rate) ** (Decimal(1) / _DAYS_A_YEAR)
    owed = Decimal(0)
    for (days, amount), (next_days, _) in pairwise(flows):
        owed += amount
        if owed < Decimal("-0.5"):
            return True
        owed *= a_day ** (next_days - days)
    return False
