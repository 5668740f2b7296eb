"""Invented debtors to negotiate with, and what becomes of a plan they agree to. Everything follows from one seed.

Nobody here is real. Incomes, debts and households are drawn from distributions whose middle lies where Chinese
household statistics and notices of bad-loan sales put it. Money is whole fen; chances and shares are floats, because
these are guesses about people, not accounts.

A debtor knows more than is told: four manners of telling make surplus and savings look larger or smaller than they
are. The future is a stream of monthly incomes and sudden expenses fixed in advance, so that the same debtor lives
through the same months with and without a plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random

HORIZON_DAYS = 730
MONTH_DAYS = 30


class Manner(StrEnum):
    """How somebody tells about money, and answers."""

    HONEST = "honest"
    GUARDED = "guarded"
    OVER_PROMISING = "over-promising"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is told of the true surplus and savings, as shares, and what of the surplus an instalment may take.

    ``firmness`` None: whoever promises too much accepts up to 1.6 times the surplus, or ¥480 where there is none.
    """

    share: float
    surplus: float
    assets: float
    firmness: float | None


_TELLING = {
    Manner.HONEST: _Telling(0.5, 1.0, 1.0, 1.0),
    Manner.GUARDED: _Telling(0.2, 0.85, 0.7, 0.8),
    Manner.OVER_PROMISING: _Telling(0.2, 1.25, 1.0, None),
    Manner.HARD: _Telling(0.1, 0.7, 0.5, 0.6),
}

_SEGMENTS = ((0.50, 120, 40, 12_000), (0.35, 460, 150, 20_000), (0.15, 1500, 300, 40_000))
"""Share, mean and spread of the days past due, median principal in yuan."""

_REASONS = (
    ("job loss", 0.20, 0.35, 6),
    ("business failed", 0.15, 0.60, 12),
    ("illness", 0.12, 0.65, 9),
    ("pay cut or late pay", 0.18, 0.80, 6),
    ("family", 0.08, 0.90, 4),
    ("over-borrowed", 0.17, 1.0, 0),
    ("forgot", 0.10, 1.0, 0),
)
"""Share, factor on income now, mean months until income recovers."""

_YEARLY_RATE, _MOST_INTEREST = 0.24, 0.9
_MOST_MONTHS = 110


@dataclass(frozen=True, slots=True)
class Future:
    """What happens to a debtor: a factor on each month's income, and sudden expenses by day in fen."""

    income_factors: tuple[float, ...]
    shocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Debtor:
    """One debtor; amounts in fen, those of a month a month. ``recovers_in_months`` 0: income is what it always was."""

    number: int
    days_past_due: int
    principal_fen: int
    owed_fen: int
    normal_income_fen: int
    income_now_fen: int
    recovers_in_months: int
    expects_recovery_in_months: int
    essential_fen: int
    dependants: int
    other_debts_fen: int
    assets_fen: int
    manner: Manner
    firmness: float
    down_share: float
    future: Future

    def surplus_fen(self, after_months: int = 0) -> int:
        """The true surplus of a month so many months from now."""
        recovered = after_months >= self.recovers_in_months
        income_fen = self.normal_income_fen if recovered else self.income_now_fen
        return income_fen - self.essential_fen - self.other_debts_fen

    def expected_surplus_fen(self, after_months: int) -> int:
        """The surplus the debtor reckons with at that time, right or wrong."""
        recovered = self.recovers_in_months == 0 or after_months >= self.expects_recovery_in_months
        income_fen = self.normal_income_fen if recovered else self.income_now_fen
        return income_fen - self.essential_fen - self.other_debts_fen

    def told_surplus_fen(self, after_months: int = 0) -> int:
        """The surplus as told; a shortfall is told as it is."""
        surplus_fen = self.expected_surplus_fen(after_months)
        return round(surplus_fen * _TELLING[self.manner].surplus) if surplus_fen > 0 else surplus_fen

    def told_assets_fen(self) -> int:
        """Savings as told."""
        return round(self.assets_fen * _TELLING[self.manner].assets)

    def limit_fen(self, after_months: int = 0) -> int:
        """The largest instalment the debtor accepts for a plan that begins so many months from now."""
        surplus_fen = self.expected_surplus_fen(after_months)
        firm = _TELLING[self.manner].firmness
        if firm is None:
            return round(1.6 * max(surplus_fen, 300_00))
        return max(0, round(firm * self.firmness * surplus_fen))

    def named_limit_fen(self, after_months: int = 0) -> int:
        """The instalment the debtor names when asked: the limit, or a tenth below it for those who bargain."""
        bargains = self.manner in (Manner.GUARDED, Manner.HARD)
        return self.limit_fen(after_months) * (9 if bargains else 10) // 10


