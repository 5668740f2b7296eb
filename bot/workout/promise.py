"""A promise to pay a small sum soon: whether the bot may note it, and what became of it.

A promise can restart a limitation period (rule N7): whoever notes one has warned of that before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.workout.policy_sections import PromiseTerms


class PromiseState(StrEnum):
    """What became of a promise; open until its day and the days of grace are over, unless kept before."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"


class PromiseRefusal(StrEnum):
    """Why a promise is not noted as it is; each asks for another figure or a person, none scolds."""

    NOT_OFFERED = "not_offered"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    MORE_THAN_OWED = "more_than_owed"
    DAY_PASSED = "day_passed"
    DAY_TOO_FAR = "day_too_far"


@dataclass(frozen=True, slots=True)
class PromiseToPay:
    """So many fen until the end of ``due_on`` in Asia/Shanghai; ``grace_days`` after it count as kept."""

    amount_fen: int
    made_on: date
    due_on: date
    grace_days: int = 0

    @property
    def last_on(self) -> date:
        """The last day on which a payment still keeps the promise."""
        return self.due_on + timedelta(days=self.grace_days)


@dataclass(frozen=True, slots=True)
class PaymentMade:
    """A payment as it counts: the day it takes effect, whenever it was booked. Fen, positive."""

    effective_on: date
    amount_fen: int

    def __post_init__(self) -> None:
        if self.amount_fen <= 0:
            raise ValueError(f"a payment is positive: {self.amount_fen}")


def promised(
    amount_fen: int, due_on: date, today: date, owed_fen: int, terms: PromiseTerms | None
) -> PromiseToPay | PromiseRefusal:
    """Note a promise of ``amount_fen`` by ``due_on``, or say why not; ``terms`` None means the policy has none."""
    if terms is None:
        return PromiseRefusal.NOT_OFFERED
    if due_on < today:
        return PromiseRefusal.DAY_PASSED
    if due_on > today + timedelta(days=terms.max_days):
        return PromiseRefusal.DAY_TOO_FAR
    if amount_fen > owed_fen:
        return PromiseRefusal.MORE_THAN_OWED
    # What closes the debt is welcome however small it is.
    if amount_fen < min(terms.minimum_fen, max(1, owed_fen)):
        return PromiseRefusal.TOO_SMALL
    if amount_fen > terms.largest_fen:
        return PromiseRefusal.TOO_LARGE
    return PromiseToPay(amount_fen, today, due_on, terms.grace_days)


def paid_towards(promise: PromiseToPay, payments: Iterable[PaymentMade]) -> int:
    """What has been paid in fen from the day of the promise to its last day, by effective date."""
    return sum(p.amount_fen for p in payments if promise.made_on <= p.effective_on <= promise.last_on)


def judged(promise: PromiseToPay, payments: Iterable[PaymentMade], today: date) -> PromiseState:
    """What became of a promise as seen on ``today``; payments that take effect later are not seen yet.

    A payment booked late but effective in time still keeps it: the state follows from the payments, never from what
    was thought before.
    """
    paid_fen = paid_towards(promise, (payment for payment in payments if payment.effective_on <= today))
    if paid_fen >= promise.amount_fen:
        return PromiseState.KEPT
    if today <= promise.last_on:
        return PromiseState.OPEN
    return PromiseState.PARTLY_KEPT if paid_fen else PromiseState.BROKEN
