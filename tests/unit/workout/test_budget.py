import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workout.affordability import Affordability
from bot.workout.budget import Rhythm, StatedBudget, income_a_month, spending_a_month


@pytest.mark.parametrize(
    ("rhythm", "earned_fen", "spent_fen"),
    [
        (Rhythm.MONTHLY, 120_00, 120_00),
        (Rhythm.HALF_MONTHLY, 240_00, 240_00),
        (Rhythm.WEEKLY, 480_00, 600_00),
        (Rhythm.DAILY, 2_400_00, 3_600_00),
        (Rhythm.YEARLY, 0, 100_00),
    ],
)
def test_a_sum_of_every_rhythm_becomes_a_careful_month(rhythm: Rhythm, earned_fen: int, spent_fen: int) -> None:
    assert (income_a_month(rhythm, 120_00), spending_a_month(rhythm, 120_00)) == (earned_fen, spent_fen)


@given(rhythm=st.sampled_from(Rhythm), fen=st.integers(0, 10**9), more=st.integers(0, 10**9))
def test_a_month_never_takes_in_more_than_it_may_have_to_give(rhythm: Rhythm, fen: int, more: int) -> None:
    assert 0 <= income_a_month(rhythm, fen) <= spending_a_month(rhythm, fen)
    assert income_a_month(rhythm, fen) <= income_a_month(rhythm, fen + more)
    assert spending_a_month(rhythm, fen) <= spending_a_month(rhythm, fen + more)


def test_what_was_not_said_counts_as_none() -> None:
    assert StatedBudget(6_000_00, 3_500_00).affordability == Affordability(6_000_00, 3_500_00)
    assert StatedBudget(6_000_00, 3_500_00, 2, 800_00).affordability == Affordability(6_000_00, 3_500_00, 2, 800_00)


def test_negative_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        StatedBudget(other_debts_monthly_fen=-1)
