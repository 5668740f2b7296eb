"""The facts an offer is computed from, and the room that policy and affordability leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.lending.balances import Balances
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket, bucket_of
from bot.lending.limitation import LimitationStatus
from bot.lending.money import floor_to_fen, round_to_fen, split_evenly
from bot.lending.schedule import add_months, level_amounts, monthly_due_dates, scheduled
from bot.workout.affordability import Affordability
from bot.workout.offer import DebtShare, NoOffer, NoOfferReason, Offer, OfferReason, offer_id_of
from bot.workout.policy import ReliefPolicy


@dataclass(frozen=True, slots=True)
class DebtPosition:
    """One debt as it stands on the request's ``as_of``.

    ``limitation`` defaults to UNKNOWN, which yields no offer: whoever asks must have looked (rule N8).
    Raises ``ValueError`` for negative days past due.
    """

    debt_id: str
    product_kind: ProductKind
    balances: Balances
    days_past_due: int
    limitation: LimitationStatus = LimitationStatus.UNKNOWN

    def __post_init__(self) -> None:
        if self.days_past_due < 0:
            raise ValueError(f"days past due cannot be negative: {self.days_past_due}")

    @property
    def bucket(self) -> DelinquencyBucket:
        """The delinquency bucket."""
        return bucket_of(self.days_past_due)


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """Everything an offer depends on; equal requests give equal offers.

    The debts belong to one creditor and one borrower. ``pay_day`` is the day of the month that income arrives.
    ``history`` holds the offers already shown in this negotiation. ``on_hold`` is true while any hold (dispute,
    complaint, distress, …) is open. ``available_now_fen`` is money in hand that may go into a down payment.
    Raises ``ValueError`` for a pay day outside 1 to 31, a debt named twice or a negative amount.
    """

    debts: tuple[DebtPosition, ...]
    affordability: Affordability
    policy: ReliefPolicy
    as_of: date
    pay_day: int | None = None
    history: tuple[Offer, ...] = ()
    on_hold: bool = False
    available_now_fen: int = 0

    def __post_init__(self) -> None:
        if self.pay_day is not None and not 1 <= self.pay_day <= 31:
            raise ValueError(f"no month has a day {self.pay_day}")
        if self.available_now_fen < 0:
            raise ValueError("money in hand cannot be negative")
        if len({debt.debt_id for debt in self.debts}) != len(self.debts):
            raise ValueError("a debt is named twice")

    @property
    def capacity_fen(self) -> int:
        """The most one instalment may be: the policy's share of the surplus, rounded down; never below 0."""
        return max(0, floor_to_fen(self.affordability.surplus_fen * self.policy.surplus_share_max))


class Objection(StrEnum):
    """Why a plan is not allowed as asked."""

    ABOVE_AFFORDABILITY = "above_affordability"
    BELOW_MINIMUM_INSTALMENT = "below_minimum_instalment"
    TOO_MANY_MONTHS = "too_many_months"
    TOO_FEW_MONTHS = "too_few_months"
    FIRST_DATE_TOO_EARLY = "first_date_too_early"
    FIRST_DATE_TOO_LATE = "first_date_too_late"
    FIGURES_DISAGREE = "figures_disagree"
    NO_FIGURE = "no_figure"


