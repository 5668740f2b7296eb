"""The one debt of a plan during which interest runs, as ``bot.lending.repayment`` counts it."""

from datetime import date
from functools import lru_cache

from bot.lending.balances import Balances
from bot.lending.repayment import RepaymentCourse, RepaymentStart
from bot.lending.schedule import monthly_due_dates
from bot.workout.building import last_day_to_accept
from bot.workout.offer import DebtShare
from bot.workout.request import DebtPosition, OfferRequest
from bot.workout.waivers import WaiverLevel


def course_of(
    request: OfferRequest, level: WaiverLevel, down_payment_fen: int, first_due_on: date, day_of_month: int
) -> RepaymentCourse:
    """Every way to pay off a request's one debt after the waivers, from its day on, the down payment on its last day.

    Raises ``ValueError`` if the debt's contract is not known.
    """
    accept_by = last_day_to_accept(request, first_due_on) if down_payment_fen else None
    days = (request.as_of, accept_by, first_due_on)
    return _course(request.owed[0], level.shares[0], down_payment_fen, days, request.policy.max_months, day_of_month)


@lru_cache(maxsize=64)
def _course(
    debt: DebtPosition,
    share: DebtShare,
    down_payment_fen: int,
    days: tuple[date, date | None, date],
    count: int,
    day_of_month: int,
) -> RepaymentCourse:
    """Made once for all the plans of a room: it is asked for some dozens of them."""
    as_of, accept_by, first_due_on = days
    if debt.contract is None:
        raise ValueError(f"{debt.debt_id}: interest cannot be counted without the contract")
    owed = debt.balances
    left = Balances(
        principal_fen=owed.principal_fen - share.waived_principal_fen,
        interest_fen=owed.interest_fen - share.waived_interest_fen,
        penalty_fen=owed.penalty_fen - share.waived_penalty_fen,
        fee_fen=owed.fee_fen - share.waived_fee_fen,
    )
    start = RepaymentStart(debt.contract.terms, debt.contract.due_on, left, as_of, down_payment_fen, accept_by)
    return RepaymentCourse(start, monthly_due_dates(first_due_on, count, day_of_month))
