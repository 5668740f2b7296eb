from datetime import date

import pytest
from workout_builders import debt, policy, request

from bot.workout.counter import BorrowerProposal, Met, Nearest, NoOffer, Objection, meet
from bot.workout.offer import NoOfferReason, OfferReason


def test_a_monthly_figure_is_met_exactly_with_a_smaller_last_instalment() -> None:
    answer = meet(BorrowerProposal(monthly_fen=800_00), request(debt(12_100_00)))

    assert isinstance(answer, Met)
    assert [i.amount_fen for i in answer.offer.schedule] == [800_00] * 15 + [100_00]
    assert answer.offer.reason_code is OfferReason.BORROWER_PROPOSAL


def test_a_number_of_months_is_met_exactly() -> None:
    answer = meet(BorrowerProposal(months=17), request())

    assert isinstance(answer, Met)
    assert answer.offer.months == 17


def test_a_first_date_of_the_borrowers_own_is_met() -> None:
    answer = meet(BorrowerProposal(months=12, first_on=date(2026, 12, 1)), request())

    assert isinstance(answer, Met)
    assert [i.due_on for i in answer.offer.schedule[:2]] == [date(2026, 12, 1), date(2027, 1, 1)]


def test_an_offer_expires_before_its_first_instalment_is_due() -> None:
    answer = meet(BorrowerProposal(months=12, first_on=date(2026, 11, 23)), request())

    assert isinstance(answer, Met)
    assert answer.offer.expires_on == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("proposal", "why", "amounts"),
    [
        (BorrowerProposal(monthly_fen=2_500_00), Objection.ABOVE_AFFORDABILITY, (2_000_00,) * 6),
        (BorrowerProposal(monthly_fen=400_00), Objection.TOO_MANY_MONTHS, (500_00,) * 24),
        (BorrowerProposal(monthly_fen=1), Objection.BELOW_MINIMUM_INSTALMENT, (500_00,) * 24),
        (BorrowerProposal(months=3), Objection.ABOVE_AFFORDABILITY, (2_000_00,) * 6),
        (BorrowerProposal(months=36), Objection.TOO_MANY_MONTHS, (500_00,) * 24),
        (BorrowerProposal(months=10**12), Objection.TOO_MANY_MONTHS, (500_00,) * 24),
        (BorrowerProposal(monthly_fen=600_00, months=12), Objection.FIGURES_DISAGREE, (600_00,) * 20),
        (BorrowerProposal(), Objection.NO_FIGURE, (500_00,) * 24),
    ],
)
def test_what_cannot_be_met_gets_the_nearest_plan_and_why(
    proposal: BorrowerProposal, why: Objection, amounts: tuple[int, ...]
) -> None:
    # ¥12,000 owed, ¥2,000 a month within reach, at most 24 months
    answer = meet(proposal, request())

    assert isinstance(answer, Nearest)
    assert answer.why is why
    assert tuple(i.amount_fen for i in answer.offer.schedule) == amounts
    assert answer.offer.reason_code is OfferReason.NEAREST_TO_PROPOSAL


def test_paying_faster_than_the_shortest_plan_is_answered_by_the_shortest_plan() -> None:
    answer = meet(BorrowerProposal(monthly_fen=1_000_00), request(debt(1_500_00)))

    assert isinstance(answer, Nearest)
    assert (answer.why, answer.offer.months) == (Objection.TOO_FEW_MONTHS, 3)


@pytest.mark.parametrize("months", [1, 2])
def test_fewer_months_than_the_policy_has_are_answered_by_its_shortest_plan(months: int) -> None:
    answer = meet(BorrowerProposal(months=months), request(debt(1_500_00)))

    assert isinstance(answer, Nearest)
    assert (answer.why, answer.offer.months) == (Objection.TOO_FEW_MONTHS, 3)


def test_more_months_than_the_minimum_instalment_allows() -> None:
    answer = meet(BorrowerProposal(months=20), request(debt(1_500_00)))

    assert isinstance(answer, Nearest)
    assert (answer.why, answer.offer.months) == (Objection.BELOW_MINIMUM_INSTALMENT, 15)


def test_with_months_and_a_monthly_ceiling_that_agree_the_months_hold() -> None:
    answer = meet(BorrowerProposal(monthly_fen=1_500_00, months=10), request())

    assert isinstance(answer, Met)
    assert [i.amount_fen for i in answer.offer.schedule] == [1_200_00] * 10


def test_more_a_month_than_is_owed_settles_it_at_once_where_the_policy_allows() -> None:
    answer = meet(BorrowerProposal(monthly_fen=9_000_00), request(debt(900_00), rules=policy(min_months=1)))

    assert isinstance(answer, Met)
    assert [i.amount_fen for i in answer.offer.schedule] == [900_00]


@pytest.mark.parametrize(
    ("first_on", "why", "nearest"),
    [
        (date(2026, 11, 21), Objection.FIRST_DATE_TOO_EARLY, date(2026, 11, 22)),
        (date(2027, 6, 1), Objection.FIRST_DATE_TOO_LATE, date(2027, 1, 5)),
    ],
)
def test_a_first_date_outside_the_window_moves_to_its_edge(first_on: date, why: Objection, nearest: date) -> None:
    answer = meet(BorrowerProposal(months=12, first_on=first_on), request())

    assert isinstance(answer, Nearest)
    assert (answer.why, answer.offer.schedule[0].due_on, answer.offer.months) == (why, nearest, 12)


def test_a_proposal_is_refused_for_the_same_reasons_as_an_offer() -> None:
    assert meet(BorrowerProposal(monthly_fen=100_00), request(on_hold=True)) == NoOffer(NoOfferReason.HOLD)


def test_a_borrower_without_surplus_is_not_taken_at_a_word_that_hurts_them() -> None:
    assert meet(BorrowerProposal(monthly_fen=500_00), request(surplus_fen=0)) == NoOffer(NoOfferReason.NO_SURPLUS)


@pytest.mark.parametrize("figures", [{"monthly_fen": 0}, {"months": -1}])
def test_a_figure_that_is_not_positive_is_no_proposal(figures: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive figures"):
        BorrowerProposal(**figures)  # type: ignore[arg-type]
