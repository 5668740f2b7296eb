from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from workout_builders import AS_OF, debt, percent, policy, request

from bot.lending.contract import ProductKind
from bot.lending.limitation import LimitationStatus
from bot.workout.offer import DebtShare
from bot.workout.offers import NoOffer, NoOfferReason, OfferReason, OfferRequest, OfferSet, compute_offers


def months(offers: OfferSet) -> list[int]:
    return [offer.months for offer in offers.offers]


def test_a_short_a_middle_and_a_gentle_plan_are_offered() -> None:
    # ¥12,000 owed, ¥2,000 a month within reach
    made = compute_offers(request())

    assert [(offer.months, offer.reason_code, offer.rank) for offer in made.offers] == [
        (6, OfferReason.SHORTEST, 1),
        (12, OfferReason.MIDDLE, 2),
        (18, OfferReason.GENTLEST, 3),
    ]
    assert [offer.schedule[0].amount_fen for offer in made.offers] == [200_000, 100_000, 66_666]
    assert [offer.schedule[-1].amount_fen for offer in made.offers] == [200_000, 100_000, 66_678]


def test_an_instalment_never_exceeds_the_share_of_the_surplus() -> None:
    # ¥1,000 within reach: six months would take ¥2,000
    assert months(compute_offers(request(surplus_fen=2_000_00))) == [12, 18]


def test_where_one_choice_fits_the_longest_plan_joins_it() -> None:
    # ¥700 within reach: 18 months at ¥666.78, or 24 at ¥500
    assert months(compute_offers(request(surplus_fen=1_400_00))) == [18, 24]


def test_where_no_choice_fits_the_lengths_that_do_are_offered() -> None:
    # ¥550 within reach: 22 months at ¥545.57 is the shortest
    assert months(compute_offers(request(surplus_fen=1_100_00))) == [22, 24]


def test_where_only_unequal_instalments_fit_the_last_one_is_smaller() -> None:
    # ¥900 owed, ¥700 within reach, ¥500 at least: two equal ones would be too small
    rules = policy(min_months=1, month_choices=(6,), minimum_instalment_fen=500_00)

    made = compute_offers(request(debt(900_00), surplus_fen=1_400_00, rules=rules))

    assert [i.amount_fen for offer in made.offers for i in offer.schedule] == [700_00, 200_00]


def test_first_instalment_falls_on_the_first_pay_day_after_the_offer_expires() -> None:
    first = compute_offers(request(pay_day=25)).offers[0]

    assert first.expires_on == date(2026, 11, 28)
    assert [i.due_on for i in first.schedule[:2]] == [date(2026, 12, 25), date(2027, 1, 25)]


def test_no_instalment_falls_due_while_the_offer_is_still_open() -> None:
    first = compute_offers(request(pay_day=28)).offers[0]

    assert (first.expires_on, first.schedule[0].due_on) == (date(2026, 11, 28), date(2026, 12, 28))


def test_without_a_pay_day_the_first_instalment_falls_a_month_from_now() -> None:
    assert compute_offers(request(pay_day=None)).offers[0].schedule[0].due_on == date(2026, 12, 21)


def test_a_pay_day_on_the_31st_falls_on_the_last_day_of_shorter_months() -> None:
    first = compute_offers(request(pay_day=31)).offers[0]

    assert [i.due_on for i in first.schedule[:4]] == [
        date(2026, 11, 30),
        date(2026, 12, 31),
        date(2027, 1, 31),
        date(2027, 2, 28),
    ]


RELIEF = policy(
    penalty_waiver_percent=percent(100),
    fee_waiver_percent=percent(50),
    waiver_steps_percent=(Decimal(50), Decimal(100)),
)
WITH_CHARGES = debt(penalty_fen=300_00, fee_fen=100_00)


def test_waivers_lower_the_total_and_stay_within_the_step() -> None:
    first = compute_offers(request(WITH_CHARGES, rules=RELIEF)).offers[0]

    assert (first.waived_penalty_fen, first.waived_fee_fen, first.total_fen) == (150_00, 25_00, 12_225_00)


