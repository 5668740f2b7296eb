"""Proposals beyond plain figures. ¥12,000 owed, of it ¥2,000 charges, and ¥2,000 a month within reach unless stated."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from workout_builders import AS_OF, debt, everything, percent, policy, request, role_limits, settlement

from bot.workout.counter import BorrowerProposal, Met, Nearest, NoOffer, Objection, meet
from bot.workout.offer import NoOfferReason
from bot.workout.offers import OfferKind, compute_offers
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import ApprovalRole, DeferralTerms

CHARGED = debt(10_000_00, penalty_fen=500_00, fee_fen=200_00, interest_fen=1_300_00)
GENEROUS = policy(
    penalty_waiver_percent=percent(100),
    interest_waiver_percent=percent(100),
    waiver_steps_percent=(Decimal(50), Decimal(100)),
    settlement=settlement(),
    deferral=DeferralTerms(max_months=3),
)


def answer(rules: ReliefPolicy = GENEROUS, **wish: object) -> Met | Nearest | NoOffer:
    return meet(BorrowerProposal(**wish), everything(request(CHARGED, rules=rules)))  # type: ignore[arg-type]


# A lump first -------------------------------------------------------------------------------------------------------


def test_a_lump_now_leaves_the_gentlest_instalments_for_the_rest() -> None:
    met = answer(policy(), lump_fen=2_000_00)

    assert isinstance(met, Met)
    assert (met.offer.down_payment_fen, met.offer.months, met.offer.total_fen) == (2_000_00, 24, 12_000_00)


def test_a_lump_with_a_monthly_amount_is_met_as_named() -> None:
    met = answer(policy(), lump_fen=2_000_00, monthly_fen=1_000_00)

    assert isinstance(met, Met)
    assert [part.amount_fen for part in met.offer.schedule] == [1_000_00] * 10


def test_a_lump_below_the_down_payment_is_told_so() -> None:
    rules = policy(down_payment_percent=Decimal(20))
    rich = replace(everything(request(CHARGED, rules=rules)), available_now_fen=5_000_00)

    near = meet(BorrowerProposal(lump_fen=1_000_00), rich)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.down_payment_fen) == (Objection.LUMP_TOO_SMALL, 2_400_00)


def test_a_lump_brings_a_plan_within_reach_that_was_not() -> None:
    poor = everything(request(CHARGED, rules=policy(), surplus_fen=600_00))

    assert compute_offers(poor).no_offer == NoOffer(NoOfferReason.LONGEST_PLAN_TOO_HIGH)
    assert isinstance(meet(BorrowerProposal(lump_fen=6_000_00), poor), Met)


# Interest forgiven --------------------------------------------------------------------------------------------------


def test_all_interest_is_forgiven_where_the_policy_goes_so_far() -> None:
    met = answer(waive_interest=True)

    assert isinstance(met, Met)
    assert (met.offer.waived_interest_fen, met.offer.waived_penalty_fen) == (1_300_00, 500_00)


def test_where_it_does_not_the_largest_waiver_is_offered_and_why() -> None:
    rules = policy(penalty_waiver_percent=percent(100), interest_waiver_percent=percent(40))

    near = answer(rules, waive_interest=True)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.waived_interest_fen) == (Objection.WAIVER_ABOVE_CEILING, 520_00)


def test_asking_for_all_interest_again_changes_nothing_and_later_sets_keep_it() -> None:
    asked = everything(request(CHARGED, rules=GENEROUS))
    first = meet(BorrowerProposal(waive_interest=True), asked)
    assert isinstance(first, Met)
    after = replace(asked, history=(first.offer,))

    again = meet(BorrowerProposal(waive_interest=True), after)

    assert again == first
    assert all(offer.total_fen <= first.offer.total_fen for offer in compute_offers(after).offers)


def test_forgiveness_beyond_the_bot_names_who_has_to_grant_it() -> None:
    rules = GENEROUS.model_copy(update={"authority": role_limits(bot=100_00, agent=1_000_00, supervisor=5_000_00)})
    asked = replace(everything(request(CHARGED, rules=rules)), may_seek_approval=True)

    met = meet(BorrowerProposal(waive_interest=True), asked)

    assert isinstance(met, Met)
    assert met.offer.needs_approval is ApprovalRole.SUPERVISOR


# One payment --------------------------------------------------------------------------------------------------------


def test_one_payment_closes_the_debt_for_exactly_what_was_named() -> None:
    met = answer(settle_fen=11_000_00, first_on=date(2026, 12, 15))

    assert isinstance(met, Met)
    assert [(part.due_on, part.amount_fen) for part in met.offer.schedule] == [(date(2026, 12, 15), 11_000_00)]
    # what is forgiven is spent on penalty first, then fees, then interest
    assert (met.offer.waived_penalty_fen, met.offer.waived_fee_fen, met.offer.waived_interest_fen) == (
        500_00,
        200_00,
        300_00,
    )
    assert met.offer.kind is OfferKind.SETTLEMENT


@pytest.mark.parametrize("named", [{"settle_fen": 15_000_00}, {"lump_fen": 15_000_00}])
def test_nobody_pays_more_than_is_owed(named: dict[str, int]) -> None:
    met = answer(**named)

    assert isinstance(met, Met)
    assert met.offer.total_fen == 12_000_00


def test_too_little_for_a_settlement_is_answered_by_instalments() -> None:
    near = answer(settle_fen=9_000_00)

    assert isinstance(near, Nearest)
    assert near.why is Objection.DISCOUNT_ABOVE_CEILING
    assert near.offer.kind is OfferKind.RELIEF


def test_who_has_enough_in_hand_is_told_the_least_that_settles() -> None:
    rich = everything(request(CHARGED, rules=GENEROUS, available_now_fen=20_000_00))

    near = meet(BorrowerProposal(settle_fen=9_000_00), rich)

    assert isinstance(near, Nearest)
    assert (near.offer.kind, near.offer.total_fen) == (OfferKind.SETTLEMENT, 10_000_00)


def test_without_a_settlement_in_the_policy_instalments_are_offered() -> None:
    near = answer(policy(), settle_fen=11_999_99)

    assert isinstance(near, Nearest)
    assert near.why is Objection.SETTLEMENT_NOT_OFFERED


def test_paying_everything_at_once_needs_no_settlement_in_the_policy() -> None:
    met = answer(policy(), settle_fen=12_000_00)

    assert isinstance(met, Met)
    assert [part.amount_fen for part in met.offer.schedule] == [12_000_00]
    assert (met.offer.waived_fen, met.offer.needs_approval) == (0, None)


def test_a_single_payment_on_the_table_stays_though_no_month_has_a_surplus() -> None:
    poor = everything(request(CHARGED, rules=policy(), surplus_fen=0, available_now_fen=12_000_00))
    met = meet(BorrowerProposal(settle_fen=12_000_00), poor)
    assert isinstance(met, Met)

    assert compute_offers(replace(poor, history=(met.offer,))).offers == (met.offer,)


def test_a_lump_that_covers_all_that_is_not_waived_closes_the_debt() -> None:
    # half of ¥1,800 penalty and interest is waived at first, which leaves ¥11,100
    met = answer(lump_fen=11_100_00)

    assert isinstance(met, Met)
    assert (met.offer.kind, met.offer.total_fen) == (OfferKind.SETTLEMENT, 11_100_00)


def test_a_lump_that_leaves_less_than_an_instalment_gets_the_plans_without_it() -> None:
    near = answer(policy(), lump_fen=11_950_00)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.down_payment_fen) == (Objection.BELOW_MINIMUM_INSTALMENT, 0)


@pytest.mark.parametrize(
    ("day", "why", "nearest"),
    [
        (date(2027, 2, 1), Objection.FIRST_DATE_TOO_LATE, date(2026, 12, 21)),
        (AS_OF, Objection.FIRST_DATE_TOO_EARLY, AS_OF + timedelta(days=1)),
    ],
)
def test_a_payment_day_outside_the_window_moves_to_its_edge(day: date, why: Objection, nearest: date) -> None:
    near = answer(settle_fen=11_000_00, first_on=day)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.schedule[0].due_on) == (why, nearest)


# A later start ------------------------------------------------------------------------------------------------------


def test_a_later_start_is_met_with_a_deferral() -> None:
    met = answer(first_on=date(2027, 3, 1), months=12)

    assert isinstance(met, Met)
    assert (met.offer.kind, met.offer.deferral_months) == (OfferKind.DEFERRAL, 2)
    assert met.offer.schedule[0].due_on == date(2027, 3, 1)


def test_a_later_start_alone_is_met_with_the_gentlest_plan() -> None:
    met = answer(first_on=date(2027, 3, 1))

    assert isinstance(met, Met)
    assert met.offer.schedule[0].due_on == date(2027, 3, 1)


def test_a_later_start_alone_that_is_too_late_says_so() -> None:
    near = answer(first_on=date(2027, 12, 1))

    assert isinstance(near, Nearest)
    assert near.why is Objection.FIRST_DATE_TOO_LATE


def test_a_start_beyond_the_longest_deferral_moves_to_its_end() -> None:
    near = answer(first_on=date(2027, 12, 1), months=12)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.schedule[0].due_on) == (Objection.FIRST_DATE_TOO_LATE, date(2027, 4, 5))


def test_a_deferral_used_up_is_not_granted_again() -> None:
    asked = replace(everything(request(CHARGED, rules=GENEROUS)), deferrals_used=1)

    near = meet(BorrowerProposal(first_on=date(2027, 3, 1), months=12), asked)

    assert isinstance(near, Nearest)
    assert (near.why, near.offer.deferral_months) == (Objection.FIRST_DATE_TOO_LATE, 0)


# Haggling -----------------------------------------------------------------------------------------------------------


def test_naming_the_same_figure_again_gives_the_same_offer() -> None:
    asked = everything(request(CHARGED, rules=GENEROUS))
    shown = compute_offers(asked).offers
    first = meet(BorrowerProposal(months=17), replace(asked, history=shown))
    assert isinstance(first, Met)

    again = meet(BorrowerProposal(months=17), replace(asked, history=(*shown, first.offer)))

    assert again == first


def test_a_single_payment_with_instalments_is_no_proposal() -> None:
    with pytest.raises(ValueError, match="one payment"):
        BorrowerProposal(settle_fen=1_00, months=3)
