"""What agreements mean for the debts they cover: when interest stands still, which plan is in force, what it waives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.store.tables import Agreement, Offer, PlanEvent
from bot.workout.interest_stop import InterestStop
from bot.workout.offer import Offer as OfferTerms

_OFFER: TypeAdapter[OfferTerms] = TypeAdapter(OfferTerms)

ENDS_PLAN = ("completed", "broken")
"""Kinds of plan events, and states of an agreement, after which none is in force on its debts."""

_ENDED = select(PlanEvent).where(PlanEvent.kind.in_(ENDS_PLAN)).subquery()
_AGREED = (
    select(Agreement, Offer, _ENDED.c.happened_on)
    .join(Offer, Offer.id == Agreement.offer_id)
    .outerjoin(_ENDED, _ENDED.c.agreement_id == Agreement.id)
    .where(
        Agreement.borrower_id.in_(bindparam("borrower_ids", expanding=True)),
        Agreement.state.in_(("in_force", "replaced", *ENDS_PLAN)),
    )
    .order_by(Agreement.accepted_at, Agreement.version)
)


@dataclass(frozen=True, slots=True)
class PlansOn:
    """What agreements mean for one debt on a day: when its interest stood still, which is in force, its waiver."""

    stops: tuple[InterestStop, ...] = ()
    number: str | None = None
    waived_on_completion_fen: int = 0
    interest_runs: bool = False


def plans_on_debts(session: Session, borrower_ids: Collection[str], as_of: date) -> dict[str, PlansOn]:
    """Return what some borrowers' agreements mean, by debt; one accepted after ``as_of`` does not change that day.

    Each plan stops the interest, or where its policy lets interest run only the penalty interest. That stays so on a
    plan that was completed, ends on the day on which one was broken, and passes on to the plan that takes the place of
    another. The last of these says what is in force.
    """
    plans: dict[str, PlansOn] = {}
    for agreement, row, ended_on in session.execute(_AGREED, {"borrower_ids": list(borrower_ids)}):
        if business_date(agreement.accepted_at) > as_of:
            continue
        offer = _OFFER.validate_python(row.terms)
        in_force = ended_on > as_of if ended_on is not None else agreement.state in ("in_force", "replaced")
        completed = agreement.state == "completed"
        stop = InterestStop(
            agreement.interest_stopped_on or offer.as_of, None if completed else ended_on, offer.interest_during_plan
        )
        waits = in_force and offer.conditional_on_completion and not completed
        for share in offer.shares:
            plans[share.debt_id] = PlansOn(
                stops=(*_until_replaced(plans.get(share.debt_id, PlansOn()).stops, offer.as_of), stop),
                number=agreement.number if in_force else None,
                waived_on_completion_fen=share.waived_fen if waits else 0,
                interest_runs=in_force and offer.interest_during_plan,
            )
    return plans


def _until_replaced(stops: Sequence[InterestStop], day: date) -> tuple[InterestStop, ...]:
    """Earlier stops, of which one that has not ended ends where that of the next plan begins."""
    return tuple(replace(stop, until_on=max(day, stop.from_on)) if stop.until_on is None else stop for stop in stops)
