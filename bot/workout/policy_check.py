"""Whether the approved policies leave nobody without an answer, and whom a change of policy would touch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.workout.offer import NoOffer, NoOfferReason, Offer, OfferSet
from bot.workout.offers import compute_offers
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import HardshipKind
from bot.workout.request import OfferRequest


class CoverageProblem(StrEnum):
    """What can be wrong with one case."""

    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class CoverageFault:
    """One case that no policy answers, or more than one; ``hardship`` None is a borrower who has told of none."""

    problem: CoverageProblem
    product_kind: ProductKind
    bucket: DelinquencyBucket
    hardship: HardshipKind | None
    policies: tuple[str, ...] = ()

    def __str__(self) -> str:
        case = (
            f"{self.product_kind.value}, {self.bucket.value}, {self.hardship.value if self.hardship else 'no hardship'}"
        )
        named = f": {', '.join(self.policies)}" if self.policies else ""
        return f"{self.problem.value}: {case}{named}"


def check_policies(policies: Iterable[ReliefPolicy]) -> tuple[CoverageFault, ...]:
    """Every gap and overlap over product kind, bucket and hardship, by trying all of them; empty if all is well.

    A policy answers a case by serving it or by excluding its bucket, which sends the borrower to a person on purpose.
    """
    known = sorted(policies, key=lambda policy: (policy.code, policy.version))
    faults: list[CoverageFault] = []
    for kind in ProductKind:
        for bucket in DelinquencyBucket:
            for hardship in (None, *HardshipKind):
                answering = [
                    f"{policy.code}:{policy.version}"
                    for policy in known
                    if policy.product_kind is kind
                    and (policy.serves(bucket, hardship) or bucket in policy.excluded_buckets)
                ]
                if len(answering) != 1:
                    problem = CoverageProblem.OVERLAP if answering else CoverageProblem.GAP
                    faults.append(CoverageFault(problem, kind, bucket, hardship, tuple(answering)))
    return tuple(faults)


@dataclass(frozen=True, slots=True)
class Difference:
    """One request that comes out differently; ``place`` is its position among the requests, from 0."""

    place: int
    before: OfferSet
    after: OfferSet


def differences(
    requests: Iterable[OfferRequest],
    old: Mapping[ProductKind, ReliefPolicy],
    new: Mapping[ProductKind, ReliefPolicy],
) -> tuple[Difference, ...]:
    """Which requests come out differently under the new policies.

    What counts is what the borrower would see: amounts, dates, waivers, whose approval, which proof, or why there is no
    offer. Policy versions and the ids that follow from them do not count. The policy a request carries is replaced.
    """
    found: list[Difference] = []
    for place, request in enumerate(requests):
        before, after = (_under(request, policies) for policies in (old, new))
        if _seen(before) != _seen(after):
            found.append(Difference(place, before, after))
    return tuple(found)


def _under(request: OfferRequest, policies: Mapping[ProductKind, ReliefPolicy]) -> OfferSet:
    kinds = {debt.product_kind for debt in request.debts}
    policy = policies.get(next(iter(kinds))) if len(kinds) == 1 else None
    if policy is None:
        return OfferSet(no_offer=NoOffer(NoOfferReason.POLICY_NOT_APPLICABLE))
    return compute_offers(replace(request, policy=policy))


def _seen(made: OfferSet) -> tuple[NoOffer | None, bool, tuple[Offer, ...]]:
    neutral = tuple(replace(offer, offer_id="", policy_code="", policy_version="") for offer in made.offers)
    return made.no_offer, made.is_final, neutral
