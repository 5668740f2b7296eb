"""The offers for a request: computed, never generated, and never worse than those before them."""

from dataclasses import replace

from bot.workout.bounds import DebtPosition, OfferRequest, PlanBounds, plan_bounds
from bot.workout.offer import DebtShare, NoOffer, NoOfferReason, Offer, OfferReason, OfferSet

__all__ = [
    "DebtPosition",
    "DebtShare",
    "NoOffer",
    "NoOfferReason",
    "Offer",
    "OfferReason",
    "OfferRequest",
    "OfferSet",
    "compute_offers",
]


def compute_offers(request: OfferRequest) -> OfferSet:
    """Two or three distinct plans where policy and surplus allow, or the reason why there is none.

    A short one, a gentle one and one in between: the policy's month choices first, other lengths where these do not
    fit or have been shown before. No instalment exceeds the surplus share (rule N5), nothing exceeds the policy. With
    unchanged facts every offer in the history finds one here that is no worse; earlier offers still open, affordable
    and not matched by a new one stay in the set, also where the figures would allow no new one.
    """
    bounds = plan_bounds(request)
    if isinstance(bounds, NoOffer):
        standing = _standing(request, []) if bounds.reason in _ABOUT_FIGURES else []
        return OfferSet(_ranked(standing), is_final=True) if standing else OfferSet(no_offer=bounds)
    made = _new_offers(bounds)
    offers = _ranked([*made, *_standing(request, made)])
    all_waived = bounds.round >= len(request.policy.waiver_steps_percent)
    all_spread = max(offer.months for offer in offers) >= max(bounds.equal_months(), default=0)
    return OfferSet(offers, is_final=all_waived and all_spread)


_ABOUT_FIGURES = frozenset(
    {
        NoOfferReason.BELOW_MINIMUM_INSTALMENT,
        NoOfferReason.LONGEST_PLAN_TOO_HIGH,
        NoOfferReason.DOWN_PAYMENT_NOT_AFFORDABLE,
    }
)
"""Refusals of a new plan only; every other reason also closes what was offered before."""


def _new_offers(bounds: PlanBounds) -> list[Offer]:
    lengths = _lengths(bounds)
    if not lengths:
        level = bounds.level_plan(bounds.capacity_fen)
        return [bounds.offer(level, OfferReason.SHORTEST)] if level else []
    reasons = {lengths[0]: OfferReason.SHORTEST}
    if len(lengths) > 1:
        reasons[lengths[-1]] = OfferReason.GENTLEST
    if len(lengths) > 2:
        reasons[_middle(bounds, lengths)] = OfferReason.MIDDLE
    plans = ((bounds.equal_amounts(months), reason) for months, reason in reasons.items())
    return [bounds.offer(amounts, reason) for amounts, reason in plans if amounts]


def _lengths(bounds: PlanBounds) -> list[int]:
    """The numbers of months to choose from, rising."""
    allowed = bounds.equal_months()
    if not allowed:
        return []
    shown = {offer.months for offer in bounds.request.history}
    pool = set(bounds.request.policy.month_choices) & set(allowed)
    if shown or len(pool) < 2:
        pool.add(allowed[-1])
    if len(pool) < 2:
        pool.add(allowed[0])
    # A plan once shown must come back at least as gentle: shorter ones would ask more in a month.
    pool |= shown & set(allowed)
    return sorted(months for months in pool if months >= min(shown, default=0)) or [allowed[-1]]


def _middle(bounds: PlanBounds, lengths: list[int]) -> int:
    inner = lengths[1:-1]
    shown = [offer.months for offer in bounds.request.history if offer.reason_code is OfferReason.MIDDLE]
    return next((months for months in reversed(shown) if months in inner), inner[len(inner) // 2])


def _standing(request: OfferRequest, made: list[Offer]) -> list[Offer]:
    """Earlier offers that may still be accepted and that no new one matches."""
    return [
        earlier
        for earlier in {offer.offer_id: offer for offer in request.history}.values()
        if _still_open(earlier, request) and not any(new.is_no_worse_than(earlier) for new in made)
    ]


def _still_open(earlier: Offer, request: OfferRequest) -> bool:
    """Whether an earlier offer may still be accepted: not expired, same policy, affordable, and no debt has shrunk."""
    policy = request.policy
    owed_now = {debt.debt_id: debt.balances.total_fen for debt in request.debts if debt.balances.total_fen}
    owed_then = {share.debt_id: share.owed_fen for share in earlier.shares}
    return (
        earlier.expires_on >= request.as_of
        and (earlier.policy_code, earlier.policy_version) == (policy.code, policy.version)
        and earlier.largest_instalment_fen <= request.capacity_fen
        and earlier.down_payment_fen <= request.available_now_fen
        and owed_then.keys() == owed_now.keys()
        and all(owed_now[debt_id] >= owed for debt_id, owed in owed_then.items())
    )


def _ranked(offers: list[Offer]) -> tuple[Offer, ...]:
    ordered = sorted(offers, key=lambda offer: (offer.months, offer.total_fen, offer.offer_id))
    return tuple(replace(offer, rank=rank) for rank, offer in enumerate(ordered, start=1))
