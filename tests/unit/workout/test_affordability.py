import pytest

from bot.workout.affordability import (
    Affordability,
    AffordabilityProblem,
    InvalidAffordability,
    PlausibilityHint,
    assess,
    plausibility,
)


def test_surplus_is_income_less_essentials_and_other_debts() -> None:
    assert Affordability(6_000_00, 4_200_00, other_debts_monthly_fen=300_00).surplus_fen == 1_500_00


def test_a_month_that_does_not_reach_has_a_negative_surplus() -> None:
    assert Affordability(2_000_00, 3_000_00).surplus_fen == -1_000_00


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ((-1, 0, 0, 0), AffordabilityProblem.NEGATIVE_INCOME),
        ((0, -1, 0, 0), AffordabilityProblem.NEGATIVE_ESSENTIAL),
        ((0, 0, -1, 0), AffordabilityProblem.NEGATIVE_DEPENDANTS),
        ((0, 0, 0, -1), AffordabilityProblem.NEGATIVE_OTHER_DEBTS),
    ],
)
def test_impossible_figures_are_named_not_raised(
    figures: tuple[int, int, int, int], problem: AffordabilityProblem
) -> None:
    assert assess(*figures) == InvalidAffordability(problem)
    with pytest.raises(ValueError, match=problem.value):
        Affordability(*figures)


def test_possible_figures_make_a_budget() -> None:
    assert assess(6_000_00, 4_000_00, 2) == Affordability(6_000_00, 4_000_00, 2)


@pytest.mark.parametrize(
    ("affordability", "hints"),
    [
        (Affordability(6_000_00, 4_000_00), ()),
        (Affordability(0, 1_000_00), (PlausibilityHint.NO_INCOME, PlausibilityHint.ESSENTIAL_ABOVE_INCOME)),
        (Affordability(60_00, 40_00), (PlausibilityHint.INCOME_LOOKS_SMALL, PlausibilityHint.ESSENTIAL_LOOKS_SMALL)),
        (Affordability(600_000_00, 4_000_00), (PlausibilityHint.INCOME_LOOKS_LARGE,)),
        (Affordability(6_000_00, 500_00, dependants=2), (PlausibilityHint.ESSENTIAL_LOOKS_SMALL,)),
        (Affordability(9_000_00, 8_000_00, dependants=20), (PlausibilityHint.MANY_DEPENDANTS,)),
    ],
)
def test_figures_that_may_have_been_misread_are_asked_again(
    affordability: Affordability, hints: tuple[PlausibilityHint, ...]
) -> None:
    assert plausibility(affordability) == hints