def debtors(n: int, seed: int) -> tuple[Debtor, ...]:
    """``n`` debtors; equal seeds give equal debtors."""
    chance = Random(seed)
    return tuple(_debtor(number, chance) for number in range(n))


def _debtor(number: int, chance: Random) -> Debtor:
    _, mean_days, spread, median = _drawn(_SEGMENTS, chance)
    days = max(31, round(chance.gauss(mean_days, spread)))
    principal = min(300_000.0, max(1_000.0, chance.lognormvariate(math.log(median), 0.9)))
    owed = principal * (1 + min(_YEARLY_RATE * days / 365, _MOST_INTEREST))
    income = min(40_000.0, max(1_500.0, chance.lognormvariate(math.log(4_250), 0.5)))
    dependants = chance.choices(range(4), weights=(40, 30, 20, 10))[0]
    reason, _, factor, mean_months = _drawn(_REASONS, chance)
    recovers = math.ceil(chance.expovariate(1 / mean_months)) if mean_months else 0
    expects = max(1, round(recovers * chance.lognormvariate(0, 0.35))) if recovers else 0
    burden = max(0.0, chance.gauss(0.12, 0.10)) if reason == "over-borrowed" else 0.0
    essential = max(1_000.0, 700 + 0.25 * income + 500 * dependants + chance.gauss(0, 300))
    assets = essential * chance.lognormvariate(math.log(0.8), 1.0)
    manner = chance.choices(tuple(_TELLING), weights=[telling.share for telling in _TELLING.values()])[0]
    firmness, down_share = chance.uniform(0.7, 1), chance.uniform(0.3, 0.8)
    return Debtor(
        number=number,
        days_past_due=days,
        principal_fen=_fen(principal),
        owed_fen=_fen(owed),
        normal_income_fen=_fen(income),
        income_now_fen=_fen(income * factor),
        recovers_in_months=recovers,
        expects_recovery_in_months=expects,
        essential_fen=_fen(essential),
        dependants=dependants,
        other_debts_fen=_fen(burden * income),
        assets_fen=_fen(assets),
        manner=manner,
        firmness=firmness,
        down_share=down_share,
        future=_future(essential, Random(chance.getrandbits(64))),
    )


def _future(essential: float, chance: Random) -> Future:
    factors = tuple(max(0.0, 1 + chance.gauss(0, 0.08)) for _ in range(_MOST_MONTHS))
    shocks, day = [], 0
    while True:
        day += 1 + int(math.log(1 - chance.random()) / math.log(1 - 1 / 400))
        if day >= _MOST_MONTHS * MONTH_DAYS:
            return Future(factors, tuple(shocks))
        shocks.append((day, _fen(chance.expovariate(1 / (0.8 * essential)))))


def _drawn(table: tuple[tuple, ...], chance: Random) -> tuple:  # type: ignore[type-arg]
    shares = [row[0] if isinstance(row[0], float) else row[1] for row in table]
    return chance.choices(table, weights=shares)[0]


def _fen(yuan: float) -> int:
    return round(yuan * 100)


