"""The borrower names a figure: it is met exactly where policy and affordability allow, else by the nearest plan.

Answering a figure is no new concession: it uses the waivers that the negotiation has reached, so asking again, or in
other words, gives the same answer. Only a demand about the waiver itself or for a single payment is measured at once by
everything the policy approves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.lending.balances import Component
from bot.lending.schedule import add_months
from bot.workout.bounds import Objection, OfferRequest, PlanBounds, refusal, rooms, round_of
from bot.workout.building import last_first_due_on
from bot.workout.offer import NoOffer, NoOfferReason, Offer, OfferKind, OfferReason
from bot.workout.settlement import Settlement, last_payment_on, may_settle, settlement_levels
from bot.workout.waivers import WaiverLevel, plan_levels, spend

__all__ = ["BorrowerProposal", "Met", "Nearest", "NoOffer", "Objection", "meet"]


@dataclass(frozen=True, slots=True)
class BorrowerProposal:
    """What the borrower asked for, any of it; amounts in fen.

    So much a month, over so many months, from such a day; ``lump_fen`` at once and the rest in instalments;
    ``waive_interest``, all interest and penalty interest forgiven; or ``settle_fen`` in one payment, on ``first_on``
    where a day is named, to close the debt. The borrower has the lump and the single payment: nobody else knows.

    Raises ``ValueError`` for a figure that is not positive, or a single payment together with instalments.
    """

    monthly_fen: int | None = None
    months: int | None = None
    first_on: date | None = None
    lump_fen: int | None = None
    waive_interest: bool = False
    settle_fen: int | None = None

    def __post_init__(self) -> None:
        figures = (self.monthly_fen, self.months, self.lump_fen, self.settle_fen)
        if any(figure is not None and figure < 1 for figure in figures):
            raise ValueError(f"a proposal needs positive figures: {self}")
        if self.settle_fen is not None and figures[:3] != (None, None, None):
            raise ValueError(f"one payment closes the debt or instalments do, not both: {self}")


@dataclass(frozen=True, slots=True)
class Met:
    """The proposal as asked."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Nearest:
    """The allowed plan closest to the proposal, and what stood in the way."""

    offer: Offer
    why: Objection


def meet(proposal: BorrowerProposal, request: OfferRequest) -> Met | Nearest | NoOffer:
    """Answer a proposal.

    A monthly amount gives instalments of exactly that amount and a smaller last one; a number of months gives equal
    instalments. Given both, the months hold if the instalments then stay within the monthly amount; otherwise the
    monthly amount holds. The first date may be any day from tomorrow to the end of the policy's window, and beyond it
    where the policy has a deferral. A lump sum becomes the down payment. A single payment closes the debt for what the
    borrower named, if the policy forgives that much, and never costs more than is owed.

    An answer that is on the table already is that very offer, with the reason and rank it was shown with.
    """
    answer = _answer(proposal, request)
    if isinstance(answer, NoOffer):
        return answer
    shown = next((offer for offer in request.history if offer.offer_id == answer.offer.offer_id), None)
    return answer if shown is None else replace(answer, offer=shown)


def _answer(proposal: BorrowerProposal, request: OfferRequest) -> Met | Nearest | NoOffer:
    if proposal.settle_fen is not None:
        return _single_payment(proposal, proposal.settle_fen, request)
    if proposal.lump_fen is not None and proposal.lump_fen >= request.owed_fen > 0:
        return _single_payment(proposal, proposal.lump_fen, request)
    step = request.policy.last_step if proposal.waive_interest else round_of(request)
    deferrals = _deferrals(proposal, request)
    lump_fen, lump_objection = _lump(proposal, request)
    step = max(step, round_of(request))
    found = rooms(request, step, lump_fen, deferrals)
    if isinstance(found, NoOffer) and lump_fen is not None:
        if any(level.total_fen <= lump_fen for level in plan_levels(request, step)):
            return _single_payment(proposal, lump_fen, request)
        # So little would be left that no instalment could be made of it: the plans without the lump still stand.
        found, lump_objection = rooms(request, step, None, deferrals), Objection.BELOW_MINIMUM_INSTALMENT
    if isinstance(found, NoOffer):
        return found
    bounds, waiver_objection = _room(proposal, found)
    bounds, date_objection = _from_day_asked(proposal, bounds)
    wanted, objection = _wanted(proposal, bounds)
    why = lump_objection or waiver_objection or objection or date_objection
    if wanted is not None and why is None:
        return Met(bounds.offer(wanted, OfferReason.BORROWER_PROPOSAL))
    amounts = wanted or _nearest(proposal, bounds)
    return Nearest(bounds.offer(amounts, OfferReason.NEAREST_TO_PROPOSAL), why or Objection.NO_FIGURE)


