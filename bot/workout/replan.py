"""A plan that could not be kept: when it is broken, whether another may follow, and what that one starts from."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from bot.workout.policy import ReliefPolicy
from bot.workout.request import OfferRequest


class PlanHealth(StrEnum):
    """How a plan stands on a day."""

    ON_TRACK = "on_track"
    BEHIND = "behind"
    BROKEN = "broken"
    COMPLETED = "completed"


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
    """A plan as it was lived: its instalments, the days one may be late, and the plans replaced before it."""

    instalments: tuple[InstalmentRecord, ...]
    grace_days: int
    replans_before: int = 0

    def missed_in_a_row(self, today: date) -> int:
        """How many instalments up to the latest one due, counted back without a gap, are unpaid after their grace."""
        due = [part for part in self.instalments if part.due_on + timedelta(days=self.grace_days) < today]
        count = 0
        for part in sorted(due, key=lambda part: part.due_on, reverse=True):
            if part.is_paid:
                break
            count += 1
        return count


def health(plan: PlanRecord, policy: ReliefPolicy, today: date) -> PlanHealth:
    """How a plan stands on ``today``: broken once the policy's number of instalments in a row has been missed."""
    if all(part.is_paid for part in plan.instalments):
        return PlanHealth.COMPLETED
    missed = plan.missed_in_a_row(today)
    if missed >= policy.missed_in_a_row_breaks:
        return PlanHealth.BROKEN
    return PlanHealth.BEHIND if missed else PlanHealth.ON_TRACK


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
