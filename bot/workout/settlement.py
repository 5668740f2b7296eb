"""Closing a debt for less than is owed, in one payment or few, where the policy has a settlement section."""

from dataclasses import dataclass
from datetime import date, timedelta

from bot.lending.balances import Component
from bot.lending.money import split_evenly
from bot.lending.schedule import ScheduledInstalment, add_months, scheduled
from bot.workout.building import Draft, built
from bot.workout.offer import Offer, OfferKind, OfferReason
from bot.workout.request import DebtPosition, OfferRequest
from bot.workout.waivers import WaiverLevel, levels


@dataclass(frozen=True, slots=True)
class Settlement:
    """One way to settle: what is forgiven, and the payments in fen, the first from money in hand.

    A single payment falls due on ``first_on``; of several the first is the down payment and the others follow monthly.
    """

    request: OfferRequest
    round: int
    level: WaiverLevel
    payments_fen: tuple[int, ...]
    first_on: date

    @property
    def at_once_fen(self) -> int:
        """What comes out of money in hand."""
        return self.payments_fen[0]

    @property
    def burden_fen(self) -> int:
        """The most that has to come out of a month's surplus; 0 for a single payment."""
        return max(self.payments_fen[1:], default=0)

    @property
    def months_to_freedom(self) -> int:
        """Months until the last payment, a single one counting as one."""
        return max(1, len(self.payments_fen) - 1)

    def offer(self, reason: OfferReason) -> Offer:
        """The settlement as an offer."""
        alone = len(self.payments_fen) == 1
        draft = Draft(
            kind=OfferKind.SETTLEMENT,
            level=self.level,
            schedule=self._schedule(),
            reason=reason,
            round=self.round,
            down_payment_fen=0 if alone else self.payments_fen[0],
        )
        return built(self.request, draft)

    def _schedule(self) -> tuple[ScheduledInstalment, ...]:
        if len(self.payments_fen) == 1:
            return scheduled(self.payments_fen, (self.first_on,))
        following = self.payments_fen[1:]
        dates = tuple(add_months(self.first_on, ahead, self.request.pay_day) for ahead in range(1, 1 + len(following)))
        return scheduled(following, dates)


def settlements(request: OfferRequest, step: int) -> tuple[Settlement, ...]:
    """Every settlement that money in hand and the surplus can carry in the ``step``-th set of offers.

    Payments are equal; the first comes from money in hand, any others are at most the capacity of a month.
    """
    terms = request.policy.settlement
    if terms is None or not may_settle(request):
        return ()
    last_on = last_payment_on(request)
    found = []
    for level in settlement_levels(request, step):
        for count in range(1, terms.max_payments + 1):
            if level.total_fen < count:
                continue
            # The remainder of the division goes to the first payment: it is made from money that is there.
            payments = tuple(reversed(split_evenly(level.total_fen, count)))
            option = Settlement(request, step, level, payments, last_on if count == 1 else request.as_of)
            if option.at_once_fen <= request.available_now_fen and option.burden_fen <= request.capacity_fen:
                found.append(option)
    return tuple(found)


def may_settle(request: OfferRequest) -> bool:
    """Whether these debts may be settled at all, by policy and by what the caller can agree."""
    terms = request.policy.settlement
    return (
        terms is not None
        and OfferKind.SETTLEMENT in request.kinds
        and all(
            debt.bucket in terms.buckets and debt.days_past_due >= terms.minimum_days_past_due for debt in request.owed
        )
    )


def settlement_levels(request: OfferRequest, step: int) -> tuple[WaiverLevel, ...]:
    """What a settlement may forgive in the ``step``-th set of offers, by who has to grant it."""

    def ceiling(debt: DebtPosition, component: Component) -> int:
        if component not in request.waivable:
            return 0
        return request.policy.settleable_fen(component, debt.balances, step)

    return levels(request, ceiling)


def last_payment_on(request: OfferRequest) -> date:
    """The last day for the first payment of a settlement. Raises ``ValueError`` where the policy has none."""
    if request.policy.settlement is None:
        raise ValueError("the policy has no settlement")
    return request.as_of + timedelta(days=request.policy.settlement.days_to_pay)
