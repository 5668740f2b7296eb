"""A month's budget item by item: what comes in and how surely, what must go out, and what may have been misread.

Everything is what the borrower states; nothing is looked up. ``monthly_budget`` turns it into the plain figures that
offers are computed from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.workout.affordability import Affordability, InvalidAffordability, assess


class IncomeKind(StrEnum):
    """Where income comes from."""

    WAGE = "wage"
    GIG = "gig"
    BUSINESS = "business"
    PENSION = "pension"
    BENEFIT = "benefit"
    FAMILY = "family"


class Rhythm(StrEnum):
    """How often income arrives; irregular income is stated as a month's low and high."""

    MONTHLY = "monthly"
    FORTNIGHTLY = "fortnightly"
    WEEKLY = "weekly"
    IRREGULAR = "irregular"


_TIMES_A_YEAR = {Rhythm.MONTHLY: 12, Rhythm.FORTNIGHTLY: 26, Rhythm.WEEKLY: 52, Rhythm.IRREGULAR: 12}


class EssentialCategory(StrEnum):
    """What a household cannot do without."""

    HOUSING = "housing"
    FOOD = "food"
    UTILITIES = "utilities"
    TRANSPORT = "transport"
    HEALTH = "health"
    EDUCATION = "education"
    CARE = "care"
    INSURANCE = "insurance"
    COMMUNICATION = "communication"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class IncomeItem:
    """One source of income, in fen for each time it arrives.

    ``high_fen`` says how good it can be; only ``low_fen`` is counted, so that a plan holds in a bad month too.
    Raises ``ValueError`` for a negative figure or a high below the low.
    """

    kind: IncomeKind
    rhythm: Rhythm
    low_fen: int
    high_fen: int | None = None

    def __post_init__(self) -> None:
        if self.low_fen < 0:
            raise ValueError(f"income cannot be negative: {self.low_fen}")
        if self.high_fen is not None and self.high_fen < self.low_fen:
            raise ValueError(f"the best month cannot be worse than the worst: {self.high_fen} < {self.low_fen}")

    @property
    def monthly_fen(self) -> int:
        """A month's worth in fen, rounded down: a twelfth of the year's."""
        return self.low_fen * _TIMES_A_YEAR[self.rhythm] // 12


@dataclass(frozen=True, slots=True)
class Budget:
    """A month's budget. Essential spending and other debts in fen a month; a category left out is none.

    Raises ``ValueError`` for a negative spending figure.
    """

    incomes: tuple[IncomeItem, ...]
    essentials_fen: Mapping[EssentialCategory, int]
    dependants: int = 0
    other_debts_fen: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if any(fen < 0 for fen in self.essentials_fen.values()) or any(fen < 0 for fen in self.other_debts_fen):
            raise ValueError("spending cannot be negative")

    @property
    def monthly_income_fen(self) -> int:
        """What surely comes in, in fen a month."""
        return sum(item.monthly_fen for item in self.incomes)

    @property
    def monthly_essential_fen(self) -> int:
        """What must go out, in fen a month."""
        return sum(self.essentials_fen.values())


def monthly_budget(budget: Budget) -> Affordability | InvalidAffordability:
    """The figures offers are computed from, or what is wrong with them."""
    return assess(
        budget.monthly_income_fen,
        budget.monthly_essential_fen,
        budget.dependants,
        sum(budget.other_debts_fen),
    )


@dataclass(frozen=True, slots=True)
class Usual:
    """Between which figures a month's spending on something usually lies, in fen; per person or per household."""

    low_fen: int
    high_fen: int
    per_person: bool = False

    def contains(self, spent_fen: int, household: int) -> bool:
        """Whether spending is unremarkable for a household of so many."""
        times = household if self.per_person else 1
        return self.low_fen * times <= spent_fen <= self.high_fen * times


USUAL: Mapping[EssentialCategory, Usual] = {
    EssentialCategory.HOUSING: Usual(0, 15_000_00),
    EssentialCategory.FOOD: Usual(200_00, 4_000_00, per_person=True),
    EssentialCategory.UTILITIES: Usual(0, 2_000_00),
    EssentialCategory.TRANSPORT: Usual(0, 3_000_00),
    EssentialCategory.HEALTH: Usual(0, 10_000_00),
    EssentialCategory.EDUCATION: Usual(0, 10_000_00),
    EssentialCategory.CARE: Usual(0, 8_000_00),
    EssentialCategory.INSURANCE: Usual(0, 4_000_00),
    EssentialCategory.COMMUNICATION: Usual(0, 1_000_00),
    EssentialCategory.OTHER: Usual(0, 5_000_00),
}
"""Wide limits that only catch slips, such as a year's rent told as a month's. No yardstick for anybody's life."""


@dataclass(frozen=True, slots=True)
class BudgetHints:
    """What to ask again; neither refuses anything. ``spending`` is in the order of the categories."""

    spending: tuple[EssentialCategory, ...] = ()
    wide_income: tuple[IncomeKind, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spending or self.wide_income)


_WIDE = 3
"""A best month of more than so many times the worst one: the low figure deserves a second look."""


def budget_hints(budget: Budget, usual: Mapping[EssentialCategory, Usual] = USUAL) -> BudgetHints:
    """What in a budget may be a slip: spending outside the usual, and income whose low and high lie far apart.

    Spending on food left out counts as nothing spent: everybody eats.
    """
    household = 1 + budget.dependants
    spent = {category: budget.essentials_fen.get(category, 0) for category in EssentialCategory}
    return BudgetHints(
        spending=tuple(
            category
            for category, spent_fen in spent.items()
            if category in usual and not usual[category].contains(spent_fen, household)
        ),
        wide_income=tuple(
            item.kind for item in budget.incomes if item.high_fen is not None and item.high_fen > _WIDE * item.low_fen
        ),
    )
