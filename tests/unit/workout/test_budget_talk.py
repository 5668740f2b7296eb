"""What is asked about a budget: only what could change the offers, or looks like a slip, and each thing once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workout.budget import StatedBudget
from bot.workout.budget_talk import BudgetQuestion, next_question, slips
from bot.workout.offers import compute_offers
from tests.unit.workout.workout_builders import debt, policy, request

Q = BudgetQuestion
FLOOR = policy(protected_floor_fen_per_person=600_00)
EVERYTHING = policy(protected_floor_fen_per_person=600_00, asks_whole_budget=True)
LEFT_UNSAID = frozenset({Q.DEPENDANTS, Q.OTHER_DEBTS})


def asked(stated: StatedBudget, *settled: BudgetQuestion, rules: object = FLOOR) -> BudgetQuestion | None:
    return next_question(stated, frozenset(settled), replace(request(debt()), policy=rules))


@pytest.mark.parametrize(
    ("stated", "question"),
    [
        (StatedBudget(9_000_00, 3_500_00), None),
        (StatedBudget(6_000_00, 2_000_00), Q.DEPENDANTS),
        (StatedBudget(9_000_00, 2_000_00, 2), None),
        (StatedBudget(6_000_00, 300_00, 0), Q.ESSENTIAL_BELOW_FLOOR),
        (StatedBudget(6_000_00, 2_000_00, 4), Q.ESSENTIAL_BELOW_FLOOR),
        (StatedBudget(5_000_00, 3_800_00), Q.OTHER_DEBTS),
        (StatedBudget(5_000_00, 3_800_00, None, 0), None),
        (StatedBudget(3_000_00, 3_000_00), None),
        (StatedBudget(0, 1_000_00), None),
        (StatedBudget(6_000_00), None),
        (StatedBudget(60_000_00), Q.INCOME_LOOKS_LARGE),
        (StatedBudget(60_00), Q.INCOME_LOOKS_SMALL),
    ],
)
def test_only_what_could_change_the_offers_is_asked(stated: StatedBudget, question: BudgetQuestion | None) -> None:
    assert asked(stated) is question


def test_a_policy_may_have_everybody_asked_for_the_whole_budget() -> None:
    ample = StatedBudget(9_000_00, 4_000_00)
    assert asked(ample) is None
    assert asked(ample, rules=EVERYTHING) is Q.DEPENDANTS
    assert asked(ample, Q.DEPENDANTS, rules=EVERYTHING) is Q.OTHER_DEBTS
    assert asked(ample, Q.DEPENDANTS, Q.OTHER_DEBTS, rules=EVERYTHING) is None


@pytest.mark.parametrize(
    ("stated", "owed_fen", "found"),
    [
        (StatedBudget(6_000_00, 4_000_00), 10_000_00, ()),
        (StatedBudget(60_000_00, 4_000_00), 5_000_00, (Q.INCOME_LOOKS_LARGE,)),
        (StatedBudget(60_000_00, 4_000_00), 50_000_00, ()),
        (StatedBudget(600_000_00, 4_000_00), 900_000_00, (Q.INCOME_LOOKS_LARGE,)),
        (StatedBudget(60_00, 40_00), 5_000_00, (Q.INCOME_LOOKS_SMALL,)),
        (StatedBudget(2_600_00, 3_000_00), 5_000_00, (Q.ESSENTIAL_ABOVE_INCOME,)),
        (StatedBudget(0, 3_000_00), 5_000_00, ()),
        (StatedBudget(6_000_00, 3_000_00, 1, 30_000_00), 5_000_00, (Q.OTHER_DEBTS_ABOVE_INCOME,)),
        (StatedBudget(9_000_00, 8_000_00, 20), 9_000_00, (Q.MANY_DEPENDANTS,)),
    ],
)
def test_what_looks_like_a_slip_is_found(
    stated: StatedBudget, owed_fen: int, found: tuple[BudgetQuestion, ...]
) -> None:
    assert slips(stated, owed_fen) == found


yuan = st.integers(0, 400).map(lambda hundreds: hundreds * 100_00)
budgets = st.builds(StatedBudget, yuan, yuan, st.none() | st.integers(0, 10), st.none() | yuan)


@given(stated=budgets)
def test_no_question_is_put_twice_and_the_talk_ends(stated: StatedBudget) -> None:
    settled: list[BudgetQuestion] = []
    while (question := asked(stated, *settled)) is not None:
        assert question not in settled
        settled.append(question)
    assert len([question for question in settled if not question.is_check]) <= 2


@given(stated=budgets, people=st.integers(0, 3))
def test_whoever_is_not_asked_how_many_they_are_gets_the_same_offers_in_any_usual_household(
    stated: StatedBudget, people: int
) -> None:
    unsaid = replace(stated, dependants=None)
    settled = [question for question in Q if question is not Q.DEPENDANTS]
    if asked(unsaid, *settled) is Q.DEPENDANTS:
        return
    basis = replace(request(debt()), policy=FLOOR)
    alone, together = (
        compute_offers(replace(basis, affordability=each.affordability))
        for each in (unsaid, replace(unsaid, dependants=people))
    )
    assert alone == together


@given(stated=budgets, share=st.integers(0, 30))
def test_whoever_is_not_asked_for_other_debts_has_a_plan_left_with_any_usual_ones(
    stated: StatedBudget, share: int
) -> None:
    unsaid = replace(stated, other_debts_monthly_fen=None)
    settled = [question for question in Q if question is not Q.OTHER_DEBTS]
    basis = replace(request(debt()), policy=FLOOR)
    offered = compute_offers(replace(basis, affordability=unsaid.affordability)).no_offer is None
    if not offered or asked(unsaid, *settled) is Q.OTHER_DEBTS:
        return
    burdened = replace(unsaid, other_debts_monthly_fen=(unsaid.monthly_income_fen or 0) * share // 100)
    assert compute_offers(replace(basis, affordability=burdened.affordability)).no_offer is None


@given(stated=budgets)
def test_no_instalment_exceeds_what_floor_household_and_other_debts_leave(stated: StatedBudget) -> None:
    basis = replace(request(debt()), policy=FLOOR, affordability=stated.affordability)
    kept_fen = max(stated.monthly_essential_fen or 0, 600_00 * (1 + (stated.dependants or 0)))
    left_fen = (stated.monthly_income_fen or 0) - kept_fen - (stated.other_debts_monthly_fen or 0)
    for offer in compute_offers(basis).offers:
        assert offer.largest_instalment_fen * 2 <= left_fen
