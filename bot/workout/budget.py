"""A month's budget as it is told: money in whatever rhythm it comes, and what was left unsaid.

Everything is what the borrower states; nothing is looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.workout.affordability import Affordability


class IncomeKind(StrEnum):
    """Where income comes from."""

    WAGE = "wage"
    GIG = "gig"
    BUSINESS = "business"
    PENSION = "pension"
    BENEFIT = "benefit"
    FAMILY = "family"


class Rhythm(StrEnum):
    """How often a sum comes in or goes out; ``MIXED`` is several rhythms in one answer."""

    MONTHLY = "monthly"
    HALF_MONTHLY = "half_monthly"
    WEEKLY = "weekly"
    DAILY = "daily"
    YEARLY = "yearly"
    MIXED = "mixed"


INCOME_TIMES: Mapping[Rhythm, int] = {Rhythm.HALF_MONTHLY: 2, Rhythm.WEEKLY: 4, Rhythm.DAILY: 20}
"""How often a month surely brings the sum: four weeks and twenty days of work, so that a plan holds in a thin month."""

SPENDING_TIMES: Mapping[Rhythm, int] = {Rhythm.HALF_MONTHLY: 2, Rhythm.WEEKLY: 5, Rhythm.DAILY: 30}
"""How often a month may take the sum: five weeks and thirty days, since everybody eats at weekends too."""

MONTHS_IN_YEAR = 12
WHOLE_FEN = 100_00
"""A year's sum is brought to a month in whole hundreds of yuan: finer than that nobody knows it."""


def income_a_month(rhythm: Rhythm, fen: int) -> int:
    """What surely comes in within a month, in fen, if ``fen`` comes in each time: never more than in any month."""
    if rhythm is Rhythm.YEARLY:
        return fen // MONTHS_IN_YEAR // WHOLE_FEN * WHOLE_FEN
    return fen * INCOME_TIMES.get(rhythm, 1)


def spending_a_month(rhythm: Rhythm, fen: int) -> int:
    """What may go out within a month, in fen, if ``fen`` goes out each time: never less than in any month."""
    if rhythm is Rhythm.YEARLY:
        return -(-fen // (MONTHS_IN_YEAR * WHOLE_FEN)) * WHOLE_FEN
    return fen * SPENDING_TIMES.get(rhythm, 1)


@dataclass(frozen=True, slots=True)
class StatedBudget:
    """A month's figures in fen as far as they were told; None is what was not, which counts as none.

    ``dependants`` live on the income besides the borrower. Raises ``ValueError`` for a negative figure.
    """

    monthly_income_fen: int | None = None
    monthly_essential_fen: int | None = None
    dependants: int | None = None
    other_debts_monthly_fen: int | None = None

    def __post_init__(self) -> None:
        _ = self.affordability

    @property
    def affordability(self) -> Affordability:
        """The figures that offers are computed from."""
        return Affordability(
            self.monthly_income_fen or 0,
            self.monthly_essential_fen or 0,
            self.dependants or 0,
            self.other_debts_monthly_fen or 0,
        )


@dataclass(frozen=True, slots=True)
class IncomeTold:
    """How an income was put: where it comes from, and what comes in each time of its rhythm.

    ``each_fen`` is None where several rhythms were named, and ``high_fen`` the better month of a range.
    """

    kinds: tuple[IncomeKind, ...] = ()
    rhythm: Rhythm = Rhythm.MONTHLY
    each_fen: int | None = None
    high_fen: int | None = None
