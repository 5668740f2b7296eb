"""How a negotiation goes on from a figure or a wish: the next question, an answer, or offers.

Every function works inside an open transaction; ``bot.services.negotiation`` is the way in.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.services import audit, negotiation_budget, offer_basis
from bot.services.accounts import RightParty
from bot.services.deps import Deps
from bot.services.negotiation_state import Countered, NoPlan, NotSettled, Result, is_complete, state_of
from bot.services.offer_request import wish_of
from bot.services.offer_table import close, put_on_table, rests_on_budget, tabled
from bot.store import tables
from bot.workout.counter import Nearest, Objection
from bot.workout.offer import NoOffer, NoOfferReason
from bot.workout.settlement import may_settle


def advance(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> Result:
    """Answer what was wished for as soon as that is possible, else compute offers as soon as the means are known.

    Inside an open transaction.
    """
    answered = answer_wish(session, deps, party, negotiation)
    if answered is not None:
        return answered
    if not is_complete(negotiation) or negotiation.wish_kind is not None:
        return state_of(session, deps, party, negotiation)
    if negotiation.replaces_agreement_id is not None and negotiation.hardship is None:
        return state_of(session, deps, party, negotiation)
    made = offer_basis.offers_for(session, deps, party, negotiation)
    if made.no_offer is not None:
        return _no_plan(session, deps, negotiation, made.no_offer.reason)
    put_on_table(session, deps, negotiation, made.offers)
    return state_of(session, deps, party, negotiation)


def go_on_with_budget(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation, *, told: bool = True
) -> Result:
    """Ask the next thing about the budget, else go on; where nothing was told, offers that rest on it stay."""
    unchoose_in(negotiation)
    negotiation.updated_at = deps.now()
    negotiation_budget.ask_next(session, deps, party, negotiation)
    current = state_of(session, deps, party, negotiation)
    if not told and negotiation.wish is None and current.offers and rests_on_budget(session, negotiation):
        return current
    return advance(session, deps, party, negotiation)


def answer_wish(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation
) -> Countered | NoPlan | NotSettled | None:
    """Answer the kept wish; None if there is none, or if it cannot be answered yet.

    One payment asks for no monthly budget: it comes out of money in hand. Where it does not do, the budget is next.
    """
    wish = wish_of(negotiation)
    if wish is None or not negotiation.debt_ids or not (is_complete(negotiation) or wish.settle_fen is not None):
        return None
    negotiation.wish = None
    blind = not is_complete(negotiation)
    if not blind and not tabled(session, negotiation):
        # Laid out beside the answer: whoever then asks for others is not left with what is gentler than this one plan.
        put_on_table(session, deps, negotiation, offer_basis.offers_for(session, deps, party, negotiation).offers)
    request, answer = offer_basis.answer_to(session, deps, party, negotiation, wish)
    if isinstance(answer, NoOffer):
        if blind and answer.reason is NoOfferReason.NO_SURPLUS:
            negotiation.wish_kind = None
            why = Objection.DISCOUNT_ABOVE_CEILING if may_settle(request) else Objection.SETTLEMENT_NOT_OFFERED
            return NotSettled(why)
        return _no_plan(session, deps, negotiation, answer.reason)
    put_on_table(session, deps, negotiation, (answer.offer,))
    if isinstance(answer, Nearest):
        return Countered(answer.offer, answer.why)
    negotiation.chosen_offer_id = answer.offer.offer_id
    return Countered(answer.offer, None)


def _no_plan(session: Session, deps: Deps, negotiation: tables.Negotiation, reason: NoOfferReason) -> NoPlan:
    audit.record(session, deps.now(), audit.BOT, "no_offer", ("negotiation", negotiation.id), reason=reason.value)
    # A person goes on from here; when the facts have changed, the borrower starts afresh with new figures.
    close(session, deps, negotiation, "ended")
    return NoPlan(reason)


def unchoose_in(negotiation: tables.Negotiation) -> None:
    """Leave the chosen offer, and the question that was put about it."""
    negotiation.chosen_offer_id = negotiation.asked_in = None
