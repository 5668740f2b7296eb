"""From asking for a plan to agreeing to it, against both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.clock import business_date
from bot.lending.accrual import accrue
from bot.lending.contract import ProductKind
from bot.lending.ledger import EntryKind
from bot.lending.limitation import LimitationStatus
from bot.outreach.gate import HoldKind
from bot.services import accounts, agreements, negotiation
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal, AgreementView, ReadBack
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import place_hold
from bot.services.inbound import record_text
from bot.services.negotiation import Blocked, Countered, NoPlan, Stage, State
from bot.store.tables import Agreement, Debt, Hold, Instalment, LedgerEntry, Negotiation
from bot.workout.agreement import text_hash
from bot.workout.budget_talk import BudgetQuestion
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason
from tests.builders.accounts import Owed, a_debt_of, a_payment, an_entry, verified
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once

INCOME, ESSENTIAL = 600_000, 350_000


def offers_for(deps: Deps, chat: str, income_fen: int = INCOME, essential_fen: int = ESSENTIAL) -> State:
    negotiation.open_negotiation(deps, chat)
    answer = negotiation.state_means(deps, chat, income_fen=income_fen, essential_fen=essential_fen)
    assert isinstance(answer, State)
    return answer


def read_to(deps: Deps, chat: str, position: int = 1) -> ReadBack:
    offers_for(deps, chat)
    negotiation.choose(deps, chat, position)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    return shown


def agreed(deps: Deps, chat: str) -> AgreementView:
    accepted = agreements.accept(deps, chat, read_to(deps, chat).text_hash)
    assert isinstance(accepted, AgreementView)
    return accepted


def count_of(deps: Deps, table: type[Agreement | Negotiation | Instalment | Hold]) -> int:
    with deps.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def waives_at_once(deps: Deps) -> None:
    """Let the lender's policies waive without a condition."""
    for code, policy in list(deps.policies.items()):
        deps.policies[code] = policy.model_copy(update={"conditional_on_completion": False})


def a_fee(deps: Deps, debt: str, amount_fen: int) -> None:
    with deps.begin() as session:
        entry = an_entry("late fee", EntryKind.LATE_FEE, amount_fen, business_date(deps.now()))
        assert accounts.book(session, debt, entry) is None


def waivers_of(deps: Deps, debt: str) -> list[tuple[str, str | None, int]]:
    with deps.begin() as session:
        rows = session.scalars(
            select(LedgerEntry).where(LedgerEntry.debt_id == debt, LedgerEntry.kind == EntryKind.WAIVER)
        )
        return sorted((row.key, row.component, row.amount_fen) for row in rows)


# Opening -------------------------------------------------------------------------------------------------------------


def test_the_desk_asks_for_income_then_essentials_then_shows_plans(deps: Deps, chat: str) -> None:
    opened = negotiation.open_negotiation(deps, chat)
    assert isinstance(opened, State)
    assert (opened.stage, opened.total_fen > 1_200_000) == (Stage.INCOME, True)
    asked = negotiation.state_means(deps, chat, income_fen=INCOME)
    assert isinstance(asked, State)
    assert asked.stage is Stage.ESSENTIALS
    offered = negotiation.state_means(deps, chat, essential_fen=ESSENTIAL)
    assert isinstance(offered, State)
    assert offered.stage is Stage.CHOICE
    assert len(offered.offers) >= 2
    assert [offer.rank for offer in offered.offers] == list(range(1, len(offered.offers) + 1))
    assert all(offer.largest_instalment_fen <= (INCOME - ESSENTIAL) * 0.8 for offer in offered.offers)


def test_an_open_negotiation_goes_on_over_another_channel(deps: Deps, borrower: str, chat: str) -> None:
    offered = offers_for(deps, chat)
    elsewhere = negotiation.open_negotiation(deps, verified(deps, borrower, channel="telegram"))
    assert elsewhere == offered


