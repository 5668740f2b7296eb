"""The offers for a request: computed, never generated, and never worse than those before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.workout.bounds import (
    DebtPosition,
    ExpectedRecovery,
    OfferRequest,
    PlanBounds,
    RunningContract,
    next_round,
    refusal,
    rooms,
)
from bot.workout.offer import DebtShare, NextStep, NoOffer, NoOfferReason, Offer, OfferKind, OfferReason, OfferSet
from bot.workout.search import Candidate, frontier
from bot.workout.settlement import Settlement, settlements

__all__ = [
    "DebtPosition",
    "DebtShare",
    "ExpectedRecovery",
    "NextStep",
    "NoOffer",
    "NoOfferReason",
    "Offer",
    "OfferKind",
    "OfferReason",
    "OfferRequest",
    "OfferSet",
    "RunningContract",
    "compute_offers",
]


def compute_offers(request: OfferRequest) -> OfferSet:
    """At most ``request.most_shown`` plans that no other one in the policy beats, or the reason why there is none.

    A short one, a gentle one and one in between: the policy's month choices first, other lengths where these do not
    fit or have been shown before. One of them gives way to a single smaller payment, to a later start or to a larger
    waiver that a person has to grant, where the request and the policy have these. No instalment exceeds the surplus
    share (rule N5), nothing exceeds the policy.

    With unchanged facts every offer in the history finds one here that is no worse; earlier offers still open,
    affordable and not matched by a new one stay in the set, also where the figures would allow no new one. Only where
    more such offers are open than are shown does the set grow beyond.
    """
    step = next_round(request)
    found = rooms(request, step)
    closed = refusal(request) is not None
    settled = () if closed else settlements(request, step)
    if isinstance(found, NoOffer) and not settled:
        # Figures that allow no new plan leave open what was offered before and can still be borne.
        standing = [] if closed else _standing(request, [])
        return OfferSet(_ranked(standing), is_final=True) if standing else OfferSet(no_offer=found)
    fitting = () if isinstance(found, NoOffer) else found
    # A plan that comes back as it was belongs to the set it was first shown in.
    rounds = {offer.offer_id: offer.round for offer in request.history}
    made = [replace(new, round=rounds.get(new.offer_id, new.round)) for new in _new_offers(request, fitting, settled)]
    offers = _ranked(_as_many_as_shown(request, made, _standing(request, made)))
    reached = max((room.round for room in fitting), default=step)
    return OfferSet(offers, is_final=reached >= request.policy.last_step and _all_spread(fitting, made))


@dataclass(frozen=True, slots=True)
class _Choice:
    """The plans of the preferred room to choose from: months, rising, of which none is beaten by another plan."""

    room: PlanBounds
    months: tuple[int, ...]


def _new_offers(request: OfferRequest, fitting: Sequence[PlanBounds], settled: Sequence[Settlement]) -> list[Offer]:
    """The new offers, the most needed first."""
    best = frontier(fitting, settled)
    main = _main(request, fitting, best)
    plans = _plain(main) if main else []
    most = request.most_shown
    others = _others(best, main, plans)[: most - min(len(plans), 1)]
    return [*plans[: most - len(others)], *others]


def _main(request: OfferRequest, fitting: Sequence[PlanBounds], best: Sequence[Candidate]) -> _Choice | None:
    """The first room with plans that nothing beats; where only unequal instalments fit, the first one at all."""
    for room in fitting:
        months = tuple(plan.months for plan in best if plan.source is room)
        if months:
            return _Choice(room, _lengths(request, room, months))
    return _Choice(fitting[0], ()) if fitting else None


def _plain(main: _Choice) -> list[Offer]:
    """Up to three plans of one room: the gentlest, the shortest, and one in between, in this order."""
    room, lengths = main.room, main.months
    if not lengths:
        level = room.level_plan(room.capacity_fen)
        return [room.offer(level, OfferReason.SHORTEST)] if level else []
    wanted = [(lengths[-1], OfferReason.GENTLEST if len(lengths) > 1 else OfferReason.SHORTEST)]
    if len(lengths) > 1:
        wanted.append((lengths[0], OfferReason.SHORTEST))
    if len(lengths) > 2:
        wanted.append((_middle(room, lengths), OfferReason.MIDDLE))
    plans = ((room.equal_amounts(months), reason) for months, reason in wanted)
    return [room.offer(amounts, reason) for amounts, reason in plans if amounts]


def _others(best: Sequence[Candidate], main: _Choice | None, plans: Sequence[Offer]) -> list[Offer]:
    """One payment for less, a later start, a larger waiver: each at most once, and only where nothing beats it."""
    found: list[Offer] = []
    payments = [(plan, plan.source) for plan in best if isinstance(plan.source, Settlement)]
    if payments:
        # What the bot may grant by itself comes before what a person has to, then what costs least.
        _, option = min(payments, key=lambda pair: (pair[0].approval_rank, pair[0].total_fen, pair[0].at_once_fen))
        found.append(option.offer(OfferReason.ONE_PAYMENT))
    if main is None:
        return found
    planned = [(plan, plan.source) for plan in best if isinstance(plan.source, PlanBounds)]
    later = [pair for pair in planned if pair[1].deferral_months > main.room.deferral_months]
    waived_fen = main.room.level.waived_fen
    larger = [
        pair
        for pair in planned
        if pair[1].level.waived_fen > waived_fen and pair[1].deferral_months == main.room.deferral_months
    ]
    months = plans[0].months if plans else 0
    for pairs, reason in ((later, OfferReason.LATER_START), (larger, OfferReason.LARGER_WAIVER)):
        if pairs:
            plan, room = min(
                pairs, key=lambda pair: (pair[0].approval_rank, abs(pair[0].months - months), pair[0].months)
            )
            amounts = room.equal_amounts(plan.months)
            found += [room.offer(amounts, reason)] if amounts else []
    return found


def _lengths(request: OfferRequest, room: PlanBounds, allowed: Sequence[int]) -> tuple[int, ...]:
    """The numbers of months to choose from, rising."""
    shown = {
        offer.months
        for offer in request.history
        if offer.kind is not OfferKind.SETTLEMENT and offer.deferral_months == room.deferral_months
    }
    pool = set(request.policy.month_choices) & set(allowed)
    if shown or len(pool) < 2:
        pool.add(allowed[-1])
    if len(pool) < 2:
        pool.add(allowed[0])
    # A plan once shown must come back at least as gentle: shorter ones would ask more in a month.
    pool |= shown & set(allowed)
    return tuple(sorted(months for months in pool if months >= min(shown, default=0))) or (allowed[-1],)


def _middle(room: PlanBounds, lengths: Sequence[int]) -> int:
    inner = lengths[1:-1]
    shown = [offer.months for offer in room.request.history if offer.reason_code is OfferReason.MIDDLE]
    return next((months for months in reversed(shown) if months in inner), inner[len(inner) // 2])


def _all_spread(fitting: Sequence[PlanBounds], made: Sequence[Offer]) -> bool:
    """Whether the longest plan there is has been offered."""
    longest = max((offer.months for offer in made), default=0)
    return not any(room.fits_longer_than(longest) for room in fitting)


def _standing(request: OfferRequest, made: Sequence[Offer]) -> list[Offer]:
    """Earlier offers that may still be accepted and that no new one matches."""
    return [
        earlier
        for earlier in {offer.offer_id: offer for offer in request.history}.values()
        if _still_open(earlier, request) and not any(new.is_no_worse_than(earlier) for new in made)
    ]


def _still_open(earlier: Offer, request: OfferRequest) -> bool:
    """Whether an earlier offer may still be accepted: not expired, same policy, affordable, and no debt has shrunk."""
    policy = request.policy
    owed_now = {debt.debt_id: debt.balances.total_fen for debt in request.owed}
    owed_then = {share.debt_id: share.owed_fen for share in earlier.shares}
    return (
        earlier.expires_on >= request.as_of
        and (earlier.policy_code, earlier.policy_version) == (policy.code, policy.version)
        and _affordable(earlier, request)
        and owed_then.keys() == owed_now.keys()
        and all(owed_now[debt_id] >= owed for debt_id, owed in owed_then.items())
    )


def _affordable(earlier: Offer, request: OfferRequest) -> bool:
    if earlier.kind is OfferKind.SETTLEMENT and earlier.months == 1 and not earlier.down_payment_fen:
        return earlier.total_fen <= request.available_now_fen
    return (
        earlier.largest_instalment_fen <= request.capacity_after(earlier.deferral_months)
        and earlier.down_payment_fen <= request.available_now_fen
    )


def _as_many_as_shown(request: OfferRequest, made: Sequence[Offer], standing: Sequence[Offer]) -> list[Offer]:
    """What is shown: open offers that nothing new matches, new ones that match earlier ones, then the rest."""
    if len(made) + len(standing) <= request.most_shown:
        return [*made, *standing]
    kept = list(standing)
    matched = [earlier for earlier in request.history if any(new.is_no_worse_than(earlier) for new in made)]
    for earlier in matched:
        if not any(offer.is_no_worse_than(earlier) for offer in kept):
            kept.append(next(new for new in made if new.is_no_worse_than(earlier)))
    fresh = [new for new in made if new not in kept and not any(offer.is_no_worse_than(new) for offer in kept)]
    return [*kept, *fresh[: max(0, request.most_shown - len(kept))]]


def _ranked(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    ordered = sorted(offers, key=lambda offer: (offer.months_to_freedom, offer.total_fen, offer.offer_id))
    return tuple(replace(offer, rank=rank) for rank, offer in enumerate(ordered, start=1))
