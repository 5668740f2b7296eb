"""What is left of a month's income. An instalment never exceeds it (rule N5)."""

from dataclasses import dataclass
from enum import StrEnum


class AffordabilityProblem(StrEnum):
    """Why figures cannot be used at all."""

    NEGATIVE_INCOME = "negative_income"
    NEGATIVE_ESSENTIAL = "negative_essential"
    NEGATIVE_OTHER_DEBTS = "negative_other_debts"
    NEGATIVE_DEPENDANTS = "negative_dependants"


class PlausibilityHint(StrEnum):
    """Why figures may have been misread; each asks for a question back, none refuses anything."""

    NO_INCOME = "no_income"
    INCOME_LOOKS_SMALL = "income_looks_small"
    INCOME_LOOKS_LARGE = "income_looks_large"
    ESSENTIAL_LOOKS_SMALL = "essential_looks_small"
    ESSENTIAL_ABOVE_INCOME = "essential_above_income"
    MANY_DEPENDANTS = "many_dependants"


@dataclass(frozen=True, slots=True)
class InvalidAffordability:
    """Figures that cannot be a month's budget."""

    problem: AffordabilityProblem


@dataclass(frozen=True, slots=True)
class Affordability:
    """A month's budget as the borrower stated and confirmed it, in fen.

    ``monthly_essential_fen`` covers the borrower and the dependants; ``other_debts_monthly_fen`` is what must go to
    others. Raises ``ValueError`` for a negative figure; use ``assess`` for figures that come from outside.
    """

    monthly_income_fen: int
    monthly_essential_fen: int
    dependants: int = 0
    other_debts_monthly_fen: int = 0

    def __post_init__(self) -> None:
        figures = (
            self.monthly_income_fen,
            self.monthly_essential_fen,
            self.other_debts_monthly_fen,
            self.dependants,
        )
        if (problem := _problem(*figures)) is not None:
            raise ValueError(f"{problem.value}: {figures}")

    @property
    def surplus_fen(self) -> int:
        """Income less essentials and other debts, in fen; negative when the month does not reach."""
        return self.monthly_income_fen - self.monthly_essential_fen - self.other_debts_monthly_fen

    def protected_surplus_fen(self, floor_fen_per_person: int) -> int:
        """The surplus once the protected floor is kept for the borrower and each dependant, in fen.

        Essential spending below the floor counts as the floor; spending above it counts in full.
        """
        kept_fen = max(self.monthly_essential_fen, floor_fen_per_person * (1 + self.dependants))
        return self.monthly_income_fen - kept_fen - self.other_debts_monthly_fen


def assess(
    monthly_income_fen: int, monthly_essential_fen: int, dependants: int = 0, other_debts_monthly_fen: int = 0
) -> Affordability | InvalidAffordability:
    """Make a budget of stated figures in fen, or say what is wrong with them."""
    problem = _problem(monthly_income_fen, monthly_essential_fen, other_debts_monthly_fen, dependants)
    if problem is not None:
        return InvalidAffordability(problem)
    return Affordability(monthly_income_fen, monthly_essential_fen, dependants, other_debts_monthly_fen)


_SMALL_INCOME_FEN = 500_00
_LARGE_INCOME_FEN = 100_000_00
_SMALL_ESSENTIAL_PER_PERSON_FEN = 300_00
_MANY_DEPENDANTS = 8


def plausibility(affordability: Affordability) -> tuple[PlausibilityHint, ...]:
    """What to ask again before relying on a budget, in a fixed order; empty if nothing stands out.

    The limits only catch slips such as thousands read as yuan; they are no yardstick for anybody's life.
    """
    income, essential = affordability.monthly_income_fen, affordability.monthly_essential_fen
    household = 1 + affordability.dependants
    found = {
        PlausibilityHint.NO_INCOME: income == 0,
        PlausibilityHint.INCOME_LOOKS_SMALL: 0 < income < _SMALL_INCOME_FEN,
        PlausibilityHint.INCOME_LOOKS_LARGE: income > _LARGE_INCOME_FEN,
        PlausibilityHint.ESSENTIAL_LOOKS_SMALL: essential < household * _SMALL_ESSENTIAL_PER_PERSON_FEN,
        PlausibilityHint.ESSENTIAL_ABOVE_INCOME: essential > income,
        PlausibilityHint.MANY_DEPENDANTS: affordability.dependants > _MANY_DEPENDANTS,
    }
    return tuple(hint for hint, holds in found.items() if holds)


def _problem(income: int, essential: int, other_debts: int, dependants: int) -> AffordabilityProblem | None:
    if income < 0:
        return AffordabilityProblem.NEGATIVE_INCOME
    if essential < 0:
        return AffordabilityProblem.NEGATIVE_ESSENTIAL
    if other_debts < 0:
        return AffordabilityProblem.NEGATIVE_OTHER_DEBTS
    if dependants < 0:
        return AffordabilityProblem.NEGATIVE_DEPENDANTS
    return None