def test_opened_over_two_channels_at_once_there_is_one_negotiation(deps: Deps, borrower: str, debt: str) -> None:
    chats = [verified(deps, borrower) for _ in range(3)]
    opened = at_once(3, lambda turn: negotiation.open_negotiation(deps, chats[turn]))
    assert all(isinstance(each, State) and each.stage is Stage.INCOME for each in opened)
    assert count_of(deps, Negotiation) == 1


def test_nobody_unverified_learns_or_changes_anything(deps: Deps, borrower: str, chat: str) -> None:
    stranger = verified(deps, None)
    assert negotiation.open_negotiation(deps, stranger) == NotVerified()
    assert negotiation.state_means(deps, stranger, income_fen=1) == NotVerified()
    assert negotiation.choose(deps, stranger, 1) == NotVerified()
    assert negotiation.more_options(deps, stranger) == NotVerified()
    assert negotiation.propose(deps, stranger, BorrowerProposal(months=6)) == NotVerified()
    assert agreements.read_back(deps, stranger) is AcceptRefusal.NOT_VERIFIED
    assert agreements.accept(deps, stranger, "0" * 64) is AcceptRefusal.NOT_VERIFIED
    assert agreements.plan_in_force(deps, stranger) == NotVerified()
    assert count_of(deps, Negotiation) == 0


@pytest.mark.parametrize(
    ("owed", "why"),
    [
        (Owed(days_late=1200, lent_days_ago=1400), Blocked.OLD_DEBT),
        (Owed(limitation_known=False), Blocked.OLD_DEBT),
        (Owed(disputed=True), Blocked.ALL_DISPUTED),
    ],
)
def test_debts_the_bot_must_not_press_are_left_alone(deps: Deps, borrower: str, owed: Owed, why: Blocked) -> None:
    a_debt_of(deps, borrower, owed)
    assert negotiation.open_negotiation(deps, verified(deps, borrower)) is why
    assert count_of(deps, Negotiation) == 0


def test_who_owes_nothing_needs_no_plan(deps: Deps, borrower: str) -> None:
    debt = a_debt_of(deps, borrower, Owed(annual_rate="0", penalty_annual_rate="0"))
    a_payment(deps, debt, 1_200_000)
    assert negotiation.open_negotiation(deps, verified(deps, borrower)) is Blocked.NOTHING_OWED


def test_a_disputed_and_an_old_debt_are_set_aside_by_name(deps: Deps, borrower: str, debt: str) -> None:
    a_debt_of(deps, borrower, Owed(disputed=True))
    a_debt_of(deps, borrower, Owed(days_late=1200, lent_days_ago=1400))
    opened = negotiation.open_negotiation(deps, verified(deps, borrower))
    assert isinstance(opened, State)
    assert len(opened.set_aside) == 2


# Several creditors ---------------------------------------------------------------------------------------------------


def test_with_two_creditors_the_borrower_chooses_whose_debt_comes_first(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=60))
    second = a_debt_of(deps, borrower, Owed(300_000, "演示网贷", ProductKind.ONLINE_LOAN, days_late=20))
    chat = verified(deps, borrower)
    opened = negotiation.open_negotiation(deps, chat)
    assert isinstance(opened, State)
    assert opened.stage is Stage.CREDITOR
    assert [choice.creditor for choice in opened.creditors] == ["示例银行", "演示网贷"]
    chosen = negotiation.choose_creditor(deps, chat, 2)
    assert isinstance(chosen, State)
    assert (chosen.stage, chosen.total_fen) == (Stage.INCOME, opened.creditors[1].total_fen)
    with deps.begin() as session:
        row = session.scalars(select(Negotiation)).one()
        assert (row.debt_ids, row.policy_code) == ([second], "online_loan_relief")


@pytest.mark.parametrize("position", [0, 3, -1])
def test_a_creditor_that_was_not_shown_changes_nothing(deps: Deps, borrower: str, position: int) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower, Owed(creditor="演示网贷", kind=ProductKind.ONLINE_LOAN))
    chat = verified(deps, borrower)
    opened = negotiation.open_negotiation(deps, chat)
    assert negotiation.choose_creditor(deps, chat, position) == opened