# What becomes of a plan ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deal:
    """What was agreed, in fen: a down payment on ``first_day`` and instalments on that day of the months after it.

    Income arrives on every thirtieth day, so ``first_day`` is also how long after it an instalment falls due.
    """

    total_fen: int
    down_payment_fen: int
    first_day: int
    deferral_months: int
    instalments_fen: tuple[int, ...]

    @property
    def instalment_fen(self) -> int:
        """The largest instalment."""
        return max(self.instalments_fen)

    def payments(self) -> list[tuple[int, int]]:
        """Days from now and amounts."""
        down = [(self.first_day, self.down_payment_fen)] if self.down_payment_fen else []
        first = self.first_day + MONTH_DAYS * (self.deferral_months + 1)
        return down + [(first + MONTH_DAYS * k, fen) for k, fen in enumerate(self.instalments_fen)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A debtor's months, with a plan or without. ``tier_days`` counts days within the horizon by tier, hardest first.

    Tiers are savings in months of essential spending: below a half, below 1, 3, 6, and above. ``missed`` counts
    payments that were due while the plan ran and could not be made; they are not made up for.
    """

    tier_days: tuple[int, int, int, int, int]
    received: tuple[tuple[int, int], ...]
    missed: int
    is_broken: bool

    def cash_fen(self, until_day: int = HORIZON_DAYS) -> int:
        """Received up to a day."""
        return sum(fen for day, fen in self.received if day <= until_day)

    def days_to(self, target_fen: float) -> int:
        """The day on which so much has been received; the horizon if never."""
        reached = 0
        for day, fen in self.received:
            reached += fen
            if reached >= target_fen:
                return min(day, HORIZON_DAYS)
        return HORIZON_DAYS

    @property
    def tier_variance(self) -> float:
        """Variance of the tier (1 to 5) over the days of the horizon."""
        days = sum(self.tier_days)
        mean = sum(tier * count for tier, count in enumerate(self.tier_days, start=1)) / days
        return sum((tier - mean) ** 2 * count for tier, count in enumerate(self.tier_days, start=1)) / days


def lived(debtor: Debtor, deal: Deal | None) -> Outcome:
    """Live through the months: income every 30 days, spending daily, sudden expenses, and the plan as far as it goes.

    An instalment is paid if the savings of the day reach; two misses in a row break the plan.
    """
    payments = deal.payments() if deal else []
    end = max(HORIZON_DAYS, payments[-1][0] if payments else 0)
    daily_fen = debtor.essential_fen // MONTH_DAYS
    marks = [debtor.essential_fen * half // 2 for half in (1, 2, 6, 12)]
    events = [(day, 0, 0) for day in range(MONTH_DAYS, end + 1, MONTH_DAYS)]
    events += [(day, 1, fen) for day, fen in debtor.future.shocks if day <= end]
    events += [(day, 2, fen) for day, fen in payments]
    events.append((end, 3, 0))
    events.sort()
    assets_fen, today, tiers = debtor.assets_fen, 0, [0, 0, 0, 0, 0]
    received: list[tuple[int, int]] = []
    missed, in_a_row, broken = 0, 0, False
    for day, sort, fen in events:
        assets_fen = _spend(assets_fen, daily_fen, min(day, HORIZON_DAYS) - today, marks, tiers, day - today)
        today = day
        if sort == 0:
            assets_fen = max(0, assets_fen + _income(debtor, day // MONTH_DAYS - 1) - debtor.other_debts_fen)
        elif sort == 1:
            assets_fen = max(0, assets_fen - fen)
        elif sort == 2 and not broken:
            if assets_fen >= fen:
                assets_fen -= fen
                received.append((day, fen))
                in_a_row = 0
            else:
                missed += 1
                in_a_row += 1
                broken = in_a_row >= 2
    return Outcome((tiers[0], tiers[1], tiers[2], tiers[3], tiers[4]), tuple(received), missed, broken)


def _income(debtor: Debtor, month: int) -> int:
    income_fen = debtor.normal_income_fen if month >= debtor.recovers_in_months else debtor.income_now_fen
    return round(income_fen * debtor.future.income_factors[month])


def _spend(assets_fen: int, daily_fen: int, counted: int, marks: list[int], tiers: list[int], days: int) -> int:
    """Spend for ``days`` days; the first ``counted`` of them are sorted into tiers. Returns what is left."""
    if counted > 0:
        below_before = 0
        for tier, mark in enumerate(marks):
            # On day j (from 1) savings are assets less j days' spending, never below nothing.
            first = 1 if assets_fen - daily_fen < mark else (assets_fen - mark) // daily_fen + 1
            below = max(0, counted - first + 1)
            tiers[tier] += below - below_before
            below_before = below
        tiers[4] += counted - below_before
    return max(0, assets_fen - daily_fen * days)
