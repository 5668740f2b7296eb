"""What each set of offers was computed from, kept beside it, so that it can be computed anew years later.

Offers are computed, never composed: equal facts under an equal policy give equal offers. So the facts are all that has
to be kept. The policy is named by its version and lies in the archive of rules; earlier offers are named by number.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import rule_archive
from bot.services.deps import Deps
from bot.services.offer_request import WISH_CODEC, request_of
from bot.services.offer_table import read_offer, tabled
from bot.services.proof import RightParty
from bot.services.rule_archive import POLICY
from bot.store import tables
from bot.workout.counter import BorrowerProposal, Met, Nearest, meet
from bot.workout.offer import NoOffer, Offer, OfferSet
from bot.workout.offers import compute_offers
from bot.workout.policy import ReliefPolicy, load_policy
from bot.workout.request import OfferRequest

_FACTS: TypeAdapter[OfferRequest] = TypeAdapter(OfferRequest)
_SET: TypeAdapter[OfferSet] = TypeAdapter(OfferSet)
_ANSWER: TypeAdapter[Met | Nearest | NoOffer] = TypeAdapter(Met | Nearest | NoOffer)

_NAMED = ("policy", "history")
"""Facts that are named rather than written out."""


class OffersVerdict(StrEnum):
    """What became of a set of offers that was computed anew."""

    SAME = "same"
    OTHER_OFFERS = "other_offers"
    NO_POLICY = "no_policy"
    UNREADABLE = "unreadable"

    @property
    def differs(self) -> bool:
        """Whether it came out otherwise; what can no longer be computed does not count as that."""
        return self is OffersVerdict.OTHER_OFFERS

    @property
    def is_undecided(self) -> bool:
        """Whether it can no longer be computed anew."""
        return self in (OffersVerdict.NO_POLICY, OffersVerdict.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A set of offers, or the answer to a wish, and what became of it."""

    basis_id: str
    made_at: datetime
    policy: str
    verdict: OffersVerdict


def offers_for(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> OfferSet:
    """Compute the next set of offers inside an open transaction, and keep what it was computed from."""
    request = request_of(session, deps, party, negotiation)
    made = compute_offers(request)
    _keep(session, deps, party, negotiation, request, None, _digest(_SET.dump_json(made)))
    return made


def answer_to(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation, wish: BorrowerProposal
) -> tuple[OfferRequest, Met | Nearest | NoOffer]:
    """Answer a wish inside an open transaction, and keep what the answer was computed from; returns that as well."""
    request = request_of(session, deps, party, negotiation)
    answer = meet(wish, request)
    _keep(session, deps, party, negotiation, request, wish, _digest(_ANSWER.dump_json(answer)))
    return request, answer


def recompute(deps: Deps, conversation_id: str) -> tuple[Recomputed, ...]:
    """Compute anew every set of offers made in a conversation, each under the policy of its day, oldest first."""
    with deps.read() as session:
        rows = session.scalars(
            select(tables.OfferBasis)
            .where(tables.OfferBasis.conversation_id == conversation_id)
            .order_by(tables.OfferBasis.made_at, tables.OfferBasis.id)
        ).all()
        offers = {row.negotiation_id: _offers_of(session, row.negotiation_id) for row in rows}
    policies = {
        (row.policy_code, row.policy_version): _policy_then(deps, row.policy_code, row.policy_version) for row in rows
    }
    return tuple(
        Recomputed(
            row.id,
            row.made_at,
            f"{row.policy_code} {row.policy_version}",
            _verdict(row, policies[row.policy_code, row.policy_version], offers[row.negotiation_id]),
        )
        for row in rows
    )


def _keep(
    session: Session,
    deps: Deps,
    party: RightParty,
    negotiation: tables.Negotiation,
    request: OfferRequest,
    wish: BorrowerProposal | None,
    digest: str,
) -> None:
    facts = _FACTS.dump_python(request, mode="json", exclude=set(_NAMED))
    session.add(
        tables.OfferBasis(
            negotiation_id=negotiation.id,
            conversation_id=party.conversation_id,
            policy_code=request.policy.code,
            policy_version=request.policy.version,
            facts={**facts, "history": [offer.offer_id for offer in request.history]},
            wish=WISH_CODEC.dump_python(wish, mode="json") if wish is not None else None,
            outcome_digest=digest,
            made_at=deps.now(),
        )
    )


def _verdict(row: tables.OfferBasis, policy: ReliefPolicy | None, offers: Mapping[str, Offer]) -> OffersVerdict:
    if policy is None:
        return OffersVerdict.NO_POLICY
    try:
        request = _request(row.facts, policy, offers)
        wish = WISH_CODEC.validate_python(row.wish) if row.wish is not None else None
    except (ValidationError, KeyError):
        return OffersVerdict.UNREADABLE
    again = _SET.dump_json(compute_offers(request)) if wish is None else _ANSWER.dump_json(meet(wish, request))
    return OffersVerdict.SAME if _digest(again) == row.outcome_digest else OffersVerdict.OTHER_OFFERS


def _request(facts: Mapping[str, Any], policy: ReliefPolicy, offers: Mapping[str, Offer]) -> OfferRequest:
    named: Sequence[str] = facts["history"]
    history = tuple(offers[number] for number in named)
    return _FACTS.validate_python({**facts, "policy": policy, "history": history})


def _offers_of(session: Session, negotiation_id: str) -> dict[str, Offer]:
    rows = tabled(session, session.get_one(tables.Negotiation, negotiation_id))
    return {row.content_hash: read_offer(row) for row in rows}


def _policy_then(deps: Deps, code: str, version: str) -> ReliefPolicy | None:
    with tempfile.TemporaryDirectory(prefix="desk-policy-") as folder:
        if rule_archive.lay_out(deps, {f"{POLICY}{code}": version}, Path(folder)):
            return None
        (path,) = (Path(folder) / "policies").glob("*.yml")
        return load_policy(path)


def _digest(outcome: bytes) -> str:
    return sha256(outcome).hexdigest()