def test_means_told_before_the_creditor_is_chosen_are_kept(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower, Owed(creditor="演示网贷", kind=ProductKind.ONLINE_LOAN))
    chat = verified(deps, borrower)
    early = offers_for(deps, chat)
    assert early.stage is Stage.CREDITOR
    still = negotiation.propose(deps, chat, BorrowerProposal(months=6))
    assert isinstance(still, State)
    assert still.stage is Stage.CREDITOR
    negotiation.choose_creditor(deps, chat, 1)
    offered = negotiation.more_options(deps, chat)
    assert isinstance(offered, State)
    assert offered.stage is Stage.CHOICE
    assert offered.offers


def test_one_plan_covers_two_debts_at_the_same_creditor(deps: Deps, borrower: str) -> None:
    debts = {a_debt_of(deps, borrower), a_debt_of(deps, borrower, Owed(500_000))}
    chat = verified(deps, borrower)
    offered = offers_for(deps, chat)
    assert {share.debt_id for share in offered.offers[0].shares} == debts
    assert set(debts) == {share.debt_id for share in read_to(deps, chat).offer.shares}


# Offers --------------------------------------------------------------------------------------------------------------


def test_no_surplus_means_no_plan_and_a_person(deps: Deps, chat: str) -> None:
    negotiation.open_negotiation(deps, chat)
    asked = negotiation.state_means(deps, chat, income_fen=260_000, essential_fen=300_000)
    assert isinstance(asked, State)
    assert asked.budget_asks is BudgetQuestion.ESSENTIAL_ABOVE_INCOME
    answer = negotiation.leave_unsaid(deps, chat)
    assert answer == NoPlan(NoOfferReason.NO_SURPLUS)


def test_after_no_plan_fitted_the_borrower_can_start_afresh_with_new_figures(deps: Deps, chat: str) -> None:
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=300_000, essential_fen=300_000)
    again = negotiation.open_negotiation(deps, chat)
    assert isinstance(again, State)
    assert again.stage is Stage.INCOME
    found = negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    assert isinstance(found, State)
    assert len(found.offers) >= 2


def test_more_options_are_never_worse(deps: Deps, chat: str) -> None:
    shown = offers_for(deps, chat).offers
    for _ in range(3):
        more = negotiation.more_options(deps, chat)
        assert isinstance(more, State)
        assert all(any(new.is_no_worse_than(old) for new in more.offers) for old in shown)
        shown = more.offers


def test_more_options_waive_more_until_the_ceiling(deps: Deps, chat: str) -> None:
    first = offers_for(deps, chat).offers[0]
    second, third = negotiation.more_options(deps, chat), negotiation.more_options(deps, chat)
    assert isinstance(second, State)
    assert isinstance(third, State)
    assert first.waived_penalty_fen < second.offers[0].waived_penalty_fen == third.offers[0].waived_penalty_fen


def test_a_figure_within_bounds_is_met_and_chosen(deps: Deps, chat: str) -> None:
    offers_for(deps, chat)
    answer = negotiation.propose(deps, chat, BorrowerProposal(months=10))
    assert isinstance(answer, Countered)
    assert (answer.why, answer.offer.months) == (None, 10)
    now = negotiation.state(deps, chat)
    assert isinstance(now, State)
    assert (now.stage, now.chosen) == (Stage.CONFIRMATION, answer.offer)


def test_a_figure_out_of_bounds_gets_the_nearest_plan_and_is_not_chosen(deps: Deps, chat: str) -> None:
    offers_for(deps, chat)
    answer = negotiation.propose(deps, chat, BorrowerProposal(months=90))
    assert isinstance(answer, Countered)
    assert answer.why is not None
    now = negotiation.state(deps, chat)
    assert isinstance(now, State)
    assert (now.stage, now.offers) == (Stage.CHOICE, (answer.offer,))


