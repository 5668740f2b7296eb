"""Trying figures: what the engine offers on some facts, and the nearest to what somebody names."""

from __future__ import annotations

from dataclasses import dataclass

from bot.workout.bounds import Objection
from bot.workout.counter import BorrowerProposal, Nearest, meet
from bot.workout.offer import NoOffer, NoOfferReason, Offer
from bot.workout.offers import compute_offers
from bot.workout.request import OfferRequest


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: the answer to the named figures first, then the set on the table or the next one.

    ``why`` says why the first is not exactly what was named, or why there is none.
    """

    offers: tuple[Offer, ...]
    why: Objection | NoOfferReason | None


def tried(facts: OfferRequest, proposal: BorrowerProposal | None) -> Tried:
    """Compute the offers for some facts, and the answer to a proposal where there is one. Equal facts, equal offers."""
    found: list[Offer] = []
    why: Objection | NoOfferReason | None = None
    if proposal is not None:
        answer = meet(proposal, facts)
        if isinstance(answer, NoOffer):
            why = answer.reason
        else:
            why = answer.why if isinstance(answer, Nearest) else None
            found.append(answer.offer)
    made = compute_offers(facts)
    if made.no_offer is not None and proposal is None:
        why = made.no_offer.reason
    by_id = {offer.offer_id: offer for offer in reversed((*found, *made.offers))}
    return Tried(tuple(dict.fromkeys(by_id[offer.offer_id] for offer in (*found, *made.offers))), why)
