"""The facts an offer is computed from. Equal facts give equal offers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.delinquency import DelinquencyBucket, bucket_of
from bot.lending.limitation import LimitationStatus
from bot.lending.money import floor_to_fen
from bot.workout.affordability import Affordability
from bot.workout.offer import Offer, OfferKind
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import DeferralTerms, HardshipKind

PLAIN_KINDS = frozenset({OfferKind.INSTALMENT, OfferKind.RELIEF})
"""What every caller can put into an agreement."""

MOST_SHOWN = 3
"""More than three plans at once are a table, not a choice."""

PLAIN_WAIVERS = frozenset({Component.PENALTY, Component.FEE})
"""The components whose waiver every caller can put into an agreement."""


@dataclass(frozen=True, slots=True)
class RunningContract:
    """What a debt bears interest by, and its oldest unpaid due date."""

    terms: ContractTerms
    due_on: date


@dataclass(frozen=True, slots=True)
class DebtPosition:
    """One debt as it stands on the request's ``as_of``.

    ``limitation`` defaults to UNKNOWN, which yields no offer: whoever asks must have looked (rule N8).
    ``running_annual_rate`` is what the contract charges on principal now, ordinary and penalty interest together, as a
    fraction of a year of 365 days; it only serves to say what a plan saves, and is None where it is not known.
    ``contract`` is needed where the policy lets interest run during a plan.
    Raises ``ValueError`` for negative days past due or a negative rate.
    """

    debt_id: str
    product_kind: ProductKind
    balances: Balances
    days_past_due: int
    limitation: LimitationStatus = LimitationStatus.UNKNOWN
    running_annual_rate: Decimal | None = None
    contract: RunningContract | None = None

    def __post_init__(self) -> None:
        if self.days_past_due < 0:
            raise ValueError(f"days past due cannot be negative: {self.days_past_due}")
        if self.running_annual_rate is not None and self.running_annual_rate < 0:
            raise ValueError(f"a rate cannot be negative: {self.running_annual_rate}")

    @property
    def bucket(self) -> DelinquencyBucket:
        """The delinquency bucket."""
        return bucket_of(self.days_past_due)


@dataclass(frozen=True, slots=True)
class ExpectedRecovery:
    """The month's budget a borrower expects once ``after_months`` months have passed, e.g. back at work.

    A plan that begins then is measured by it; it is the borrower's own expectation, never the program's.
    Raises ``ValueError`` if ``after_months`` is below 1.
    """

    after_months: int
    affordability: Affordability

    def __post_init__(self) -> None:
        if self.after_months < 1:
            raise ValueError("a recovery lies ahead: at least one month")


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """Everything an offer depends on; equal requests give equal offers.

    The debts belong to one creditor and one borrower. ``pay_day`` is the day of the month that income arrives.
    ``history`` holds the offers already shown in this negotiation. ``on_hold`` is true while any hold (dispute,
    complaint, distress, …) is open. ``available_now_fen`` is money in hand that may go into a down payment or a
    settlement; ``savings_fen`` is everything put by, None where it was not asked. ``deferrals_used`` counts the
    deferrals this borrower has had on these debts.

    ``kinds`` and ``waivable`` say what the caller can put into an agreement; the policy decides what of it is allowed.
    With ``may_seek_approval`` offers beyond the bot's authority are made too, marked with the role that has to grant
    them; without it the bot stays within its own.

    ``most_shown`` is how many plans are put before the borrower at once: fewer where more would be too many for them.

    Raises ``ValueError`` for a pay day outside 1 to 31, a debt named twice, a negative amount, or a ``most_shown``
    outside 1 to ``MOST_SHOWN``.
    """

    debts: tuple[DebtPosition, ...]
    affordability: Affordability
    policy: ReliefPolicy
    as_of: date
    pay_day: int | None = None
    history: tuple[Offer, ...] = ()
    on_hold: bool = False
    available_now_fen: int = 0
    hardship: HardshipKind | None = None
    recovery: ExpectedRecovery | None = None
    savings_fen: int | None = None
    deferrals_used: int = 0
    kinds: frozenset[OfferKind] = PLAIN_KINDS
    waivable: frozenset[Component] = PLAIN_WAIVERS
    may_seek_approval: bool = False
    most_shown: int = MOST_SHOWN

    def __post_init__(self) -> None:
        if self.pay_day is not None and not 1 <= self.pay_day <= 31:
            raise ValueError(f"no month has a day {self.pay_day}")
        if self.available_now_fen < 0:
            raise ValueError("money in hand cannot be negative")
        if self.deferrals_used < 0 or (self.savings_fen or 0) < 0:
            raise ValueError("deferrals and savings cannot be negative")
        if len({debt.debt_id for debt in self.debts}) != len(self.debts):
            raise ValueError("a debt is named twice")
        if not 1 <= self.most_shown <= MOST_SHOWN:
            raise ValueError(f"{self.most_shown} plans cannot be shown at once")

    @property
    def owed(self) -> tuple[DebtPosition, ...]:
        """The debts with something owed, in an order that does not depend on how they were listed."""
        return tuple(sorted((d for d in self.debts if d.balances.total_fen), key=lambda debt: debt.debt_id))

    @property
    def owed_fen(self) -> int:
        """Everything owed."""
        return sum(debt.balances.total_fen for debt in self.debts)

    @property
    def capacity_fen(self) -> int:
        """The most one instalment may be now: see ``capacity_after``."""
        return self.capacity_after(0)

    def capacity_after(self, months: int) -> int:
        """The most one instalment may be in fen, ``months`` months from now; never below 0.

        The policy's share of the surplus, rounded down. The surplus counts the protected floor as spent, also where
        the borrower names less: nobody is asked to live on nothing (rule N5).
        """
        recovered = self.recovery is not None and months >= self.recovery.after_months
        budget = self.recovery.affordability if self.recovery is not None and recovered else self.affordability
        spare_fen = budget.protected_surplus_fen(self.policy.protected_floor_fen_per_person)
        return max(0, floor_to_fen(spare_fen * self.policy.surplus_share_max))

    @property
    def deferral_choices(self) -> tuple[int, ...]:
        """Deferrals in months that can help: until the reserve is there, and until the recovery and its reserve.

        Waiting longer, or waiting without a better budget at the end, only puts off the day the debt is paid.
        """
        terms = self.policy.deferral
        if terms is None or OfferKind.DEFERRAL not in self.kinds or self.deferrals_used >= terms.max_times:
            return (0,)
        soon = self._months_until_reserve(terms, 0)
        if self.recovery is None or self.recovery.after_months > terms.max_months:
            return (soon,)
        late = self._months_until_reserve(terms, self.recovery.after_months)
        return (soon, late) if late > soon and self.capacity_after(late) > self.capacity_after(soon) else (soon,)

    def _months_until_reserve(self, terms: DeferralTerms, since: int) -> int:
        """The first month from ``since`` on in which savings reach the policy's reserve, at most the longest deferral.

        Without known savings, or with no surplus to save from, there is nothing to wait for.
        """
        if self.savings_fen is None or not terms.reserve_percent:
            return since
        floor_fen = self.policy.protected_floor_fen_per_person
        saved_fen = self.savings_fen + since * self.affordability.protected_surplus_fen(floor_fen)
        for months in range(since, terms.max_months + 1):
            recovered = self.recovery is not None and months >= self.recovery.after_months
            budget = self.recovery.affordability if recovered and self.recovery is not None else self.affordability
            surplus_fen = budget.protected_surplus_fen(floor_fen)
            wanted_fen = floor_to_fen(budget.monthly_essential_fen * terms.reserve_percent / 100)
            if max(0, saved_fen) >= wanted_fen or surplus_fen <= 0:
                return months
            saved_fen = max(0, saved_fen) + surplus_fen
        return terms.max_months