@pytest.mark.parametrize("position", [0, 99])
def test_an_offer_that_was_not_shown_cannot_be_chosen(deps: Deps, chat: str, position: int) -> None:
    offered = offers_for(deps, chat)
    assert negotiation.choose(deps, chat, position) == offered
    assert agreements.read_back(deps, chat) is AcceptRefusal.NOTHING_CHOSEN


def test_new_figures_take_the_choice_back(deps: Deps, chat: str) -> None:
    read_to(deps, chat)
    negotiation.state_means(deps, chat, income_fen=INCOME - 50_000)
    assert agreements.read_back(deps, chat) is AcceptRefusal.NOTHING_CHOSEN


def test_an_offer_ends_at_midnight_after_its_last_day(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    shown = read_to(deps, chat)
    clock.move(timedelta(days=8))
    late = verified(deps, borrower)
    assert agreements.read_back(deps, late) is AcceptRefusal.NOTHING_CHOSEN
    assert agreements.accept(deps, late, shown.text_hash) is AcceptRefusal.NOTHING_CHOSEN


# Reading back --------------------------------------------------------------------------------------------------------


def test_the_text_read_back_is_the_text_that_is_hashed(deps: Deps, chat: str) -> None:
    shown = read_to(deps, chat)
    assert shown.text_hash == text_hash(shown.text)
    assert agreements.read_back(deps, chat) == shown


def test_the_text_stays_the_same_after_the_month_end_has_been_booked(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str
) -> None:
    offers_for(deps, chat)
    negotiation.choose(deps, chat, 1)
    clock.move(timedelta(days=3))
    with deps.begin() as session:
        row = session.get_one(Debt, debt)
        lent_on = row.contract.signed_on
        lent = an_entry("drawdown", EntryKind.DRAWDOWN, 1_200_000, lent_on)
        for entry in accrue(accounts.terms_of(row.contract), [lent], lent_on, business_date(clock.now()), row.due_on):
            assert accounts.book(session, debt, entry) is None
    later = verified(deps, borrower)
    shown = agreements.read_back(deps, later)
    assert isinstance(shown, ReadBack)
    assert isinstance(agreements.accept(deps, later, shown.text_hash), AgreementView)


# Accepting -----------------------------------------------------------------------------------------------------------


def test_accepting_writes_the_agreement_its_instalments_and_the_hold(deps: Deps, borrower: str, chat: str) -> None:
    shown = read_to(deps, chat)
    accepted = agreements.accept(deps, chat, shown.text_hash)
    assert isinstance(accepted, AgreementView)
    assert (accepted.text, accepted.text_hash, accepted.repeated) == (shown.text, shown.text_hash, False)
    assert [(part.due_on, part.amount_fen) for part in accepted.instalments] == [
        (part.due_on, part.amount_fen) for part in shown.offer.schedule
    ]
    assert sum(part.amount_fen for part in accepted.instalments) == accepted.total_fen == shown.offer.total_fen
    assert agreements.plan_in_force(deps, chat) == (accepted,)
    assert negotiation.open_negotiation(deps, chat) is Blocked.PLAN_IN_FORCE
    with deps.begin() as session:
        assert session.scalars(select(Hold.kind).where(Hold.borrower_id == borrower)).all() == [HoldKind.PLAN]


def test_what_was_agreed_can_be_shown_again_by_its_text_but_not_before_nor_to_others(deps: Deps, chat: str) -> None:
    shown = read_to(deps, chat)
    assert agreements.accepted(deps, chat, shown.text_hash) is None
    made = agreements.accept(deps, chat, shown.text_hash)
    again = agreements.accepted(deps, chat, shown.text_hash)
    assert isinstance(made, AgreementView)
    assert again is not None
    assert (again.number, again.repeated) == (made.number, True)
    assert agreements.accepted(deps, verified(deps, None), shown.text_hash) is None


def test_accepting_twice_is_accepting_once(deps: Deps, chat: str) -> None:
    first = agreed(deps, chat)
    again = agreements.accept(deps, chat, first.text_hash)
    assert isinstance(again, AgreementView)
    assert (again.number, again.repeated) == (first.number, True)
    assert (count_of(deps, Agreement), count_of(deps, Hold)) == (1, 1)
    assert count_of(deps, Instalment) == len(first.instalments)


def test_of_two_who_accept_at_once_there_is_one_agreement(deps: Deps, borrower: str, chat: str) -> None:
    chats = [chat, verified(deps, borrower)]
    shown = read_to(deps, chat)
    answers = at_once(2, lambda turn: agreements.accept(deps, chats[turn], shown.text_hash))
    views = [answer for answer in answers if isinstance(answer, AgreementView)]
    assert len(views) == 2, answers
    assert len({view.number for view in views}) == 1
    assert sorted(view.repeated for view in views) == [False, True]
    assert (count_of(deps, Agreement), count_of(deps, Hold)) == (1, 1)
    assert count_of(deps, Instalment) == len(views[0].instalments)


def test_another_text_cannot_be_accepted(deps: Deps, chat: str) -> None:
    shown = read_to(deps, chat)
    assert agreements.accept(deps, chat, text_hash(shown.text + "改")) is AcceptRefusal.NOT_READ_BACK
    assert count_of(deps, Agreement) == 0


def test_what_was_not_read_back_cannot_be_accepted(deps: Deps, chat: str) -> None:
    first = read_to(deps, chat, 1)
    negotiation.choose(deps, chat, 2)
    assert agreements.accept(deps, chat, first.text_hash) is AcceptRefusal.NOT_READ_BACK
    assert count_of(deps, Agreement) == 0


def test_a_payment_in_between_asks_for_new_figures(deps: Deps, debt: str, chat: str) -> None:
    shown = read_to(deps, chat)
    a_payment(deps, debt, 100_000)
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.FIGURES_CHANGED
    assert agreements.read_back(deps, chat) is AcceptRefusal.FIGURES_CHANGED
    anew = read_to(deps, chat)
    assert anew.offer.total_fen < shown.offer.total_fen
    assert isinstance(agreements.accept(deps, chat, anew.text_hash), AgreementView)


def test_interest_that_ran_since_does_not_spoil_the_offer(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    shown = read_to(deps, chat)
    clock.move(timedelta(days=5))
    assert isinstance(agreements.accept(deps, verified(deps, borrower), shown.text_hash), AgreementView)


@pytest.mark.parametrize("kind", [EntryKind.PAYMENT, EntryKind.LATE_FEE])
def test_even_a_fen_booked_since_asks_for_new_figures(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str, kind: EntryKind
) -> None:
    shown = read_to(deps, chat)
    clock.move(timedelta(days=5))
    with deps.begin() as session:
        assert accounts.book(session, debt, an_entry("since", kind, 1, business_date(clock.now()))) is None
    late = verified(deps, borrower)
    assert agreements.accept(deps, late, shown.text_hash) is AcceptRefusal.FIGURES_CHANGED
    assert count_of(deps, Agreement) == 0


def test_waivers_at_once_are_booked_with_the_agreement_and_once(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    waives_at_once(deps)
    a_fee(deps, debt, 5_000)
    shown = read_to(deps, verified(deps, borrower))
    clock.move(timedelta(days=2))
    later = verified(deps, borrower)
    accepted = agreements.accept(deps, later, shown.text_hash)
    assert isinstance(accepted, AgreementView)
    share = shown.offer.shares[0]
    assert share.waived_penalty_fen > 0 < share.waived_fee_fen
    booked = [
        (f"waiver:{accepted.number}:fee", "fee", share.waived_fee_fen),
        (f"waiver:{accepted.number}:penalty", "penalty", share.waived_penalty_fen),
    ]
    assert waivers_of(deps, debt) == booked
    assert isinstance(agreements.accept(deps, later, shown.text_hash), AgreementView)
    assert waivers_of(deps, debt) == booked
    owed = accounts.portfolio(deps, later)
    assert not isinstance(owed, NotVerified)
    assert (owed.total_fen, owed.debts[0].waived_on_completion_fen) == (accepted.total_fen, 0)


def test_of_two_debts_each_gets_its_own_waivers(deps: Deps, borrower: str) -> None:
    waives_at_once(deps)
    owed = {a_debt_of(deps, borrower): 0, a_debt_of(deps, borrower, Owed(500_000)): 0}
    shown = read_to(deps, verified(deps, borrower))
    assert isinstance(agreements.accept(deps, verified(deps, borrower), shown.text_hash), AgreementView)
    for share in shown.offer.shares:
        owed[share.debt_id] = share.waived_penalty_fen
    assert {key: sum(fen for _, _, fen in waivers_of(deps, key)) for key in owed} == owed
    assert all(owed.values())


def test_conditional_waivers_are_not_booked_before_the_plan_is_completed(deps: Deps, debt: str, chat: str) -> None:
    accepted = agreed(deps, chat)
    owed = accounts.portfolio(deps, chat)
    assert not isinstance(owed, NotVerified)
    assert waivers_of(deps, debt) == []
    assert owed.debts[0].waived_on_completion_fen > 0
    assert owed.total_fen == accepted.total_fen + owed.debts[0].waived_on_completion_fen


def test_a_proof_that_is_not_fresh_has_to_be_renewed_first(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    shown = read_to(deps, chat)
    clock.move(timedelta(minutes=deps.settings.fresh_check_minutes))
    record_text(deps, chat, "k", "好的")
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.NEEDS_FRESH_CHECK
    assert count_of(deps, Agreement) == 0
    assert isinstance(agreements.accept(deps, verified(deps, borrower), shown.text_hash), AgreementView)


@pytest.mark.parametrize("kind", [HoldKind.DISTRESS, HoldKind.DECEASED])
def test_nothing_is_agreed_under_a_hold(deps: Deps, chat: str, kind: HoldKind) -> None:
    shown = read_to(deps, chat)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        place_hold(session, kind, deps.now(), conversation)
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.ON_HOLD
    assert negotiation.more_options(deps, chat) == NoPlan(NoOfferReason.HOLD)


def test_whoever_comes_back_under_a_hold_is_not_asked_for_their_means(deps: Deps, borrower: str, chat: str) -> None:
    offers_for(deps, chat)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        place_hold(session, HoldKind.DISTRESS, deps.now(), conversation)
    elsewhere = verified(deps, borrower)
    assert negotiation.open_negotiation(deps, elsewhere) is Blocked.ON_HOLD
    assert negotiation.is_on_hold(deps, elsewhere)
    somebody_else = a_borrower(deps, "李四", "13900000002", "11010519491231002X")
    assert not negotiation.is_on_hold(deps, verified(deps, somebody_else))
    with deps.begin() as session:
        for hold in session.scalars(select(Hold)):
            hold.lifted_at = deps.now()
    again = negotiation.open_negotiation(deps, elsewhere)
    assert isinstance(again, State)
    assert again.stage is Stage.CHOICE


def test_an_ended_negotiation_leaves_nothing_to_accept_and_a_new_one_can_begin(deps: Deps, chat: str) -> None:
    shown = read_to(deps, chat)
    assert negotiation.end(deps, chat)
    assert not negotiation.end(deps, chat)
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.NOTHING_CHOSEN
    assert offers_for(deps, chat).stage is Stage.CHOICE
    assert count_of(deps, Negotiation) == 2


def test_a_debt_that_grew_old_meanwhile_gets_no_more_offers(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=1094, lent_days_ago=1400))
    offers_for(deps, verified(deps, borrower))
    clock.move(timedelta(days=4))
    late = verified(deps, borrower)
    owed = accounts.portfolio(deps, late)
    assert not isinstance(owed, NotVerified)
    assert owed.debts[0].limitation is LimitationStatus.POSSIBLY_EXPIRED
    assert negotiation.more_options(deps, late) == NoPlan(NoOfferReason.TIME_BARRED_OR_UNKNOWN)
