"""The room that policy and affordability leave for a plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from bot.lending.limitation import LimitationStatus
from bot.lending.money import round_to_fen, split_evenly
from bot.lending.repayment import RepaymentCourse
from bot.lending.schedule import add_months, level_amounts, monthly_due_dates, scheduled
from bot.workout.building import Draft, built, last_first_due_on
from bot.workout.offer import DebtShare, NoOffer, NoOfferReason, Offer, OfferKind, OfferReason
from bot.workout.policy_sections import ApprovalRole
from bot.workout.request import DebtPosition, ExpectedRecovery, OfferRequest, RunningContract
from bot.workout.running import course_of
from bot.workout.waivers import WaiverLevel, plan_levels

__all__ = [
    "DebtPosition",
    "ExpectedRecovery",
    "Objection",
    "OfferRequest",
    "PlanBounds",
    "RunningContract",
    "next_round",
    "refusal",
    "rooms",
    "round_of",
]


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
    LUMP_TOO_SMALL = "lump_too_small"
    WAIVER_ABOVE_CEILING = "waiver_above_ceiling"
    SETTLEMENT_NOT_OFFERED = "settlement_not_offered"
    DISCOUNT_ABOVE_CEILING = "discount_above_ceiling"


class Burden(NamedTuple):
    """A number of equal instalments, with the largest of them and what is paid in all, in fen."""

    months: int
    largest_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class PlanBounds:
    """The room for a plan: what is to be paid, and the limits every schedule must respect. Amounts in fen.

    ``round`` is the set of offers it belongs to; the first instalment waits for ``deferral_months`` months.
    ``first_on`` replaces its usual date. Where the policy lets interest run, every schedule contains it.
    """

    request: OfferRequest
    round: int
    level: WaiverLevel
    down_payment_fen: int
    deferral_months: int = 0
    first_on: date | None = None

    @property
    def shares(self) -> tuple[DebtShare, ...]:
        """The debts' parts."""
        return self.level.shares

    @property
    def needs_approval(self) -> ApprovalRole | None:
        """Who has to grant a plan in this room."""
        return self.level.needs_approval

    @property
    def kind(self) -> OfferKind:
        """What a plan in this room is called."""
        if self.deferral_months:
            return OfferKind.DEFERRAL
        return OfferKind.RELIEF if self.level.waived_fen else OfferKind.INSTALMENT

    @property
    def capacity_fen(self) -> int:
        """The most one instalment may be, once the deferral is over."""
        return self.request.capacity_after(self.deferral_months)

    @property
    def total_fen(self) -> int:
        """What is paid in all, but for interest that runs."""
        return self.level.total_fen

    @property
    def spread_fen(self) -> int:
        """What is paid in instalments, but for interest that runs."""
        return self.total_fen - self.down_payment_fen

    @property
    def course(self) -> RepaymentCourse | None:
        """How the one debt can be paid off with its interest; None where the plan stops it."""
        if not self.request.policy.interest_during_plan or self.spread_fen < 1:
            return None
        return course_of(self.request, self.level, self.down_payment_fen, self.first_due_on(), self._day_of_month)

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

    def evenly(self, months: int) -> tuple[int, ...] | None:
        """Equal instalments, allowed or not; None where there is nothing to make so many of.

        With interest they may be equal parts of the debt instead, as the policy says.
        """
        if not 1 <= months <= min(self.request.policy.max_months, self.spread_fen):
            return None
        if (course := self.course) is None:
            return split_evenly(self.spread_fen, months)
        if self.request.policy.equal_principal:
            return course.equal_principal_amounts(months)
        return course.equal_amounts(months)

    def equal_amounts(self, months: int) -> tuple[int, ...] | None:
        """Equal instalments over ``months``, or None where they are not allowed."""
        amounts = self.evenly(months)
        return amounts if amounts and self.objection(amounts) is None else None

    @property
    def whole_fen(self) -> int:
        """What a single instalment would be."""
        single = self.evenly(1)
        return single[0] if single else self.spread_fen

    @property
    def longest(self) -> int:
        """The number of months that neither the policy nor the minimum instalment lets an equal plan exceed."""
        policy, spread_fen = self.request.policy, self.spread_fen
        return min(policy.max_months, spread_fen // max(1, policy.minimum_instalment_fen) or 1)

    def equal_burdens(self) -> tuple[Burden, ...]:
        """All numbers of months over which equal instalments are allowed, rising, with what each asks.

        The largest instalment is the last one, which takes the remainder of the division, unless interest runs.
        """
        return tuple(self._running() if self.request.policy.interest_during_plan else self._fitting())

    def _running(self) -> Iterator[Burden]:
        policy, course, capacity_fen = self.request.policy, self.course, self.capacity_fen
        if course is None or (quickest := self.paid_at(capacity_fen)) is None:
            return
        slowest = self.paid_at(policy.minimum_instalment_fen)
        longest = min(policy.max_months, self.spread_fen, len(slowest) if slowest else policy.max_months)
        for months in range(max(policy.min_months, len(quickest)), longest + 1):
            if policy.equal_principal:
                if amounts := self.equal_amounts(months):
                    yield Burden(months, max(amounts), sum(amounts) + self.down_payment_fen)
                continue
            plan = course.equal(months)
            enough = plan is not None and (months == 1 or plan.amount_fen >= policy.minimum_instalment_fen)
            if plan is not None and enough and plan.amount_fen <= capacity_fen:
                yield Burden(months, plan.amount_fen, plan.total_fen + self.down_payment_fen)

    def _fitting(self) -> Iterator[Burden]:
        spread_fen, total_fen, capacity_fen = self.spread_fen, self.total_fen, self.capacity_fen
        if spread_fen < 1 or capacity_fen < 1:
            return
        # No division leaves an instalment below an even part of the whole, so fewer months need not be tried.
        quickest = -(-spread_fen // capacity_fen)
        for months in range(max(self.request.policy.min_months, quickest), self.longest + 1):
            burden_fen = spread_fen - spread_fen // months * (months - 1)
            if burden_fen <= capacity_fen:
                yield Burden(months, burden_fen, total_fen)

    def fits_longer_than(self, months: int) -> bool:
        """Whether equal instalments are allowed over more months than these."""
        # Interest that runs can lift the instalments of a longer plan above the minimum.
        policy = self.request.policy
        longest = policy.max_months if policy.interest_during_plan else self.longest
        return any(self.equal_amounts(count) for count in range(longest, months, -1))

    def equal_months(self) -> tuple[int, ...]:
        """All numbers of months over which equal instalments are allowed, rising."""
        return tuple(burden.months for burden in self.equal_burdens())

    def paid_at(self, instalment_fen: int) -> tuple[int, ...] | None:
        """Instalments of exactly this amount and a smaller last one; None if the longest plan does not reach."""
        reach_fen = instalment_fen * self.request.policy.max_months
        if instalment_fen < 1 or self.spread_fen < 1 or reach_fen < self.spread_fen:
            return None
        course = self.course
        return (
            level_amounts(self.spread_fen, instalment_fen) if course is None else course.level_amounts(instalment_fen)
        )

    def level_plan(self, instalment_fen: int) -> tuple[int, ...] | None:
        """Instalments of exactly this amount and a smaller last one, or None where they are not allowed."""
        amounts = self.paid_at(instalment_fen)
        return amounts if amounts and self.objection(amounts) is None else None

    def has_a_plan(self) -> bool:
        """Whether anything fits, be it only instalments with a smaller last one."""
        found = self._running() if self.request.policy.interest_during_plan else self._fitting()
        return next(found, None) is not None or self.level_plan(self.capacity_fen) is not None

    def last_first_due_on(self) -> date:
        """The latest day on which the first instalment may fall due."""
        return add_months(last_first_due_on(self.request), self.deferral_months)

    def usual_first_due_on(self) -> date:
        """The first pay day after a new offer would expire; without a pay day, a month from now or right after expiry.

        A deferral puts it off by its months. Always within the policy's window: it is wide enough for any pay day.
        """
        as_of, pay_day = self.request.as_of, self.request.pay_day
        earliest = as_of + timedelta(days=self.request.policy.offer_valid_days + 1)
        if pay_day is None:
            return add_months(max(earliest, add_months(as_of, 1)), self.deferral_months)
        ahead = 0 if add_months(earliest, 0, pay_day) >= earliest else 1
        return add_months(earliest, ahead + self.deferral_months, pay_day)

    def first_due_on(self) -> date:
        """The day of the first instalment."""
        return self.first_on or self.usual_first_due_on()

    @property
    def _day_of_month(self) -> int:
        pay_day = self.request.pay_day
        return self.first_due_on().day if self.first_on is not None or pay_day is None else pay_day

    def offer(self, amounts_fen: Sequence[int], reason: OfferReason, rank: int = 1) -> Offer:
        """Make an offer of allowed instalments.

        Raises ``ValueError`` if the instalments or the date are outside the bounds or do not end the debt.
        """
        request, course = self.request, self.course
        first_due_on = self.first_due_on()
        repayment = course.paid(amounts_fen) if course else None
        ends = repayment is not None or sum(amounts_fen) == self.spread_fen
        if self.objection(amounts_fen) is not None or not ends:
            raise ValueError(f"instalments outside the bounds: {self.objection(amounts_fen)}")
        if not request.as_of < first_due_on <= self.last_first_due_on():
            raise ValueError(f"first instalment outside the bounds: {first_due_on}")
        schedule = scheduled(amounts_fen, monthly_due_dates(first_due_on, len(amounts_fen), self._day_of_month))
        draft = Draft(
            self.kind,
            self.level,
            schedule,
            reason,
            self.round,
            self.down_payment_fen,
            self.deferral_months,
            rank,
            repayment,
        )
        return built(request, draft)


def round_of(request: OfferRequest) -> int:
    """The set of offers the negotiation has reached, 1 at the start."""
    return max((offer.round for offer in request.history), default=1)


def next_round(request: OfferRequest) -> int:
    """The next set of offers, 1 at the start."""
    return 1 + max((offer.round for offer in request.history), default=0)


def rooms(
    request: OfferRequest, step: int, lump_fen: int | None = None, deferrals: Sequence[int] | None = None
) -> tuple[PlanBounds, ...] | NoOffer:
    """Every room in which at least one plan fits in the ``step``-th set of offers, or why there is none.

    Where nothing fits yet, the first later step that brings a plan within reach is taken: a waiver that has been
    approved is not kept back from somebody whom it would spare a refusal. The rooms' ``round`` says which one it was.

    In the order of preference: what the bot may grant itself before what a person has to, paying now before paying
    later, the smallest down payment first. ``lump_fen`` is a down payment the borrower has named, and ``deferrals``
    the months to wait that the borrower asks for; without them the policy's own choices are tried.
    """
    if (why := refusal(request)) is not None:
        return NoOffer(why)
    found = _rooms_of_step(request, step, lump_fen, deferrals)
    while isinstance(found, NoOffer) and found.reason in _HELPED_BY_A_WAIVER and step < request.policy.last_step:
        step += 1
        found = _rooms_of_step(request, step, lump_fen, deferrals)
    return found


_HELPED_BY_A_WAIVER = frozenset({NoOfferReason.LONGEST_PLAN_TOO_HIGH, NoOfferReason.DOWN_PAYMENT_NOT_AFFORDABLE})


def _rooms_of_step(
    request: OfferRequest, step: int, lump_fen: int | None, deferrals: Sequence[int] | None
) -> tuple[PlanBounds, ...] | NoOffer:
    policy = request.policy
    percents = (policy.down_payment_percent, *policy.down_payment_choices_percent)
    every = _distinct(
        [
            (percent, PlanBounds(request, step, level, _down_payment_fen(level, percent, lump_fen), deferral))
            for level in plan_levels(request, step)
            for deferral in (request.deferral_choices if deferrals is None else deferrals)
            for percent in (percents if lump_fen is None else percents[:1])
        ]
    )
    if not every:
        return NoOffer(NoOfferReason.ABOVE_AUTHORITY)
    if not any(bounds.capacity_fen for bounds in every):
        return NoOffer(NoOfferReason.NO_SURPLUS)
    if all(bounds.total_fen == 0 for bounds in every):
        # Nothing is left to spread once the waivers apply: closing such a debt is a person's decision.
        return NoOffer(NoOfferReason.POLICY_NOT_APPLICABLE)
    in_hand_fen = max(request.available_now_fen, lump_fen or 0)
    payable = [bounds for bounds in every if bounds.down_payment_fen <= in_hand_fen]
    found = tuple(bounds for bounds in payable if bounds.spread_fen > 0 and bounds.has_a_plan())
    return found or NoOffer(_nothing_fits(payable))


def refusal(request: OfferRequest) -> NoOfferReason | None:
    """Why nothing may be offered at all, whatever the figures; None if something may."""
    policy, owed = request.policy, request.owed
    if request.on_hold:
        return NoOfferReason.HOLD
    if not owed:
        return NoOfferReason.NOTHING_OWED
    if any(debt.limitation is not LimitationStatus.RUNNING for debt in owed):
        return NoOfferReason.TIME_BARRED_OR_UNKNOWN
    if policy.approved_on > request.as_of or any(debt.product_kind is not policy.product_kind for debt in owed):
        return NoOfferReason.POLICY_NOT_APPLICABLE
    if policy.interest_during_plan and (len(owed) != 1 or owed[0].contract is None):
        # Which of several debts bears how much would depend on how every payment is divided: a person's business.
        return NoOfferReason.POLICY_NOT_APPLICABLE
    if not all(policy.serves(debt.bucket, request.hardship) for debt in owed):
        return NoOfferReason.BUCKET_NOT_ELIGIBLE
    return None


def _down_payment_fen(level: WaiverLevel, percent: Decimal, lump_fen: int | None) -> int:
    return round_to_fen(level.total_fen * percent / 100) if lump_fen is None else lump_fen


def _distinct(every: Sequence[tuple[Decimal, PlanBounds]]) -> list[PlanBounds]:
    """The rooms without those of smaller waivers that only repeat, dearer, what the first of their sort holds as well.

    A sort is one approval, one deferral and one share of down payment. A smaller waiver adds something only where it
    can be spread over more months without falling below the minimum, or where it is so nearly the same that the
    remainder in the last instalment decides.
    """
    first: dict[tuple[ApprovalRole | None, int, Decimal], PlanBounds] = {}
    kept = []
    for percent, bounds in every:
        best = first.setdefault((bounds.needs_approval, bounds.deferral_months, percent), bounds)
        dearer_fen, policy = bounds.spread_fen - best.spread_fen, bounds.request.policy
        if (
            best is bounds
            or policy.interest_during_plan
            or bounds.longest > best.longest
            or dearer_fen < policy.max_months**2
        ):
            kept.append(bounds)
    return kept


def _nothing_fits(payable: Sequence[PlanBounds]) -> NoOfferReason:
    if not payable:
        return NoOfferReason.DOWN_PAYMENT_NOT_AFFORDABLE
    policy = payable[0].request.policy
    for bounds in payable:
        capacity_fen = bounds.capacity_fen
        if capacity_fen >= policy.minimum_instalment_fen and bounds.paid_at(capacity_fen) is None:
            return NoOfferReason.LONGEST_PLAN_TOO_HIGH
    return NoOfferReason.BELOW_MINIMUM_INSTALMENT
