import pytest

from bot.workout.affordability import Affordability
from bot.workout.budget import (
    Budget,
    EssentialCategory,
    IncomeItem,
    IncomeKind,
    Rhythm,
    budget_hints,
    monthly_budget,
)

PLAIN = {EssentialCategory.HOUSING: 1_500_00, EssentialCategory.FOOD: 1_200_00}


def wage(low_fen: int = 6_000_00, high_fen: int | None = None, rhythm: Rhythm = Rhythm.MONTHLY) -> IncomeItem:
    return IncomeItem(IncomeKind.WAGE, rhythm, low_fen, high_fen)


def budget(*incomes: IncomeItem, dependants: int = 0, **changes: int) -> Budget:
    essentials = PLAIN | {EssentialCategory(name): fen for name, fen in changes.items()}
    return Budget(incomes or (wage(),), essentials, dependants)


@pytest.mark.parametrize(
    ("rhythm", "monthly_fen"),
    [
        (Rhythm.MONTHLY, 1_000_00),
        (Rhythm.FORTNIGHTLY, 2_166_66),
        (Rhythm.WEEKLY, 4_333_33),
        (Rhythm.IRREGULAR, 1_000_00),
    ],
)
def test_income_of_every_rhythm_becomes_a_twelfth_of_the_year_rounded_down(rhythm: Rhythm, monthly_fen: int) -> None:
    assert wage(1_000_00, rhythm=rhythm).monthly_fen == monthly_fen


def test_of_irregular_income_only_the_bad_month_counts() -> None:
    assert wage(2_000_00, 9_000_00, Rhythm.IRREGULAR).monthly_fen == 2_000_00


def test_items_add_up_to_the_plain_figures() -> None:
    told = Budget(
        (wage(), IncomeItem(IncomeKind.FAMILY, Rhythm.MONTHLY, 500_00)),
        PLAIN,
        dependants=1,
        other_debts_fen=(300_00, 200_00),
    )

    assert monthly_budget(told) == Affordability(6_500_00, 2_700_00, 1, 500_00)


@pytest.mark.parametrize("figures", [(-1, None), (2, 1)])
def test_impossible_income_is_refused(figures: tuple[int, int | None]) -> None:
    with pytest.raises(ValueError, match=r"negative|worse"):
        wage(*figures)


def test_negative_spending_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        budget(food=-1)


def test_an_ordinary_budget_raises_no_question() -> None:
    assert not budget_hints(budget())


@pytest.mark.parametrize(
    ("told", "category"),
    [
        (budget(housing=30_000_00), EssentialCategory.HOUSING),
        (budget(food=0), EssentialCategory.FOOD),
        (budget(food=500_00, dependants=3), EssentialCategory.FOOD),
        (budget(communication=5_000_00), EssentialCategory.COMMUNICATION),
    ],
)
def test_a_figure_that_looks_like_a_slip_is_asked_again(told: Budget, category: EssentialCategory) -> None:
    assert budget_hints(told).spending == (category,)


def test_income_that_swings_widely_is_asked_about() -> None:
    assert budget_hints(budget(wage(1_000_00, 8_000_00, Rhythm.IRREGULAR))).wide_income == (IncomeKind.WAGE,)
