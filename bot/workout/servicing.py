"""How payments settle an agreed schedule: oldest instalment first, and what has become of each.

Pure: the day is given. Amounts in fen, days in Asia/Shanghai. A payment counts from its effective day, whenever it was
booked, so that the same payments give the same plan in whatever order they arrive. Nothing here looks at a ledger:
which component of a debt a payment settles is the business of ``bot.lending.allocation``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise, takewhile

from bot.lending.schedule import ScheduledInstalment
from bot.workout.promise import PaymentMade

GRACE_DAYS = 10
"""Days after a due date within which catching up keeps an agreement as it is; every agreement's text names them."""


class PlanHealth(StrEnum):
    """How a plan stands: behind from the day after a due date with something open on, broken by a ``BreachRule``."""

    ON_TRACK = "on_track"
    BEHIND = "behind"
    BROKEN = "broken"
    COMPLETED = "completed"


class InstalmentState(StrEnum):
    """What has become of an instalment. The order is from the best to the worst: a payment never leads downwards."""

    PAID = "paid"
    PAID_LATE = "paid_late"
    PARTLY_PAID = "partly_paid"
    DUE = "due"
    LATE = "late"
    MISSED = "missed"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left of it."""
        return self in (InstalmentState.PAID, InstalmentState.PAID_LATE)

    @property
    def is_overdue(self) -> bool:
        """Whether its day has passed and something is left of it."""
        return self in (InstalmentState.LATE, InstalmentState.MISSED)


@dataclass(frozen=True, slots=True)
class BreachRule:
    """When a plan is broken: ``missed_in_a_row`` instalments are still open after their day and ``grace_days``.

    Raises ``ValueError`` for negative grace days, or if not even one instalment has to be missed.
    """

    grace_days: int = GRACE_DAYS
    missed_in_a_row: int = 2

    def __post_init__(self) -> None:
        if self.grace_days < 0 or self.missed_in_a_row < 1:
            raise ValueError(f"not a rule for broken plans: {self}")

    def last_day_for(self, due_on: date) -> date:
        """The last day on which an instalment due on ``due_on`` can still be made up."""
        return due_on + timedelta(days=self.grace_days)


@dataclass(frozen=True, slots=True)
class ServicedInstalment:
    """One instalment as it stands. ``settled_on`` is the effective day of the payment that left nothing of it."""

    number: int
    due_on: date
    amount_fen: int
    paid_fen: int
    settled_on: date | None
    state: InstalmentState

    @property
    def open_fen(self) -> int:
        """What is left of it."""
        return self.amount_fen - self.paid_fen


@dataclass(frozen=True, slots=True)
class ServicedPlan:
    """A plan on a day. What is paid and what is open add up to the schedule; ``credit_fen`` was paid beyond it."""

    as_of: date
    instalments: tuple[ServicedInstalment, ...]
    health: PlanHealth
    credit_fen: int

    @property
    def paid_fen(self) -> int:
        """What the instalments have received."""
        return sum(part.paid_fen for part in self.instalments)

    @property
    def open_fen(self) -> int:
        """What the instalments still ask."""
        return sum(part.open_fen for part in self.instalments)

    @property
    def completed_on(self) -> date | None:
        """The effective day of the payment that settled the last instalment; None while anything is open."""
        days = [part.settled_on for part in self.instalments]
        return max((day for day in days if day is not None), default=None) if None not in days else None


def serviced(
    schedule: Sequence[ScheduledInstalment], payments: Iterable[PaymentMade], as_of: date, rule: BreachRule
) -> ServicedPlan:
    """Settle a schedule, oldest instalment first, with the payments that take effect up to ``as_of``.

    Raises ``ValueError`` for an empty schedule or one whose due dates fall.
    """
    if not schedule:
        raise ValueError("a plan has at least one instalment")
    if any(later.due_on < earlier.due_on for earlier, later in pairwise(schedule)):
        raise ValueError("due dates must not fall")
    counted = sorted((paid.effective_on, paid.amount_fen) for paid in payments if paid.effective_on <= as_of)
    days = [day for day, _ in counted]
    received = list(accumulate(amount_fen for _, amount_fen in counted))
    total_fen = received[-1] if received else 0
    parts: list[ServicedInstalment] = []
    before_fen = 0
    for instalment in schedule:
        until_fen = before_fen + instalment.amount_fen
        settled_on = next((day for day, sum_fen in zip(days, received, strict=True) if sum_fen >= until_fen), None)
        paid_fen = min(max(total_fen - before_fen, 0), instalment.amount_fen)
        parts.append(
            ServicedInstalment(
                number=instalment.number,
                due_on=instalment.due_on,
                amount_fen=instalment.amount_fen,
                paid_fen=paid_fen,
                settled_on=settled_on,
                state=_state(instalment.due_on, paid_fen, settled_on, as_of, rule),
            )
        )
        before_fen = until_fen
    return ServicedPlan(as_of, tuple(parts), _health(parts, rule), max(total_fen - before_fen, 0))


def missed_in_a_row(instalments: Sequence[ServicedInstalment]) -> int:
    """The most instalments missed one after the other, counting back from the latest one whose grace is over.

    Payments settle the oldest first, so nothing that is settled follows anything that is missed.
    """
    lapsed = [part for part in instalments if part.state.is_settled or part.state is InstalmentState.MISSED]
    return len(list(takewhile(lambda part: part.state is InstalmentState.MISSED, reversed(lapsed))))


def would_break(plan: ServicedPlan, rule: BreachRule) -> bool:
    """Whether the plan is broken once the grace of the instalments that are late today has passed as well."""
    overdue = sum(part.state.is_overdue for part in plan.instalments)
    return overdue >= rule.missed_in_a_row


def _state(due_on: date, paid_fen: int, settled_on: date | None, as_of: date, rule: BreachRule) -> InstalmentState:
    if settled_on is not None:
        return InstalmentState.PAID if settled_on <= due_on else InstalmentState.PAID_LATE
    if as_of > rule.last_day_for(due_on):
        return InstalmentState.MISSED
    if as_of > due_on:
        return InstalmentState.LATE
    return InstalmentState.PARTLY_PAID if paid_fen else InstalmentState.DUE


def _health(parts: Sequence[ServicedInstalment], rule: BreachRule) -> PlanHealth:
    if all(part.state.is_settled for part in parts):
        return PlanHealth.COMPLETED
    if missed_in_a_row(parts) >= rule.missed_in_a_row:
        return PlanHealth.BROKEN
    if any(part.state.is_overdue for part in parts):
        return PlanHealth.BEHIND
    return PlanHealth.ON_TRACK
