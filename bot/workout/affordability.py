"""What is left of a month's income. An instalment never exceeds it (rule N5)."""

from dataclasses import dataclass
from enum import StrEnum


class AffordabilityProblem(StrEnum):
    """Why figures cannot be used at all."""

    NEGATIVE_INCOME = "negative_income"
    NEGATIVE_ESSENTIAL = "negative_essential"
    NEGATIVE_OTHER_DEBTS = "negative_other_debts"
    NEGATIVE_DEPENDANTS = "negative_dependants"


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
