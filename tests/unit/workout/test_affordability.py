import pytest

from bot.workout.affordability import (
    Affordability,
    AffordabilityProblem,
    InvalidAffordability,
    assess,
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
    ("budget", "left_fen"),
    [
        (Affordability(6_000_00, 4_200_00), 1_800_00),
        (Affordability(6_000_00, 4_200_00, dependants=3, other_debts_monthly_fen=500_00), 1_300_00),
        (Affordability(6_000_00, 300_00, dependants=3), 3_600_00),
        (Affordability(6_000_00, 300_00, dependants=3, other_debts_monthly_fen=500_00), 3_100_00),
    ],
)
def test_the_floor_for_everybody_is_kept_before_other_debts_are_paid(budget: Affordability, left_fen: int) -> None:
    assert budget.protected_surplus_fen(600_00) == left_fen
