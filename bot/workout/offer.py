"""What comes out of a negotiation: an offer, a set of offers, or the reason why there is none."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.lending.schedule import ScheduledInstalment


class OfferReason(StrEnum):
    """Why this offer is in the set."""

    SHORTEST = "shortest"
    MIDDLE = "middle"
    GENTLEST = "gentlest"
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


@dataclass(frozen=True, slots=True)
class NoOffer:
    """No offer, and why."""

    reason: NoOfferReason


@dataclass(frozen=True, slots=True)
class DebtShare:
    """One debt's part of an offer, in fen; debts stay separate inside a common schedule."""

    debt_id: str
    owed_fen: int
    waived_penalty_fen: int
    waived_fee_fen: int

    @property
    def total_fen(self) -> int:
        """What this debt comes to after the waivers."""
        return self.owed_fen - self.waived_penalty_fen - self.waived_fee_fen


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan the borrower may accept until the end of ``expires_on``; amounts in fen.

    ``total_fen`` is what is paid in all: ``down_payment_fen``, due by ``expires_on``, and the schedule. The waived
    amounts come on top of it to what is owed on ``as_of``. ``conditional_on_completion`` says that the waivers become
    final when the plan is completed. ``rank`` is the place in the set, 1 being the shortest plan. ``round`` counts the
    sets of one negotiation. ``offer_id`` follows from the content but rank, reason and round: equal content, equal id.
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

    @property
    def largest_instalment_fen(self) -> int:
        """The most that has to be found in one month."""
        return max(instalment.amount_fen for instalment in self.schedule)

    def is_no_worse_than(self, other: "Offer") -> bool:
        """Whether it asks no more in all, no more in any month and no more at once than ``other``."""
        return (
            self.total_fen <= other.total_fen
            and self.largest_instalment_fen <= other.largest_instalment_fen
            and self.down_payment_fen <= other.down_payment_fen
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
) -> str:
    """The id that follows from an offer's content: policy code and version, as-of and expiry date, debts, amounts."""
    content = json.dumps(
        {
            "policy": policy,
            "dates": [day.isoformat() for day in dates],
            "shares": [[s.debt_id, s.owed_fen, s.waived_penalty_fen, s.waived_fee_fen] for s in shares],
            "down_payment_fen": down_payment_fen,
            "schedule": [[i.due_on.isoformat(), i.amount_fen] for i in schedule],
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    return f"offer-{hashlib.sha256(content.encode()).hexdigest()[:20]}"
