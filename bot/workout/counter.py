"""The borrower names a figure: it is met exactly where policy and affordability allow, else by the nearest plan."""

from dataclasses import dataclass
from datetime import date, timedelta

from bot.lending.money import split_evenly
from bot.workout.bounds import Objection, OfferRequest, PlanBounds, plan_bounds
from bot.workout.offer import NoOffer, Offer, OfferReason

__all__ = ["BorrowerProposal", "Met", "Nearest", "NoOffer", "Objection", "meet"]


@dataclass(frozen=True, slots=True)
class BorrowerProposal:
    """What the borrower asked for: so much a month (fen), over so many months, from such a day; any of them.

    Raises ``ValueError`` for a figure that is not positive.
    """

    monthly_fen: int | None = None
    months: int | None = None
    first_on: date | None = None

    def __post_init__(self) -> None:
        if any(figure is not None and figure < 1 for figure in (self.monthly_fen, self.months)):
            raise ValueError(f"a proposal needs positive figures: {self}")


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
    monthly amount holds. The first date may be any day from tomorrow to the end of the policy's window.
    """
    bounds = plan_bounds(request)
    if isinstance(bounds, NoOffer):
        return bounds
    first_on, date_objection = _first_on(proposal, bounds)
    wanted, objection = _wanted(proposal, bounds)
    why = objection or date_objection
    if wanted is not None and why is None:
        return Met(bounds.offer(wanted, OfferReason.BORROWER_PROPOSAL, first_on=first_on))
    amounts = wanted or _nearest(proposal, bounds)
    return Nearest(
        bounds.offer(amounts, OfferReason.NEAREST_TO_PROPOSAL, first_on=first_on), why or Objection.NO_FIGURE
    )


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
    if months is not None and (monthly_fen is None or monthly_fen * months >= bounds.spread_fen):
        return _over_months(months, bounds)
    if monthly_fen is None:
        return None, Objection.NO_FIGURE
    amounts, objection = _at_monthly(monthly_fen, bounds)
    return amounts, objection or (Objection.FIGURES_DISAGREE if months is not None else None)


def _over_months(months: int, bounds: PlanBounds) -> tuple[tuple[int, ...] | None, Objection | None]:
    policy = bounds.request.policy
    if months > policy.max_months:
        return None, Objection.TOO_MANY_MONTHS
    if months > bounds.spread_fen:
        return None, Objection.BELOW_MINIMUM_INSTALMENT
    amounts = split_evenly(bounds.spread_fen, months)
    objection = bounds.objection(amounts)
    return (None, objection) if objection else (amounts, None)


def _at_monthly(monthly_fen: int, bounds: PlanBounds) -> tuple[tuple[int, ...] | None, Objection | None]:
    policy = bounds.request.policy
    # Settled by one smaller payment, an amount beyond the whole debt is within reach if the debt itself is.
    instalment_fen = min(monthly_fen, bounds.spread_fen)
    if instalment_fen > bounds.capacity_fen:
        return None, Objection.ABOVE_AFFORDABILITY
    amounts = bounds.level_plan(instalment_fen)
    if amounts:
        return amounts, None
    if instalment_fen < policy.minimum_instalment_fen:
        return None, Objection.BELOW_MINIMUM_INSTALMENT
    too_long = instalment_fen * policy.max_months < bounds.spread_fen
    return None, Objection.TOO_MANY_MONTHS if too_long else Objection.TOO_FEW_MONTHS


def _nearest(proposal: BorrowerProposal, bounds: PlanBounds) -> tuple[int, ...]:
    plans = [amounts for months in bounds.equal_months() if (amounts := bounds.equal_amounts(months))]
    levels = (bounds.capacity_fen, bounds.request.policy.minimum_instalment_fen)
    plans += [amounts for instalment in levels if (amounts := bounds.level_plan(instalment))]
    monthly_fen, months = proposal.monthly_fen, proposal.months
    if monthly_fen is not None:
        return min(plans, key=lambda amounts: (abs(amounts[0] - monthly_fen), len(amounts), amounts))
    if months is not None:
        return min(plans, key=lambda amounts: (abs(len(amounts) - months), amounts[-1] < amounts[0], amounts))
    # Nothing was asked for but a date: the gentlest plan asks least of somebody we know least about.
    return min(plans, key=lambda amounts: (max(amounts), len(amounts), amounts))
