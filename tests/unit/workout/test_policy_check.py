from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from workout_builders import debt, percent, policy, request

from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.workout.offer import NoOffer, NoOfferReason
from bot.workout.policy import load_policies
from bot.workout.policy_check import CoverageProblem, check_policies, differences
from bot.workout.policy_sections import HardshipKind

SHIPPED = Path(__file__).parents[3] / "data" / "policies"
CURRENT = (DelinquencyBucket.CURRENT,)
CARD = policy(excluded_buckets=CURRENT)


def faults_of_cards(*policies: object) -> set[tuple[CoverageProblem, DelinquencyBucket, HardshipKind | None]]:
    found = check_policies(policies)  # type: ignore[arg-type]
    return {(f.problem, f.bucket, f.hardship) for f in found if f.product_kind is ProductKind.CREDIT_CARD}


def test_the_shipped_policies_answer_every_case_exactly_once() -> None:
    assert check_policies(load_policies(SHIPPED).values()) == ()


def test_a_bucket_nobody_speaks_of_is_a_gap_for_every_hardship() -> None:
    assert faults_of_cards(policy()) == {
        (CoverageProblem.GAP, DelinquencyBucket.CURRENT, hardship) for hardship in (None, *HardshipKind)
    }


def test_a_hardship_closes_the_gap_for_itself_alone() -> None:
    widened = policy(hardship_buckets={HardshipKind.ILLNESS: CURRENT})

    assert (CoverageProblem.GAP, DelinquencyBucket.CURRENT, HardshipKind.ILLNESS) not in faults_of_cards(widened)
    assert (CoverageProblem.GAP, DelinquencyBucket.CURRENT, None) in faults_of_cards(widened)


def test_two_policies_for_one_case_overlap_and_are_both_named() -> None:
    other = policy(
        code="other_relief", eligible_buckets=(DelinquencyBucket.DPD_1_30,), excluded_buckets=(), month_choices=(6,)
    )

    found = [fault for fault in check_policies([CARD, other]) if fault.product_kind is ProductKind.CREDIT_CARD]

    assert {fault.bucket for fault in found} == {DelinquencyBucket.DPD_1_30}
    assert {fault.problem for fault in found} == {CoverageProblem.OVERLAP}
    assert found[0].policies == ("other_relief:1", "test_relief:1")
    assert str(found[0]) == "overlap: credit_card, dpd_1_30, no hardship: other_relief:1, test_relief:1"


def test_a_product_without_a_policy_is_a_gap_throughout() -> None:
    kinds = {fault.product_kind for fault in check_policies([CARD])}

    assert kinds == set(ProductKind) - {ProductKind.CREDIT_CARD}


REQUESTS = (
    request(debt(penalty_fen=500_00)),
    request(debt(debt_id="no-penalty")),
    request(debt(days_past_due=0)),
)
OLD = {ProductKind.CREDIT_CARD: CARD}


def test_a_new_version_alone_touches_nobody() -> None:
    assert differences(REQUESTS, OLD, {ProductKind.CREDIT_CARD: policy(version="2", excluded_buckets=CURRENT)}) == ()


def test_a_new_ceiling_touches_those_who_owe_what_it_waives() -> None:
    new = {ProductKind.CREDIT_CARD: policy(version="2", penalty_waiver_percent=percent(50))}

    found = differences(REQUESTS, OLD, new)

    assert [difference.place for difference in found] == [0]
    assert found[0].after.offers[0].total_fen < found[0].before.offers[0].total_fen


def test_a_policy_withdrawn_touches_whoever_had_an_offer() -> None:
    found = differences(REQUESTS, OLD, {})

    assert [difference.place for difference in found] == [0, 1, 2]
    assert {difference.after.no_offer for difference in found} == {NoOffer(NoOfferReason.POLICY_NOT_APPLICABLE)}


def test_the_policy_a_request_happens_to_carry_does_not_matter() -> None:
    carrying = [replace(each, policy=policy(surplus_share_max=Decimal("0.1"))) for each in REQUESTS]

    assert differences(carrying, OLD, OLD) == ()


@pytest.mark.parametrize("change", [{"surplus_share_max": Decimal("0.25")}, {"offer_valid_days": 6}])
def test_what_a_borrower_would_see_counts(change: dict[str, object]) -> None:
    new = {ProductKind.CREDIT_CARD: policy(excluded_buckets=CURRENT, **change)}

    assert {difference.place for difference in differences(REQUESTS, OLD, new)} == {0, 1}
