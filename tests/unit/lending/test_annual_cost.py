from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from lending_builders import PLAIN_TERMS, drawdown, late_fee, payment, waiver

from bot.lending.accrual import accrue
from bot.lending.amortisation import AmortisationMethod, AmortisationRequest, amortise
from bot.lending.annual_cost import (
    AnnualCost,
    CashFlow,
    CostFinding,
    NoAnnualCost,
    annual_cost,
    cost_of_schedule,
    cost_to_date,
)
from bot.lending.balances import Component

DAY = date(2026, 1, 1)
YEAR = timedelta(days=365)


def flows(*amounts: tuple[int, int]) -> list[CashFlow]:
    return [CashFlow(DAY + timedelta(days=day), fen) for day, fen in amounts]


def rate(*amounts: tuple[int, int]) -> Decimal:
    made = annual_cost(flows(*amounts))
    assert isinstance(made, AnnualCost)
    return made.rate


def test_a_year_later_the_cost_is_what_was_paid_on_top() -> None:
    assert rate((0, 1_000_000), (365, -1_180_000)) == Decimal("0.18")


def test_it_compounds_over_two_years() -> None:
    assert rate((0, 1_000_000), (730, -1_210_000)) == Decimal("0.1")


def test_the_days_are_exact() -> None:
    # (12750 / 12500) ^ (365 / 73) - 1 = 1.02^5 - 1 = 0.10408080...
    assert rate((0, 1_250_000), (73, -1_275_000)) == Decimal("0.104081")


def test_irregular_payments_agree_with_walking_through_all_rates() -> None:
    paid = [(0, -10_000), (60, 2_750), (303, 4_250), (411, 3_250), (456, 2_750)]

    found = rate(*[(day, -fen * 100) for day, fen in paid])

    # The daily factor is walked in steps of a ten-millionth; whole powers of fractions need no root.
    def worth(step: int) -> Fraction:
        a_day = 1 - Fraction(step, 10**7)
        return sum((fen * a_day**day for day, fen in paid), Fraction(0))

    step = next(step for step in range(8_500, 9_000) if worth(step) > 0 >= worth(step + 1))
    dearest, cheapest = (Decimal(1) - Decimal(one) / 10**7 for one in (step + 1, step))
    assert cheapest**-365 - 1 <= found <= dearest**-365 - 1
    assert abs(found - Decimal("0.373363")) < Decimal("0.0001")


def test_a_fee_kept_back_makes_the_loan_dearer() -> None:
    request = AmortisationRequest(1_000_000, DAY, 12, AmortisationMethod.EQUAL_INSTALMENTS, Decimal("0.18"))
    schedule = amortise(request)

    plain, kept_back = (cost_of_schedule(received, schedule) for received in (1_000_000, 950_000))
    fee_paid = cost_of_schedule(1_000_000, schedule, [CashFlow(DAY, -50_000)])

    assert isinstance(plain, AnnualCost)
    assert isinstance(kept_back, AnnualCost)
    assert Decimal("0.19") < plain.rate < Decimal("0.21") < Decimal("0.3") < kept_back.rate
    assert fee_paid == kept_back


def test_what_is_paid_back_in_part_only_has_a_negative_cost() -> None:
    assert rate((0, 1_000_000), (365, -900_000)) == Decimal("-0.1")


def test_no_interest_is_a_cost_of_nought_without_a_sign() -> None:
    assert str(rate((0, 1_000_000), (100, -400_000), (200, -600_000))) == "0"


@pytest.mark.parametrize(
    ("paid_fen", "findings"),
    [(1_239_999, ()), (1_240_000, ()), (1_240_001, (CostFinding.ABOVE_24_PERCENT,))],
)
def test_only_what_is_above_24_percent_is_noted(paid_fen: int, findings: tuple[CostFinding, ...]) -> None:
    made = annual_cost(flows((0, 1_000_000), (365, -paid_fen)))

    assert isinstance(made, AnnualCost)
    assert made.findings == findings


@pytest.mark.parametrize(
    ("amounts", "reason"),
    [
        ([], NoAnnualCost.ONE_SIDED),
        ([(0, 100)], NoAnnualCost.ONE_SIDED),
        ([(0, -100), (9, 100)], NoAnnualCost.ONE_SIDED),
        ([(0, 100), (0, -100)], NoAnnualCost.ONE_SIDED),
        ([(0, 100), (30, -230), (60, 132)], NoAnnualCost.AMBIGUOUS),
        ([(0, 1000), (30, -3000), (60, 4000), (90, -1500)], NoAnnualCost.AMBIGUOUS),
        ([(0, 100), (1, -200)], NoAnnualCost.OUT_OF_RANGE),
        ([(0, 100_000), (365, -1)], NoAnnualCost.OUT_OF_RANGE),
    ],
)
def test_payments_without_one_rate_say_why(amounts: list[tuple[int, int]], reason: NoAnnualCost) -> None:
    assert annual_cost(flows(*amounts)) is reason


def test_a_second_drawdown_after_a_payment_still_has_one_cost() -> None:
    # Two loans of a year one after the other, each at 10 %
    assert rate((0, 100_000), (365, -110_000), (366, 100_000), (731, -110_000)) == Decimal("0.1")


def test_a_refund_at_the_end_leaves_one_cost_above_nought() -> None:
    # 1,150.00 after a year, of which 50.00 come back the same day; a day later makes it a little dearer
    assert rate((0, 100_000), (365, -115_000), (365, 5_000)) == Decimal("0.1")
    assert Decimal("0.1") < rate((0, 100_000), (365, -115_000), (366, 5_000)) < Decimal("0.101")


def test_the_cost_of_a_debt_counts_fees_and_what_is_still_owed() -> None:
    end = DAY + YEAR
    terms = replace(PLAIN_TERMS, day_count=365)
    ledger = [drawdown(1_000_000, DAY), late_fee(10_000, end), waiver(4_000, end, Component.FEE)]
    ledger += accrue(terms, ledger, DAY, end, end)

    # 1,800.00 interest and 60.00 of the fee on 10,000.00 over a year
    assert cost_to_date(terms, ledger, end, end) == AnnualCost(Decimal("0.186"))
    # ... and the same when it has been paid, with 5.00 too much, which is the borrower's
    assert cost_to_date(terms, [*ledger, payment(1_186_500, end)], end, end) == AnnualCost(Decimal("0.186"))