def _lump(proposal: BorrowerProposal, request: OfferRequest) -> tuple[int | None, Objection | None]:
    """The down payment to reckon with; None leaves it to the policy, also where the lump is less than it requires."""
    lump_fen = proposal.lump_fen
    if lump_fen is None:
        return None, None
    # Measured on what is owed, so that a waiver never turns a sufficient lump into one that is not.
    required = lump_fen * 100 < request.owed_fen * request.policy.down_payment_percent
    return (None, Objection.LUMP_TOO_SMALL) if required else (lump_fen, None)


def _deferrals(proposal: BorrowerProposal, request: OfferRequest) -> Sequence[int] | None:
    """The months to wait for a first date beyond the usual window; None leaves it to the policy."""
    terms, asked = request.policy.deferral, proposal.first_on
    latest = last_first_due_on(request)
    if asked is None or asked <= latest:
        return None
    if terms is None or OfferKind.DEFERRAL not in request.kinds or request.deferrals_used >= terms.max_times:
        return None
    reach = next(
        (ahead for ahead in range(1, terms.max_months) if add_months(latest, ahead) >= asked), terms.max_months
    )
    return (reach,)


def _room(proposal: BorrowerProposal, found: Sequence[PlanBounds]) -> tuple[PlanBounds, Objection | None]:
    """The first room; where all interest is to be forgiven, the first that does so, else the one that comes nearest."""
    if not proposal.waive_interest:
        return found[0], None
    for bounds in found:
        if _forgives_all_interest(bounds):
            return bounds, None
    return max(found, key=lambda bounds: bounds.level.waived_fen), Objection.WAIVER_ABOVE_CEILING


def _forgives_all_interest(bounds: PlanBounds) -> bool:
    owed = {debt.debt_id: debt.balances for debt in bounds.request.owed}
    return all(
        share.waived(component) == owed[share.debt_id].of(component)
        for share in bounds.shares
        for component in (Component.INTEREST, Component.PENALTY)
    )


def _from_day_asked(proposal: BorrowerProposal, bounds: PlanBounds) -> tuple[PlanBounds, Objection | None]:
    """The room with its first instalment on the day asked for, or as near to it as there is a plan."""
    first_on, objection = _first_on(proposal, bounds)
    asked = replace(bounds, first_on=first_on)
    # Until a later day more interest runs: what was just within reach may no longer be.
    return (asked, objection) if asked.has_a_plan() else (bounds, Objection.FIRST_DATE_TOO_LATE)


def _first_on(proposal: BorrowerProposal, bounds: PlanBounds) -> tuple[date | None, Objection | None]:
    asked, earliest, latest = proposal.first_on, bounds.request.as_of + timedelta(days=1), bounds.last_first_due_on()
    if asked is None:
        return None, None
    if asked < earliest:
        return earliest, Objection.FIRST_DATE_TOO_EARLY
    if asked > latest:
        return latest, Objection.FIRST_DATE_TOO_LATE
    return asked, None


def _wanted(proposal: BorrowerProposal, bounds: PlanBounds) -> tuple[tuple[int, ...] | None, Objection | None]:
    """The instalments asked for if they are allowed, and what has to be said about them."""
    monthly_fen, months = proposal.monthly_fen, proposal.months
    if months is not None and (monthly_fen is None or _is_paid_within(months, monthly_fen, bounds)):
        return _over_months(months, bounds)
    if monthly_fen is None:
        # A lump, a waiver or a later start says nothing about the instalments: the gentlest ones are asked for.
        is_open = proposal.lump_fen is not None or proposal.waive_interest or proposal.first_on is not None
        return (_nearest(proposal, bounds), None) if is_open else (None, Objection.NO_FIGURE)
    amounts, objection = _at_monthly(monthly_fen, bounds)
    return amounts, objection or (Objection.FIGURES_DISAGREE if months is not None else None)


def _is_paid_within(months: int, monthly_fen: int, bounds: PlanBounds) -> bool:
    if bounds.course is None:
        return monthly_fen * months >= bounds.spread_fen
    amounts = bounds.paid_at(monthly_fen)
    return amounts is not None and len(amounts) <= months


def _over_months(months: int, bounds: PlanBounds) -> tuple[tuple[int, ...] | None, Objection | None]:
    policy = bounds.request.policy
    if months > policy.max_months:
        return None, Objection.TOO_MANY_MONTHS
    amounts = bounds.evenly(months)
    if amounts is None:
        return None, Objection.BELOW_MINIMUM_INSTALMENT
    objection = bounds.objection(amounts)
    return (None, objection) if objection else (amounts, None)