def test_the_next_set_is_never_worse_and_the_last_one_says_so() -> None:
    first = compute_offers(request(WITH_CHARGES, rules=RELIEF))
    second = compute_offers(request(WITH_CHARGES, rules=RELIEF, history=first.offers))
    third = compute_offers(request(WITH_CHARGES, rules=RELIEF, history=(*first.offers, *second.offers)))

    assert (first.is_final, second.is_final) == (False, True)
    assert all(any(new.is_no_worse_than(old) for new in second.offers) for old in first.offers)
    assert second.offers[0].total_fen == 12_050_00
    assert max(months(second)) == 24
    assert [offer.offer_id for offer in third.offers] == [offer.offer_id for offer in second.offers]


def test_a_larger_waiver_does_not_bring_a_shorter_plan_with_a_higher_instalment() -> None:
    # ¥2,000 within reach: six months cost ¥2,008.33 in the first set and ¥2,000 in the second
    rules = policy(penalty_waiver_percent=percent(100), waiver_steps_percent=(Decimal(50), Decimal(100)))
    charged = debt(penalty_fen=100_00)
    first = compute_offers(request(charged, rules=rules))

    second = compute_offers(request(charged, rules=rules, history=first.offers))

    assert (months(first), months(second)) == ([12, 18], [12, 18, 24])


def test_lengths_shown_before_come_back_cheaper() -> None:
    # ¥550 within reach: only 22 to 24 months fit at first, the choice of 18 months once the penalty is waived
    rules = policy(penalty_waiver_percent=percent(100), waiver_steps_percent=(Decimal(0), Decimal(100)))
    charged = debt(9_800_00, penalty_fen=2_200_00)
    first = compute_offers(request(charged, rules=rules, surplus_fen=1_100_00))

    second = compute_offers(request(charged, rules=rules, surplus_fen=1_100_00, history=first.offers))

    assert (months(first), months(second)) == ([22, 24], [22, 24])
    assert second.offers[0].total_fen == 9_800_00


def test_an_open_offer_stays_when_the_debt_has_grown_since() -> None:
    first = compute_offers(request())

    later = compute_offers(request(debt(12_100_00), history=first.offers, as_of=AS_OF + timedelta(days=3)))

    assert {offer.offer_id for offer in first.offers} <= {offer.offer_id for offer in later.offers}


def test_a_larger_waiver_never_takes_an_open_offer_away() -> None:
    # ¥318 owed: waiving ¥20 more brings three instalments below the minimum of ¥100
    small = debt(290_00, penalty_fen=40_00)
    rules = policy(
        max_months=3,
        month_choices=(3,),
        penalty_waiver_percent=percent(100),
        waiver_steps_percent=(Decimal(30), Decimal(100)),
    )
    first = compute_offers(request(small, rules=rules))

    second = compute_offers(request(small, rules=rules, history=first.offers))

    assert [offer.total_fen for offer in first.offers] == [318_00]
    assert (second.offers, second.is_final) == (first.offers, True)


def test_an_approved_waiver_is_not_kept_back_where_only_it_brings_a_plan_within_reach() -> None:
    # ¥500 a month within reach and 24 months at most: ¥12,400 is too much, ¥12,000 is not
    rules = policy(penalty_waiver_percent=percent(100), waiver_steps_percent=(Decimal(0), Decimal(100)))

    made = compute_offers(request(debt(penalty_fen=400_00), rules=rules, surplus_fen=1_000_00))

    assert [(offer.months, offer.total_fen, offer.round) for offer in made.offers] == [(24, 12_000_00, 2)]
    assert made.is_final


@pytest.mark.parametrize(
    ("then", "days"),
    [
        (request(debt(12_100_00)), 8),
        (request(debt(11_000_00)), 3),
        (request(debt(12_100_00), rules=policy(version="2")), 3),
        (request(debt(12_100_00), debt(1_00, debt_id="card-2")), 3),
    ],
    ids=["expired", "paid in part", "new policy", "another debt"],
)
def test_an_earlier_offer_does_not_outlive_its_ground(then: OfferRequest, days: int) -> None:
    first = compute_offers(request())

    later = compute_offers(replace(then, history=first.offers, as_of=AS_OF + timedelta(days=days)))

    assert later.offers
    assert not {offer.offer_id for offer in first.offers} & {offer.offer_id for offer in later.offers}


def test_an_earlier_offer_goes_when_it_is_no_longer_affordable() -> None:
    first = compute_offers(request())

    later = compute_offers(request(debt(12_100_00), surplus_fen=2_200_00, history=first.offers))

    assert all(offer.largest_instalment_fen <= 1_100_00 for offer in later.offers)


