"""A plan that could not be kept: whether another may follow, and what that one starts from.

How a plan stands is judged in ``bot.workout.servicing`` alone.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bot.workout.policy import ReliefPolicy
from bot.workout.request import OfferRequest


class ReplanRefusal(StrEnum):
    """Why no new plan is computed; a person goes on from here."""

    PLAN_COMPLETED = "plan_completed"
    NO_REPLANS_LEFT = "no_replans_left"


@dataclass(frozen=True, slots=True)
class InstalmentRecord:
    """One instalment of a plan and what has been paid on it, in fen."""

    due_on: date
    amount_fen: int
    paid_fen: int = 0

    @property
    def is_paid(self) -> bool:
        """Whether nothing is left of it."""
        return self.paid_fen >= self.amount_fen


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan as it was lived: its instalments, and how many plans it has replaced, one after the other."""

    instalments: tuple[InstalmentRecord, ...]
    replans_before: int = 0


def replans_left(plan: PlanRecord, policy: ReliefPolicy) -> int:
    """How many more plans the policy allows."""
    return max(0, policy.max_replans - plan.replans_before)


def replan(plan: PlanRecord, facts: OfferRequest) -> OfferRequest | ReplanRefusal:
    """The request for a new plan on today's ``facts``, or why a person has to decide.

    A plan need not be broken first: whoever says in time that the next instalment will not do is heard as well. The new
    negotiation starts afresh: offers of the old one promise nothing for debts and means that have changed.
    """
    if all(part.is_paid for part in plan.instalments):
        return ReplanRefusal.PLAN_COMPLETED
    if not replans_left(plan, facts.policy):
        return ReplanRefusal.NO_REPLANS_LEFT
    return replace(facts, history=())
