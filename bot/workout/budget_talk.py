"""What to ask next about a month's budget: as little as can be, and never the same thing twice.

Income and essential spending are always asked. The rest is asked only where the answer could change what is offered,
or where a figure looks like a slip. No answer is refused.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum

from bot.workout.budget import StatedBudget
from bot.workout.offers import compute_offers
from bot.workout.request import OfferRequest


class BudgetQuestion(StrEnum):
    """A question about a budget beyond income and essential spending; each is put at most once."""

    INCOME_LOOKS_SMALL = "income_looks_small"
    INCOME_LOOKS_LARGE = "income_looks_large"
    ESSENTIAL_ABOVE_INCOME = "essential_above_income"
    OTHER_DEBTS_ABOVE_INCOME = "other_debts_above_income"
    MANY_DEPENDANTS = "many_dependants"
    DEPENDANTS = "dependants"
    ESSENTIAL_BELOW_FLOOR = "essential_below_floor"
    OTHER_DEBTS = "other_debts"

    @property
    def is_check(self) -> bool:
        """Whether it asks again for a figure that was told, and not for one that was not."""
        return self not in (BudgetQuestion.DEPENDANTS, BudgetQuestion.OTHER_DEBTS)


MOST_USUAL_DEPENDANTS = 3
"""Whoever spends enough for a household of so many more is not asked how many they are: the floor would not bind."""

USUAL_BURDEN_PERCENT = 30
"""Other debts that take this part of an income are nothing unusual for somebody in arrears."""

_SMALL_INCOME_FEN = 500_00
_LARGE_INCOME_FEN = 100_000_00
_LARGE_BESIDE_DEBT_FEN = 20_000_00
_TIMES_THE_DEBT = 2
_MANY_DEPENDANTS = 8


def slips(stated: StatedBudget, owed_fen: int) -> tuple[BudgetQuestion, ...]:
    """What may have been misread or mistyped, in a fixed order; empty if nothing stands out.

    The limits only catch slips such as a year's income told as a month's; they are no yardstick for anybody's life.
    ``owed_fen`` is what the plan is to be about: who earns it twice over in a month would hardly be here.
    """
    income_fen, essential_fen = stated.monthly_income_fen or 0, stated.monthly_essential_fen or 0
    beside_debt = income_fen >= _LARGE_BESIDE_DEBT_FEN and income_fen > _TIMES_THE_DEBT * owed_fen
    found = {
        BudgetQuestion.INCOME_LOOKS_SMALL: 0 < income_fen < _SMALL_INCOME_FEN,
        BudgetQuestion.INCOME_LOOKS_LARGE: income_fen > _LARGE_INCOME_FEN or beside_debt,
        BudgetQuestion.ESSENTIAL_ABOVE_INCOME: essential_fen > income_fen > 0,
        BudgetQuestion.OTHER_DEBTS_ABOVE_INCOME: (stated.other_debts_monthly_fen or 0) > income_fen > 0,
        BudgetQuestion.MANY_DEPENDANTS: (stated.dependants or 0) > _MANY_DEPENDANTS,
    }
    return tuple(question for question, holds in found.items() if holds)


def next_question(
    stated: StatedBudget, settled: AbstractSet[BudgetQuestion], request: OfferRequest
) -> BudgetQuestion | None:
    """The next question besides income and essential spending, None if there is none.

    ``settled`` have been answered, or the borrower would not say.
    ``request`` holds the debts and the policy; its budget is replaced by the stated one. How many live on the income is
    asked where a usual household needs more than is spent, and what other debts take where so much as is usual would
    leave no plan at all: with ``asks_whole_budget`` in the policy, always. Where nothing can be offered anyway, nothing
    more is asked.
    """
    open_slips = (question for question in slips(stated, request.owed_fen) if question not in settled)
    if (slip := next(open_slips, None)) is not None:
        return slip
    if stated.monthly_income_fen is None or stated.monthly_essential_fen is None:
        return None
    request = replace(request, affordability=stated.affordability)
    policy = request.policy
    if compute_offers(request).no_offer is not None:
        return None
    essential_fen = stated.monthly_essential_fen
    usual_floor_fen = policy.protected_floor_fen_per_person * (1 + MOST_USUAL_DEPENDANTS)
    asks_all = policy.asks_whole_budget
    asked: dict[BudgetQuestion, Callable[[], bool]] = {
        BudgetQuestion.DEPENDANTS: lambda: stated.dependants is None and (asks_all or essential_fen < usual_floor_fen),
        BudgetQuestion.ESSENTIAL_BELOW_FLOOR: lambda: essential_fen < kept_at_least_fen(stated, request),
        BudgetQuestion.OTHER_DEBTS: lambda: (
            stated.other_debts_monthly_fen is None and (asks_all or _other_debts_matter(stated, request))
        ),
    }
    return next((question for question, is_asked in asked.items() if question not in settled and is_asked()), None)


def kept_at_least_fen(stated: StatedBudget, request: OfferRequest) -> int:
    """What every month leaves for the household by the policy, in fen, whatever spending was stated."""
    return request.policy.protected_floor_fen_per_person * (1 + (stated.dependants or 0))


def _other_debts_matter(stated: StatedBudget, request: OfferRequest) -> bool:
    burden_fen = (stated.monthly_income_fen or 0) * USUAL_BURDEN_PERCENT // 100
    burdened = replace(stated, other_debts_monthly_fen=burden_fen)
    return compute_offers(replace(request, affordability=burdened.affordability)).no_offer is not None