def _at_monthly(monthly_fen: int, bounds: PlanBounds) -> tuple[tuple[int, ...] | None, Objection | None]:
    policy = bounds.request.policy
    # Settled by one smaller payment, an amount beyond the whole debt is within reach if the debt itself is.
    instalment_fen = min(monthly_fen, bounds.whole_fen)
    if instalment_fen > bounds.capacity_fen:
        return None, Objection.ABOVE_AFFORDABILITY
    amounts = bounds.level_plan(instalment_fen)
    if amounts:
        return amounts, None
    if instalment_fen < policy.minimum_instalment_fen:
        return None, Objection.BELOW_MINIMUM_INSTALMENT
    return None, Objection.TOO_MANY_MONTHS if bounds.paid_at(instalment_fen) is None else Objection.TOO_FEW_MONTHS


def _nearest(proposal: BorrowerProposal, bounds: PlanBounds) -> tuple[int, ...]:
    plans = [amounts for months in bounds.equal_months() if (amounts := bounds.equal_amounts(months))]
    levels = (bounds.capacity_fen, bounds.request.policy.minimum_instalment_fen)
    plans += [amounts for instalment in levels if (amounts := bounds.level_plan(instalment))]
    monthly_fen, months = proposal.monthly_fen, proposal.months
    if monthly_fen is not None:
        return min(plans, key=lambda amounts: (abs(amounts[0] - monthly_fen), len(amounts), amounts))
    if months is not None:
        return min(plans, key=lambda amounts: (abs(len(amounts) - months), amounts[-1] < amounts[0], amounts))
    # Nothing was asked of the instalments: the gentlest plan asks least of somebody we know least about.
    return min(plans, key=lambda amounts: (max(amounts), len(amounts), amounts))


def _single_payment(proposal: BorrowerProposal, paid_fen: int, request: OfferRequest) -> Met | Nearest | NoOffer:
    """Close the debt with one payment, or say why not and offer the gentlest instalments."""
    if (why := refusal(request)) is not None:
        return NoOffer(why)
    in_full = paid_fen >= request.owed_fen
    if not may_settle(request) and not (in_full and OfferKind.SETTLEMENT in request.kinds):
        return _instead(request, Objection.SETTLEMENT_NOT_OFFERED)
    # Whoever pays everything needs nobody's leave and no settlement in the policy.
    levels = (_whole(request),) if in_full else settlement_levels(request, request.policy.last_step)
    if not levels:
        return NoOffer(NoOfferReason.ABOVE_AUTHORITY)
    step = max(request.policy.last_step, round_of(request))
    day, objection = _payment_day(proposal, request)
    level = next((level for level in levels if level.total_fen <= paid_fen), None)
    if level is None:
        least = next((level for level in levels if level.total_fen <= request.available_now_fen), None)
        if least is None:
            return _instead(request, Objection.DISCOUNT_ABOVE_CEILING)
        option = Settlement(request, step, least, (least.total_fen,), day)
        return Nearest(option.offer(OfferReason.NEAREST_TO_PROPOSAL), Objection.DISCOUNT_ABOVE_CEILING)
    exact = _exactly(paid_fen, level, request)
    option = Settlement(request, step, exact, (exact.total_fen,), day)
    if objection is not None:
        return Nearest(option.offer(OfferReason.NEAREST_TO_PROPOSAL), objection)
    return Met(option.offer(OfferReason.BORROWER_PROPOSAL))


def _whole(request: OfferRequest) -> WaiverLevel:
    """Everything owed and nothing waived."""
    return WaiverLevel(spend(request.owed, lambda debt, component: 0, 0), None)


def _exactly(paid_fen: int, level: WaiverLevel, request: OfferRequest) -> WaiverLevel:
    """The same extent of forgiveness, cut back so that exactly ``paid_fen`` is left, or all that is owed if less."""
    ceilings = {share.debt_id: share for share in level.shares}
    limit_fen = max(0, request.owed_fen - paid_fen)
    shares = spend(request.owed, lambda debt, component: ceilings[debt.debt_id].waived(component), limit_fen)
    return replace(level, shares=shares)


def _payment_day(proposal: BorrowerProposal, request: OfferRequest) -> tuple[date, Objection | None]:
    latest = last_payment_on(request) if may_settle(request) else last_first_due_on(request)
    asked = proposal.first_on
    if asked is None or asked > latest:
        return latest, Objection.FIRST_DATE_TOO_LATE if asked is not None else None
    tomorrow = request.as_of + timedelta(days=1)
    return (tomorrow, Objection.FIRST_DATE_TOO_EARLY) if asked < tomorrow else (asked, None)


def _instead(request: OfferRequest, why: Objection) -> Nearest | NoOffer:
    """The gentlest instalments in place of a single payment that cannot be had."""
    found = rooms(request, round_of(request))
    if isinstance(found, NoOffer):
        return found
    return Nearest(found[0].offer(_nearest(BorrowerProposal(), found[0]), OfferReason.NEAREST_TO_PROPOSAL), why)
