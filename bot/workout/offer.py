"""What comes out of a negotiation: an offer, a set of offers, or the reason why there is none."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.lending.balances import Component
from bot.lending.schedule import ScheduledInstalment
from bot.workout.policy_sections import ApprovalRole


class OfferKind(StrEnum):
    """What an offer mainly is; a deferral may waive too, a settlement forgives by its nature."""

    INSTALMENT = "instalment"
    RELIEF = "relief"
    DEFERRAL = "deferral"
    SETTLEMENT = "settlement"


class OfferReason(StrEnum):
    """Why this offer is in the set."""

    SHORTEST = "shortest"
    MIDDLE = "middle"
    GENTLEST = "gentlest"
    LATER_START = "later_start"
    LARGER_WAIVER = "larger_waiver"
    ONE_PAYMENT = "one_payment"
    BORROWER_PROPOSAL = "borrower_proposal"
    NEAREST_TO_PROPOSAL = "nearest_to_proposal"


class NoOfferReason(StrEnum):
    """Why the bot makes no offer; each has a next step, most of them a person."""

    HOLD = "hold"
    NOTHING_OWED = "nothing_owed"
    TIME_BARRED_OR_UNKNOWN = "time_barred_or_unknown"
    POLICY_NOT_APPLICABLE = "policy_not_applicable"
    BUCKET_NOT_ELIGIBLE = "bucket_not_eligible"
    ABOVE_AUTHORITY = "above_authority"
    NO_SURPLUS = "no_surplus"
    DOWN_PAYMENT_NOT_AFFORDABLE = "down_payment_not_affordable"
    BELOW_MINIMUM_INSTALMENT = "below_minimum_instalment"
    LONGEST_PLAN_TOO_HIGH = "longest_plan_too_high"


class NextStep(StrEnum):
    """What to do where there is no offer; none of them asks the borrower for money."""

    HARDSHIP_PATH = "hardship_path"
    PERSON = "person"
    WAIT = "wait"
    NOTHING = "nothing"


_NEXT_STEP = {
    NoOfferReason.HOLD: NextStep.WAIT,
    NoOfferReason.NOTHING_OWED: NextStep.NOTHING,
    NoOfferReason.NO_SURPLUS: NextStep.HARDSHIP_PATH,
    NoOfferReason.BELOW_MINIMUM_INSTALMENT: NextStep.HARDSHIP_PATH,
    NoOfferReason.LONGEST_PLAN_TOO_HIGH: NextStep.HARDSHIP_PATH,
}


@dataclass(frozen=True, slots=True)
class NoOffer:
    """No offer, and why."""

    reason: NoOfferReason

    @property
    def next_step(self) -> NextStep:
        """The way on: relief for hardship where money is short, waiting while on hold, else a person."""
        return _NEXT_STEP.get(self.reason, NextStep.PERSON)


@dataclass(frozen=True, slots=True)
class DebtShare:
    """One debt's part of an offer, in fen; debts stay separate inside a common schedule."""

    debt_id: str
    owed_fen: int
    waived_penalty_fen: int
    waived_fee_fen: int
    waived_interest_fen: int = 0
    waived_principal_fen: int = 0

    def waived(self, component: Component) -> int:
        """What is waived of one component, in fen."""
        match component:
            case Component.PENALTY:
                return self.waived_penalty_fen
            case Component.FEE:
                return self.waived_fee_fen
            case Component.INTEREST:
                return self.waived_interest_fen
            case Component.PRINCIPAL:
                return self.waived_principal_fen

    @property
    def waived_fen(self) -> int:
        """Everything waived of this debt."""
        return self.waived_penalty_fen + self.waived_fee_fen + self.waived_interest_fen + self.waived_principal_fen

    @property
    def total_fen(self) -> int:
        """What this debt comes to after the waivers."""
        return self.owed_fen - self.waived_fen


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan the borrower may accept until the end of ``expires_on``; amounts in fen.

    ``total_fen`` is what is paid in all: ``down_payment_fen``, due by ``expires_on``, and the schedule. What is owed on
    ``as_of`` is this and the waived amounts, less ``plan_interest_fen``. ``conditional_on_completion`` says that the
    waivers become final when the plan is completed. ``rank`` is the place in the set, 1 being the shortest plan.
    ``round`` counts the sets of one negotiation.

    ``deferral_months`` pass without an instalment before the first one. ``interest_stopped_fen`` estimates, rounded
    down, the interest that the contract would have charged over the plan and that does not run; 0 where the rates are
    not known. Where interest runs during the plan, ``plan_interest_fen`` is what it comes to if every payment is made
    on its day, and part of the schedule; ``principal_parts_fen`` is what each instalment then settles of principal.

    Where ``needs_approval`` names a role, the offer binds nobody before such a person has granted it.
    ``needs_evidence`` says that proof of the hardship is asked for before the waiver.

    ``offer_id`` follows from the content but rank, reason and round: equal content, equal id.
    """

    offer_id: str
    policy_code: str
    policy_version: str
    as_of: date
    expires_on: date
    months: int
    waived_penalty_fen: int
    waived_fee_fen: int
    total_fen: int
    down_payment_fen: int
    schedule: tuple[ScheduledInstalment, ...]
    conditional_on_completion: bool
    interest_during_plan: bool
    shares: tuple[DebtShare, ...]
    reason_code: OfferReason
    rank: int
    round: int
    kind: OfferKind = OfferKind.INSTALMENT
    waived_interest_fen: int = 0
    waived_principal_fen: int = 0
    deferral_months: int = 0
    interest_stopped_fen: int = 0
    needs_approval: ApprovalRole | None = None
    needs_evidence: bool = False
    plan_interest_fen: int = 0
    principal_parts_fen: tuple[int, ...] = ()

    @property
    def owed_fen(self) -> int:
        """What is owed on ``as_of``, before the waivers."""
        return sum(share.owed_fen for share in self.shares)

    @property
    def largest_instalment_fen(self) -> int:
        """The most that has to be found in one month."""
        return max(instalment.amount_fen for instalment in self.schedule)

    @property
    def months_to_freedom(self) -> int:
        """Months until the last payment."""
        return self.deferral_months + self.months

    @property
    def waived_fen(self) -> int:
        """Everything waived."""
        return sum(share.waived_fen for share in self.shares)

    @property
    def saved_fen(self) -> int:
        """What the borrower saves: what is waived, and the interest that stops."""
        return self.waived_fen + self.interest_stopped_fen

    @property
    def approval_rank(self) -> int:
        """0 where the bot may grant it, higher the further up a decision has to go."""
        return self.needs_approval.rank if self.needs_approval else 0

    def is_no_worse_than(self, other: "Offer") -> bool:
        """Whether it asks no more in all, no more in any month, at once or of anybody's decision, and begins no sooner.

        Beginning is counted in deferred months.
        """
        return (
            self.total_fen <= other.total_fen
            and self.down_payment_fen <= other.down_payment_fen
            and self.deferral_months >= other.deferral_months
            and self.approval_rank <= other.approval_rank
            and self.largest_instalment_fen <= other.largest_instalment_fen
        )


@dataclass(frozen=True, slots=True)
class OfferSet:
    """Either offers, the shortest first, or ``no_offer``; never both, never neither.

    ``is_final`` says that no later set of this negotiation can be better: what remains is a person's decision.
    Raises ``ValueError`` if it holds both or neither.
    """

    offers: tuple[Offer, ...] = ()
    no_offer: NoOffer | None = None
    is_final: bool = False

    def __post_init__(self) -> None:
        if bool(self.offers) == (self.no_offer is not None):
            raise ValueError("an offer set holds offers or a reason for none")


def offer_id_of(
    policy: tuple[str, str],
    dates: tuple[date, date],
    shares: tuple[DebtShare, ...],
    down_payment_fen: int,
    schedule: tuple[ScheduledInstalment, ...],
    needs_approval: ApprovalRole | None = None,
) -> str:
    """The id that follows from an offer's content.

    Content is policy code and version, as-of and expiry date, debts with waivers, amounts, and the approval needed.
    """
    waived_else = [[s.waived_interest_fen, s.waived_principal_fen] for s in shares]
    content: dict[str, object] = {
        "policy": policy,
        "dates": [day.isoformat() for day in dates],
        "shares": [[s.debt_id, s.owed_fen, s.waived_penalty_fen, s.waived_fee_fen] for s in shares],
        "down_payment_fen": down_payment_fen,
        "schedule": [[i.due_on.isoformat(), i.amount_fen] for i in schedule],
    }
    # Named only where they say something, so that the ids of plain plans do not depend on what else a plan may hold.
    if any(map(any, waived_else)):
        content["waived_interest_and_principal"] = waived_else
    if needs_approval is not None:
        content["needs_approval"] = needs_approval.value
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"offer-{hashlib.sha256(text.encode()).hexdigest()[:20]}"