@dataclass(frozen=True, slots=True)
class PlanBounds:
    """The room for a plan: what is to be paid, and the limits every schedule must respect. Amounts in fen."""

    request: OfferRequest
    round: int
    shares: tuple[DebtShare, ...]
    down_payment_fen: int

    @property
    def capacity_fen(self) -> int:
        """The most one instalment may be."""
        return self.request.capacity_fen

    @property
    def total_fen(self) -> int:
        """What is paid in all."""
        return sum(share.total_fen for share in self.shares)

    @property
    def spread_fen(self) -> int:
        """What is paid in instalments."""
        return self.total_fen - self.down_payment_fen

    def objection(self, amounts_fen: Sequence[int]) -> Objection | None:
        """Why these instalments are not allowed; None if they are. The last one may be below the minimum."""
        policy = self.request.policy
        if max(amounts_fen) > self.capacity_fen:
            return Objection.ABOVE_AFFORDABILITY
        if any(amount < policy.minimum_instalment_fen for amount in amounts_fen[:-1]):
            return Objection.BELOW_MINIMUM_INSTALMENT
        if len(amounts_fen) > policy.max_months:
            return Objection.TOO_MANY_MONTHS
        if len(amounts_fen) < policy.min_months:
            return Objection.TOO_FEW_MONTHS
        return None

    def equal_amounts(self, months: int) -> tuple[int, ...] | None:
        """Equal instalments over ``months``, or None where they are not allowed."""
        if not 1 <= months <= min(self.request.policy.max_months, self.spread_fen):
            return None
        amounts = split_evenly(self.spread_fen, months)
        return amounts if self.objection(amounts) is None else None

    def level_plan(self, instalment_fen: int) -> tuple[int, ...] | None:
        """Instalments of exactly this amount and a smaller last one, or None where they are not allowed."""
        reach_fen = instalment_fen * self.request.policy.max_months
        if instalment_fen < 1 or self.spread_fen < 1 or reach_fen < self.spread_fen:
            return None
        amounts = level_amounts(self.spread_fen, instalment_fen)
        return amounts if self.objection(amounts) is None else None

    def equal_months(self) -> tuple[int, ...]:
        """All numbers of months over which equal instalments are allowed, rising."""
        policy = self.request.policy
        return tuple(m for m in range(policy.min_months, policy.max_months + 1) if self.equal_amounts(m) is not None)

    def last_first_due_on(self) -> date:
        """The latest day on which the first instalment may fall due."""
        return self.request.as_of + timedelta(days=self.request.policy.first_due_within_days)

    def usual_first_due_on(self) -> date:
        """The first pay day after a new offer would expire; without a pay day, a month from now or right after expiry.

        Always within the policy's window: it is wide enough for any pay day.
        """
        as_of, pay_day = self.request.as_of, self.request.pay_day
        earliest = as_of + timedelta(days=self.request.policy.offer_valid_days + 1)
        if pay_day is None:
            return max(earliest, add_months(as_of, 1))
        this_month = add_months(earliest, 0, pay_day)
        return this_month if this_month >= earliest else add_months(earliest, 1, pay_day)

    def offer(
        self, amounts_fen: Sequence[int], reason: OfferReason, rank: int = 1, first_on: date | None = None
    ) -> Offer:
        """Make an offer of allowed instalments. ``first_on`` replaces the usual first due date.

        Raises ``ValueError`` if the instalments or the date are outside the bounds or do not add up.
        """
        request, policy = self.request, self.request.policy
        first_due_on = first_on or self.usual_first_due_on()
        if self.objection(amounts_fen) is not None or sum(amounts_fen) != self.spread_fen:
            raise ValueError(f"instalments outside the bounds: {self.objection(amounts_fen)}")
        if not request.as_of < first_due_on <= self.last_first_due_on():
            raise ValueError(f"first instalment outside the bounds: {first_due_on}")
        day_of_month = first_due_on.day if first_on is not None or request.pay_day is None else request.pay_day
        schedule = scheduled(amounts_fen, monthly_due_dates(first_due_on, len(amounts_fen), day_of_month))
        valid_until = request.as_of + timedelta(days=policy.offer_valid_days)
        expires_on = min(valid_until, first_due_on - timedelta(days=1))
        return Offer(
            offer_id=offer_id_of(
                (policy.code, policy.version),
                (request.as_of, expires_on),
                self.shares,
                self.down_payment_fen,
                schedule,
            ),
            policy_code=policy.code,
            policy_version=policy.version,
            as_of=request.as_of,
            expires_on=expires_on,
            months=len(schedule),
            waived_penalty_fen=sum(share.waived_penalty_fen for share in self.shares),
            waived_fee_fen=sum(share.waived_fee_fen for share in self.shares),
            total_fen=self.total_fen,
            down_payment_fen=self.down_payment_fen,
            schedule=schedule,
            conditional_on_completion=policy.conditional_on_completion,
            interest_during_plan=policy.interest_during_plan,
            shares=self.shares,
            reason_code=reason,
            rank=rank,
            round=self.round,
        )


def plan_bounds(request: OfferRequest) -> PlanBounds | NoOffer:
    """The room for a plan, or why there is none. Where bounds are returned, at least one plan fits them."""
    policy = request.policy
    if (refusal := _refusal(request)) is not None:
        return NoOffer(refusal)
    round_number = 1 + max((offer.round for offer in request.history), default=0)
    shares = tuple(
        DebtShare(
            debt_id=debt.debt_id,
            owed_fen=debt.balances.total_fen,
            waived_penalty_fen=policy.waivable_penalty_fen(debt.balances.penalty_fen, debt.bucket, round_number),
            waived_fee_fen=policy.waivable_fee_fen(debt.balances.fee_fen, debt.bucket, round_number),
        )
        for debt in _owed(request)
    )
    total_fen = sum(share.total_fen for share in shares)
    down_payment_fen = round_to_fen(total_fen * policy.down_payment_percent / 100)
    capacity_fen = request.capacity_fen
    if total_fen == 0:
        # Nothing is left to spread once the waivers apply: closing such a debt is a person's decision.
        return NoOffer(NoOfferReason.POLICY_NOT_APPLICABLE)
    if down_payment_fen > request.available_now_fen:
        return NoOffer(NoOfferReason.DOWN_PAYMENT_NOT_AFFORDABLE)
    bounds = PlanBounds(request, round_number, shares, down_payment_fen)
    if bounds.equal_months() or bounds.level_plan(capacity_fen):
        return bounds
    if capacity_fen >= policy.minimum_instalment_fen and capacity_fen * policy.max_months < bounds.spread_fen:
        return NoOffer(NoOfferReason.LONGEST_PLAN_TOO_HIGH)
    return NoOffer(NoOfferReason.BELOW_MINIMUM_INSTALMENT)


def _owed(request: OfferRequest) -> list[DebtPosition]:
    """The debts with something owed, in an order that does not depend on how they were listed."""
    return sorted((debt for debt in request.debts if debt.balances.total_fen), key=lambda debt: debt.debt_id)


def _refusal(request: OfferRequest) -> NoOfferReason | None:
    policy, owed = request.policy, _owed(request)
    if request.on_hold:
        return NoOfferReason.HOLD
    if not owed:
        return NoOfferReason.NOTHING_OWED
    if any(debt.limitation is not LimitationStatus.RUNNING for debt in owed):
        return NoOfferReason.TIME_BARRED_OR_UNKNOWN
    if policy.approved_on > request.as_of or any(debt.product_kind is not policy.product_kind for debt in owed):
        return NoOfferReason.POLICY_NOT_APPLICABLE
    if any(debt.bucket not in policy.eligible_buckets for debt in owed):
        return NoOfferReason.BUCKET_NOT_ELIGIBLE
    if sum(debt.balances.total_fen for debt in owed) > policy.bot_authority_fen:
        return NoOfferReason.ABOVE_AUTHORITY
    if request.capacity_fen < 1:
        return NoOfferReason.NO_SURPLUS
    return None