def test_several_debts_share_a_schedule_but_stay_apart() -> None:
    two = (debt(6_000_00, penalty_fen=100_00, debt_id="b"), debt(6_000_00, fee_fen=10_00, debt_id="a"))

    first = compute_offers(request(*two, rules=RELIEF)).offers[0]

    assert first.shares == (DebtShare("a", 6_010_00, 0, 2_50), DebtShare("b", 6_100_00, 50_00, 0))
    assert first.total_fen == sum(share.total_fen for share in first.shares)


def test_the_order_in_which_debts_are_listed_changes_nothing() -> None:
    one, two = debt(6_000_00, debt_id="a"), debt(5_000_00, debt_id="b")

    assert compute_offers(request(one, two)) == compute_offers(request(two, one))


def test_a_down_payment_comes_from_money_in_hand_only() -> None:
    rules = policy(down_payment_percent=Decimal(10))

    refused = compute_offers(request(rules=rules, available_now_fen=1_199_99))
    made = compute_offers(request(rules=rules, available_now_fen=1_200_00)).offers[0]

    assert refused.no_offer == NoOffer(NoOfferReason.DOWN_PAYMENT_NOT_AFFORDABLE)
    assert (made.down_payment_fen, sum(i.amount_fen for i in made.schedule)) == (1_200_00, 10_800_00)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request(on_hold=True), NoOfferReason.HOLD),
        (request(debt(0)), NoOfferReason.NOTHING_OWED),
        (request(debt(limitation=LimitationStatus.UNKNOWN)), NoOfferReason.TIME_BARRED_OR_UNKNOWN),
        (request(debt(limitation=LimitationStatus.POSSIBLY_EXPIRED)), NoOfferReason.TIME_BARRED_OR_UNKNOWN),
        (request(debt(product_kind=ProductKind.ONLINE_LOAN)), NoOfferReason.POLICY_NOT_APPLICABLE),
        (request(rules=policy(approved_on=date(2026, 11, 22))), NoOfferReason.POLICY_NOT_APPLICABLE),
        (request(debt(days_past_due=0)), NoOfferReason.BUCKET_NOT_ELIGIBLE),
        (request(debt(100_000_01)), NoOfferReason.ABOVE_AUTHORITY),
        (request(surplus_fen=0), NoOfferReason.NO_SURPLUS),
        (request(surplus_fen=-1), NoOfferReason.NO_SURPLUS),
        (request(surplus_fen=1), NoOfferReason.NO_SURPLUS),
        (request(surplus_fen=199_00), NoOfferReason.BELOW_MINIMUM_INSTALMENT),
        (request(debt(150_00)), NoOfferReason.BELOW_MINIMUM_INSTALMENT),
        (request(surplus_fen=900_00), NoOfferReason.LONGEST_PLAN_TOO_HIGH),
        (
            request(debt(0, penalty_fen=500_00), rules=policy(penalty_waiver_percent=percent(100))),
            NoOfferReason.POLICY_NOT_APPLICABLE,
        ),
    ],
)
def test_no_offer_always_has_a_reason(asked: OfferRequest, reason: NoOfferReason) -> None:
    assert compute_offers(asked) == OfferSet(no_offer=NoOffer(reason))


def test_the_bot_stays_within_its_authority_to_the_fen() -> None:
    assert compute_offers(request(debt(100_000_00), surplus_fen=20_000_00)).offers


def test_a_hold_wins_over_every_other_reason() -> None:
    made = compute_offers(request(debt(limitation=LimitationStatus.UNKNOWN), surplus_fen=0, on_hold=True))

    assert made.no_offer == NoOffer(NoOfferReason.HOLD)


def test_a_debt_of_unknown_age_gets_no_offer_by_default() -> None:
    aged = debt()
    unknown = type(aged)(aged.debt_id, aged.product_kind, aged.balances, aged.days_past_due)

    assert compute_offers(request(unknown)).no_offer == NoOffer(NoOfferReason.TIME_BARRED_OR_UNKNOWN)


@pytest.mark.parametrize(
    "change", [{"pay_day": 32}, {"available_now_fen": -1}, {"debts": (debt(), debt())}], ids=["day", "cash", "twice"]
)
def test_impossible_requests_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no month has|negative|named twice"):
        replace(request(), **change)  # type: ignore[arg-type]


def test_an_offer_set_is_never_empty_without_a_reason() -> None:
    with pytest.raises(ValueError, match="offers or a reason"):
        OfferSet()
