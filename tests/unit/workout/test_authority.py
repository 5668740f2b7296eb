from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from workout_builders import AS_OF, debt, percent, policy, request, role_limits

from bot.workout.authority import DecisionRefusal, MayDecide, grant_limits, lowest_grantor, may_decide
from bot.workout.offer import NoOffer, NoOfferReason
from bot.workout.offers import OfferReason, compute_offers
from bot.workout.policy_sections import ApprovalRole, Authority

CHARGED = debt(penalty_fen=3_000_00)
RELIEF = policy(
    penalty_waiver_percent=percent(100), authority=role_limits(bot=500_00, agent=1_000_00, supervisor=2_000_00)
)


def test_the_bot_waives_no_more_than_it_may_grant() -> None:
    assert {offer.waived_fen for offer in compute_offers(request(CHARGED, rules=RELIEF)).offers} == {500_00}


def test_without_a_stated_authority_every_waiver_needs_a_person() -> None:
    rules = policy(penalty_waiver_percent=percent(100), authority=Authority())

    alone = compute_offers(request(CHARGED, rules=rules))
    asking = compute_offers(replace(request(CHARGED, rules=rules), may_seek_approval=True))

    assert {offer.waived_fen for offer in alone.offers} == {0}
    assert {(offer.waived_fen, offer.needs_approval) for offer in asking.offers} == {
        (0, None),
        (3_000_00, ApprovalRole.SUPERVISOR),
    }


def test_a_larger_waiver_names_the_lowest_role_that_may_grant_it() -> None:
    made = compute_offers(replace(request(CHARGED, rules=RELIEF), may_seek_approval=True))

    larger = [offer for offer in made.offers if offer.reason_code is OfferReason.LARGER_WAIVER]
    assert [(offer.waived_fen, offer.needs_approval) for offer in larger] == [(1_000_00, ApprovalRole.AGENT)]
    assert len(made.offers) == 3


def test_a_debt_beyond_the_bot_goes_to_the_role_that_may_decide_on_it() -> None:
    large = request(debt(100_000_01), surplus_fen=20_000_00, rules=policy(authority=Authority()))

    assert compute_offers(large).no_offer == NoOffer(NoOfferReason.ABOVE_AUTHORITY)
    asking = compute_offers(replace(large, may_seek_approval=True))
    assert {offer.needs_approval for offer in asking.offers} == {ApprovalRole.SUPERVISOR}


def test_a_debt_beyond_everybody_gets_no_offer() -> None:
    large = request(debt(100_000_01), surplus_fen=20_000_00, rules=RELIEF)

    made = compute_offers(replace(large, may_seek_approval=True))

    assert made.no_offer == NoOffer(NoOfferReason.ABOVE_AUTHORITY)


def test_the_percentage_binds_where_it_is_lower_than_the_sum() -> None:
    rules = policy(authority={"bot": {"largest_waiver_fen": 10_000_00, "largest_waiver_percent": Decimal("12.5")}})

    assert grant_limits(rules, 333)[0].largest_waiver_fen == 41


@pytest.mark.parametrize(
    ("waived_fen", "role"),
    [(500_00, None), (500_01, ApprovalRole.AGENT), (1_000_01, ApprovalRole.SUPERVISOR)],
)
def test_who_may_grant_it_changes_at_each_limit_to_the_fen(waived_fen: int, role: ApprovalRole | None) -> None:
    found = lowest_grantor(grant_limits(RELIEF, 15_000_00), 15_000_00, waived_fen)

    assert found is not None
    assert found.role is role


def test_beyond_every_limit_nobody_may_grant_it() -> None:
    assert lowest_grantor(grant_limits(RELIEF, 15_000_00), 15_000_00, 2_000_01) is None


LAST_DAY = AS_OF + timedelta(days=7)
AGENT, SUPERVISOR = ApprovalRole.AGENT, ApprovalRole.SUPERVISOR


@pytest.mark.parametrize(
    ("decider", "role", "needed", "today", "answer"),
    [
        ("bo", AGENT, AGENT, AS_OF, MayDecide()),
        ("bo", SUPERVISOR, AGENT, LAST_DAY, MayDecide()),
        ("bo", AGENT, SUPERVISOR, AS_OF, DecisionRefusal.ROLE_TOO_LOW),
        ("bo", None, AGENT, AS_OF, DecisionRefusal.ROLE_TOO_LOW),
        ("an", SUPERVISOR, AGENT, AS_OF, DecisionRefusal.OWN_REQUEST),
        ("bo", SUPERVISOR, AGENT, LAST_DAY + timedelta(days=1), DecisionRefusal.OFFER_EXPIRED),
        ("bo", SUPERVISOR, None, AS_OF, DecisionRefusal.NOTHING_TO_DECIDE),
    ],
)
def test_two_pairs_of_eyes_decide_in_time_and_in_their_role(
    decider: str,
    role: ApprovalRole | None,
    needed: ApprovalRole | None,
    today: date,
    answer: MayDecide | DecisionRefusal,
) -> None:
    assert may_decide("an", decider, role, needed, LAST_DAY, today) == answer


def test_proof_is_asked_for_above_the_share_that_the_policy_names() -> None:
    rules = policy(penalty_waiver_percent=percent(100), evidence_above_waiver_percent=Decimal(20))

    at_limit = compute_offers(request(debt(12_000_00, penalty_fen=3_000_00), rules=rules)).offers[0]
    above = compute_offers(request(debt(12_000_00, penalty_fen=3_000_01), rules=rules)).offers[0]

    assert (at_limit.needs_evidence, above.needs_evidence) == (False, True)
