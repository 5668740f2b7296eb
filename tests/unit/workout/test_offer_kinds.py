"""Settlement, deferral, interest waivers and the protected floor. ¥12,000 owed and ¥2,000 a month unless stated."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from workout_builders import AS_OF, debt, everything, percent, policy, request, settlement

from bot.lending.delinquency import DelinquencyBucket
from bot.workout.affordability import Affordability
from bot.workout.offer import NextStep, NoOffer, NoOfferReason
from bot.workout.offers import ExpectedRecovery, OfferKind, OfferReason, OfferRequest, compute_offers
from bot.workout.policy_sections import DeferralTerms, HardshipKind

CHARGED = debt(10_000_00, penalty_fen=500_00, fee_fen=200_00, interest_fen=1_300_00)
SETTLES = policy(settlement=settlement())
DEFERS = policy(deferral=DeferralTerms(max_months=3))
BACK_AT_WORK = ExpectedRecovery(3, Affordability(5_000_00, 3_000_00))


def kinds(asked: OfferRequest) -> list[OfferKind]:
    return [offer.kind for offer in compute_offers(asked).offers]


# Settlement ---------------------------------------------------------------------------------------------------------


def test_who_has_the_money_in_hand_may_settle_for_less() -> None:
    made = compute_offers(everything(request(CHARGED, rules=SETTLES, available_now_fen=10_000_00)))

    first = made.offers[0]
    assert (first.kind, first.reason_code, first.total_fen) == (
        OfferKind.SETTLEMENT,
        OfferReason.ONE_PAYMENT,
        10_000_00,
    )
    assert [(part.due_on, part.amount_fen) for part in first.schedule] == [(date(2026, 12, 21), 10_000_00)]
    assert len(made.offers) == 3


@pytest.mark.parametrize(
    "asked",
    [
        everything(request(CHARGED, rules=SETTLES, available_now_fen=9_999_99)),
        everything(request(CHARGED, rules=policy(), available_now_fen=12_000_00)),
        everything(request(debt(days_past_due=90), rules=SETTLES, available_now_fen=12_000_00)),
        request(CHARGED, rules=SETTLES, available_now_fen=12_000_00),
    ],
    ids=["money short by a fen", "no settlement in the policy", "not late enough", "caller cannot agree one"],
)
def test_no_settlement_is_offered(asked: OfferRequest) -> None:
    assert OfferKind.SETTLEMENT not in kinds(asked)


def test_principal_is_forgiven_only_where_the_policy_says_so() -> None:
    rules = policy(settlement=settlement(principal_percent=Decimal(10)))

    first = compute_offers(everything(request(CHARGED, rules=rules, available_now_fen=9_000_00))).offers[0]

    assert (first.total_fen, first.waived_principal_fen, first.waived_interest_fen) == (9_000_00, 1_000_00, 1_300_00)


def test_few_payments_take_the_first_from_money_in_hand_and_the_rest_from_the_months() -> None:
    rules = policy(settlement=settlement(max_payments=6))

    first = compute_offers(everything(request(CHARGED, rules=rules, available_now_fen=2_000_00))).offers[0]

    assert (first.kind, first.down_payment_fen) == (OfferKind.SETTLEMENT, 1_666_70)
    assert [part.amount_fen for part in first.schedule] == [1_666_66] * 5


def test_a_lump_settles_also_where_no_month_has_a_surplus() -> None:
    made = compute_offers(everything(request(CHARGED, rules=SETTLES, surplus_fen=0, available_now_fen=10_000_00)))

    assert [offer.kind for offer in made.offers] == [OfferKind.SETTLEMENT]


# Deferral -----------------------------------------------------------------------------------------------------------


def test_without_a_surplus_now_the_plan_begins_when_work_does() -> None:
    made = compute_offers(everything(replace(request(surplus_fen=0, rules=DEFERS), recovery=BACK_AT_WORK)))

    first = made.offers[0]
    assert (first.kind, first.deferral_months) == (OfferKind.DEFERRAL, 3)
    assert first.schedule[0].due_on == date(2027, 3, 15)
    assert all(offer.largest_instalment_fen <= 1_000_00 for offer in made.offers)


@pytest.mark.parametrize(
    "change",
    [
        {"recovery": None},
        {"recovery": ExpectedRecovery(4, Affordability(5_000_00, 3_000_00))},
        {"recovery": BACK_AT_WORK, "deferrals_used": 1},
        {"recovery": ExpectedRecovery(3, Affordability(3_000_00, 3_000_00))},
    ],
    ids=["no recovery in sight", "too far away", "used up", "no better then"],
)
def test_waiting_that_helps_nobody_is_not_offered(change: dict[str, object]) -> None:
    made = compute_offers(everything(replace(request(surplus_fen=0, rules=DEFERS), **change)))  # type: ignore[arg-type]

    assert made.no_offer == NoOffer(NoOfferReason.NO_SURPLUS)
    assert made.no_offer.next_step is NextStep.HARDSHIP_PATH


def test_who_can_pay_now_and_more_later_is_shown_both() -> None:
    better = ExpectedRecovery(2, Affordability(9_000_00, 3_000_00))
    asked = everything(replace(request(surplus_fen=1_000_00, rules=DEFERS), recovery=better))

    made = compute_offers(asked)

    later = [offer for offer in made.offers if offer.reason_code is OfferReason.LATER_START]
    assert len(later) == 1
    assert later[0].months_to_freedom < max(offer.months for offer in made.offers if offer.kind is OfferKind.INSTALMENT)


SAVES_FIRST = policy(deferral=DeferralTerms(max_months=3, reserve_percent=Decimal(50)))


@pytest.mark.parametrize(
    ("savings_fen", "surplus_fen", "months"),
    [
        (None, 500_00, 0),
        (1_500_00, 500_00, 0),
        (1_499_99, 500_00, 1),
        (0, 1_500_00, 1),
        (0, 749_00, 3),
        (0, 100_00, 3),
    ],
)
def test_a_plan_begins_once_half_a_months_spending_is_put_by(
    savings_fen: int | None, surplus_fen: int, months: int
) -> None:
    # ¥3,000 of essential spending: ¥1,500 is half
    asked = request(debt(2_000_00), surplus_fen=surplus_fen, rules=SAVES_FIRST)

    assert everything(replace(asked, savings_fen=savings_fen)).deferral_choices == (months,)


def test_the_reserve_is_saved_after_the_recovery_where_there_is_none_before() -> None:
    asked = replace(request(surplus_fen=-500_00, rules=SAVES_FIRST), savings_fen=0)
    back = ExpectedRecovery(2, Affordability(4_500_00, 3_000_00))

    made = compute_offers(everything(replace(asked, recovery=back)))

    assert {offer.deferral_months for offer in made.offers} == {3}


# Interest, savings, hardship, floor ---------------------------------------------------------------------------------


def test_interest_is_waived_only_where_policy_and_caller_both_can() -> None:
    rules = policy(interest_waiver_percent=percent(50))

    plain = compute_offers(request(CHARGED, rules=rules)).offers[0]
    full = compute_offers(everything(request(CHARGED, rules=rules))).offers[0]

    assert (plain.waived_interest_fen, full.waived_interest_fen) == (0, 650_00)
    assert (plain.kind, full.kind) == (OfferKind.INSTALMENT, OfferKind.RELIEF)
    assert full.total_fen == 12_000_00 - 650_00


def test_what_a_plan_saves_includes_the_interest_that_stops() -> None:
    # ¥1,200 in three instalments on 21 December, January and February: 30 days on 1200, 31 on 800, 31 on 400
    owed = debt(1_200_00, running_annual_rate=Decimal("0.365"))

    offer = compute_offers(request(owed, rules=policy(month_choices=(3,)), pay_day=None)).offers[0]

    assert offer.months == 3
    assert offer.interest_stopped_fen == (1_200 * 30 + 800 * 31 + 400 * 31) // 10
    assert offer.saved_fen == offer.interest_stopped_fen


def test_no_saving_is_claimed_where_a_rate_is_unknown() -> None:
    known = debt(debt_id="known", running_annual_rate=Decimal("0.2"))

    assert compute_offers(request(known, debt(debt_id="unknown"))).offers[0].interest_stopped_fen == 0


def test_hardship_opens_a_bucket_to_its_own_kind_only() -> None:
    current = (DelinquencyBucket.CURRENT,)
    rules = policy(excluded_buckets=current, hardship_buckets={HardshipKind.ILLNESS: current})
    early = request(debt(days_past_due=0), rules=rules)

    assert compute_offers(early).no_offer == NoOffer(NoOfferReason.BUCKET_NOT_ELIGIBLE)
    assert compute_offers(replace(early, hardship=HardshipKind.OTHER)).no_offer is not None
    assert compute_offers(replace(early, hardship=HardshipKind.ILLNESS)).offers


def test_the_protected_floor_is_kept_for_everybody_in_the_household() -> None:
    rules = policy(protected_floor_fen_per_person=800_00)
    stated = Affordability(4_000_00, 1_000_00, dependants=2)

    asked = replace(request(debt(2_000_00), rules=rules), affordability=stated)

    # ¥4,000 less three times ¥800 leaves ¥1,600, half of which an instalment may take
    assert asked.capacity_fen == 800_00
    assert all(offer.largest_instalment_fen <= 800_00 for offer in compute_offers(asked).offers)


def test_spending_above_the_floor_counts_in_full() -> None:
    rules = policy(protected_floor_fen_per_person=800_00)

    assert request(rules=rules).capacity_fen == 2_000_00


def test_a_larger_down_payment_is_a_choice_and_not_a_duty() -> None:
    rules = policy(down_payment_choices_percent=(Decimal(20),))

    made = compute_offers(request(rules=rules, available_now_fen=5_000_00))

    assert {offer.down_payment_fen for offer in made.offers} <= {0, 2_400_00}
    assert any(offer.down_payment_fen == 0 for offer in made.offers)


def test_a_down_payment_opens_a_plan_that_would_otherwise_be_too_long() -> None:
    rules = policy(down_payment_choices_percent=(Decimal(50),))

    made = compute_offers(request(rules=rules, surplus_fen=600_00, available_now_fen=6_000_00))

    assert {offer.down_payment_fen for offer in made.offers} == {6_000_00}


def test_every_offer_names_its_kind_and_ground() -> None:
    offer = compute_offers(request()).offers[0]

    assert (offer.kind, offer.as_of, offer.policy_version) == (OfferKind.INSTALMENT, AS_OF, "1")
