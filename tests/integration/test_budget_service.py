"""The talk about a month's budget: what is asked, what is taken, what the offers remember. Without the engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.services import negotiation, negotiation_budget, retention
from bot.services.deps import Deps
from bot.services.negotiation import Stage, State
from bot.services.offer_table import budget_of
from bot.store import tables
from bot.workout.budget import IncomeKind, IncomeTold, Rhythm, StatedBudget
from bot.workout.budget_talk import BudgetQuestion
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.chat import Chat
from tests.builders.desk import SetClock, a_borrower


@pytest.fixture
def chat(deps: Deps) -> Chat:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower, Owed(principal_fen=1_200_000))
    talk = Chat(deps, verified(deps, borrower))
    talk.say("还不上,想分期", "request_installment")
    return talk


def now(deps: Deps, chat: Chat) -> State:
    found = negotiation.state(deps, chat.conversation_id)
    assert isinstance(found, State)
    return found


def told(deps: Deps, chat: Chat) -> StatedBudget:
    budget = now(deps, chat).budget
    assert budget is not None
    return budget


def test_who_says_everything_at_once_is_asked_nothing_more(deps: Deps, chat: Chat) -> None:
    heard = chat.say("月收入6000，房租1500吃饭1000，养两个孩子，另外还房贷1200", "inform")
    assert told(deps, chat) == StatedBudget(600_000, 250_000, 2, 120_000)
    assert "utter_budget_noted" in heard.responses
    assert heard.responses[-1] == "utter_ask_choice"


def test_ample_spending_is_asked_nothing_more_either(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    heard = chat.say("3500", "inform")
    assert heard.responses[-1] == "utter_ask_choice"
    assert told(deps, chat) == StatedBudget(600_000, 350_000)


def test_a_household_that_the_floor_could_bind_is_asked_for_by_a_button(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    heard = chat.say("2000", "inform")
    assert heard.responses[-1] == "utter_ask_dependants"
    heard = chat.press("3 口")
    assert told(deps, chat).dependants == 2
    assert heard.responses[-1] == "utter_ask_choice"


def test_a_typed_household_is_taken_too(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    chat.say("2000", "inform")
    chat.say("老婆和一个孩子", "nlu_fallback")
    assert told(deps, chat).dependants == 2


@pytest.mark.parametrize("how", ["不想说", "不清楚", "press"])
def test_whoever_will_not_say_gets_offers_and_the_offer_remembers_it(deps: Deps, chat: Chat, how: str) -> None:
    chat.say("6000", "inform")
    chat.say("2000", "inform")
    heard = chat.press("不想说") if how == "press" else chat.say(how, "nlu_fallback")
    assert "utter_budget_unsaid" in heard.responses
    assert heard.responses[-1] == "utter_ask_choice"
    with deps.read() as session:
        kept = [budget_of(row) for row in session.scalars(select(tables.Offer))]
    assert kept
    assert set(kept) == {StatedBudget(600_000, 200_000, None, None)}


def test_spending_below_the_floor_is_met_once_and_the_second_answer_is_taken(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    chat.say("300", "inform")
    heard = chat.press("4 口")
    assert heard.responses[-1] == "utter_check_essential_below_floor"
    assert "¥2,400.00" in heard.text
    heard = chat.say("400", "inform")
    assert heard.responses[-1] == "utter_ask_choice"
    assert told(deps, chat).monthly_essential_fen == 40_000
    most_fen = (600_000 - 240_000) * 8 // 10
    offers = now(deps, chat).offers
    assert offers
    assert all(offer.largest_instalment_fen <= most_fen for offer in offers)


@pytest.mark.parametrize(
    ("answer", "income_fen"), [("是一年的", 600_000), ("一年的", 600_000), ("6000", 600_000), ("是一个月的", 7_200_000)]
)
def test_an_income_out_of_proportion_is_asked_about_once(deps: Deps, chat: Chat, answer: str, income_fen: int) -> None:
    heard = chat.say("72000", "inform")
    assert heard.responses[-1] == "utter_check_income_looks_large"
    heard = chat.press(answer) if answer.startswith("是") else chat.say(answer, "nlu_fallback")
    assert told(deps, chat).monthly_income_fen == income_fen
    assert heard.responses[-1] == "utter_ask_essentials"
    assert chat.say("3500", "inform").responses[-1] == "utter_ask_choice"


def test_whoever_says_it_was_wrong_is_asked_for_that_figure_alone(deps: Deps, chat: Chat) -> None:
    chat.say("2600", "inform")
    assert chat.say("3000", "inform").responses[-1] == "utter_check_essential_above_income"
    assert chat.press("收入要改").responses[-1] == "utter_ask_income"
    assert chat.say("6000", "inform").responses[-1] == "utter_ask_choice"
    assert told(deps, chat) == StatedBudget(600_000, 300_000)


def test_a_month_that_does_not_reach_leads_to_a_person_and_to_no_offer(deps: Deps, chat: Chat) -> None:
    chat.say("2600", "inform")
    chat.say("3000", "inform")
    heard = chat.say("是的", "affirm")
    assert "utter_no_plan_no_surplus" in heard.responses
    assert now(deps, chat).stage is Stage.NONE


def test_day_wages_are_brought_to_a_month_by_a_rule_that_is_said(deps: Deps, chat: Chat) -> None:
    heard = chat.say("跑外卖一天200左右", "inform")
    assert "utter_income_noted_daily" in heard.responses
    assert "20 天" in heard.text
    assert told(deps, chat).monthly_income_fen == 400_000
    kept = negotiation_budget.told_budget(deps, chat.conversation_id)
    assert kept is not None
    assert kept.income_told == IncomeTold((IncomeKind.GIG,), Rhythm.DAILY, 20_000)
    chat.say("不对,收入是5000", "nlu_fallback")
    assert told(deps, chat) == StatedBudget(500_000)


def test_what_others_ask_can_be_added_to_offers_that_are_there(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    chat.say("3500", "inform")
    assert chat.press("别家每月也要还").responses[-1] == "utter_ask_other_debts"
    chat.say("花呗500，借呗300", "inform")
    assert told(deps, chat).other_debts_monthly_fen == 80_000
    most_fen = (600_000 - 350_000 - 80_000) * 8 // 10
    assert all(offer.largest_instalment_fen <= most_fen for offer in now(deps, chat).offers)


def test_other_debts_told_as_a_total_are_asked_about(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    chat.say("3500", "inform")
    chat.press("别家每月也要还")
    assert chat.say("30000", "inform").responses[-1] == "utter_check_other_debts_above_income"
    assert chat.press("我重新说").responses[-1] == "utter_ask_other_debts"
    assert chat.say("1000", "inform").responses[-1] == "utter_ask_choice"


def test_other_debts_are_asked_for_where_usual_ones_would_leave_no_plan(deps: Deps) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower, Owed(principal_fen=1_200_000))
    tight = Chat(deps, verified(deps, borrower))
    tight.say("还不上,想分期", "request_installment")
    tight.say("4500", "inform")
    assert tight.say("3300", "inform").responses[-1] == "utter_ask_other_debts"
    assert tight.press("没有").responses[-1] == "utter_ask_choice"
    assert told(deps, tight).other_debts_monthly_fen == 0


def test_a_button_of_an_earlier_question_answers_no_later_one(deps: Deps, chat: Chat) -> None:
    chat.say("60000", "inform")
    chat.say("6000", "inform")
    chat.say("2000", "inform")
    chat.press("是一年的")
    assert told(deps, chat).monthly_income_fen == 600_000
    assert now(deps, chat).budget_asks is BudgetQuestion.DEPENDANTS


def test_what_was_told_for_no_plan_goes_with_what_the_offers_remember(deps: Deps, chat: Chat, clock: SetClock) -> None:
    chat.say("月收入6000，房租1500吃饭1000，养两个孩子，另外还房贷1200", "inform")
    negotiation.end(deps, chat.conversation_id)
    clock.move(timedelta(days=40))
    assert retention.run(deps).means == 1
    with deps.read() as session:
        row = session.scalars(select(tables.Negotiation)).one()
        assert (row.dependants, row.other_debts_monthly_fen, row.income_told) == (None, None, None)
        assert {offer.budget is None for offer in session.scalars(select(tables.Offer))} == {True}


def offered_on(deps: Deps, chat: Chat) -> set[int]:
    """How much of each month is left on the budgets from which what is on the table now was computed, in fen."""
    shown = {offer.offer_id for offer in now(deps, chat).offers}
    with deps.read() as session:
        rows = [row for row in session.scalars(select(tables.Offer)) if row.content_hash in shown]
        budgets = [budget_of(row) for row in rows]
    assert budgets
    return {_left_fen(budget) for budget in budgets if budget is not None}


def _left_fen(budget: StatedBudget) -> int:
    means = budget.affordability
    return means.monthly_income_fen - means.monthly_essential_fen - means.other_debts_monthly_fen


def with_offers(chat: Chat) -> None:
    chat.say("6000", "inform")
    assert chat.say("3500", "inform").responses[-1] == "utter_ask_choice"


def test_a_correction_confirmed_at_its_check_ends_the_offers_that_rested_on_the_old_figure(
    deps: Deps, chat: Chat
) -> None:
    with_offers(chat)
    assert chat.say("不对,每月开销要7000", "inform").responses[-1] == "utter_check_essential_above_income"
    heard = chat.press("是这样")
    assert "utter_no_plan_no_surplus" in heard.responses
    assert now(deps, chat).stage is Stage.NONE


def test_other_debts_confirmed_at_their_check_end_the_offers_that_did_not_know_them(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    chat.press("别家每月也要还")
    assert chat.say("7000", "inform").responses[-1] == "utter_check_other_debts_above_income"
    assert "utter_no_plan_no_surplus" in chat.press("一个月").responses


def test_a_confirmed_correction_that_leaves_something_is_offered_on_anew(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    chat.say("我说错了,收入是60000", "inform")
    chat.say("是的", "affirm")
    assert offered_on(deps, chat) == {6_000_000 - 350_000}


@pytest.mark.parametrize("yes", ["就这个", "就这个吧"])
def test_choosing_this_one_says_nothing_of_other_debts(deps: Deps, chat: Chat, yes: str) -> None:
    with_offers(chat)
    chat.press("别家每月也要还")
    chat.say("1000", "inform")
    shown = now(deps, chat).offers
    heard = chat.say(yes, "accept_offer")
    assert told(deps, chat).other_debts_monthly_fen == 100_000
    assert now(deps, chat).offers == shown
    assert "utter_other_debts_none" not in heard.responses


def test_a_child_that_is_mentioned_does_not_change_the_household_that_was_told(deps: Deps, chat: Chat) -> None:
    chat.say("6000", "inform")
    chat.say("300", "inform")
    chat.press("4 口")
    chat.say("我要带孩子去医院,等会再说", "inform")
    assert told(deps, chat).dependants == 3
    assert now(deps, chat).budget_asks is BudgetQuestion.ESSENTIAL_BELOW_FLOOR


@pytest.mark.parametrize(("income", "essentials"), [("72000", None), ("2600", "3000")])
def test_no_at_a_check_says_that_the_figure_was_wrong_and_not_that_it_is_nothing(
    deps: Deps, chat: Chat, income: str, essentials: str | None
) -> None:
    chat.say(income, "inform")
    if essentials is not None:
        chat.say(essentials, "inform")
    heard = chat.say("没有", "deny")
    assert heard.responses[-1] in ("utter_ask_income", "utter_ask_essentials")
    assert 0 not in (told(deps, chat).monthly_income_fen, told(deps, chat).monthly_essential_fen)


def test_a_month_named_in_answer_to_whether_it_is_one_leaves_the_figure(deps: Deps, chat: Chat) -> None:
    chat.say("72000", "inform")
    assert chat.say("是一个月的", "inform").responses[-1] == "utter_ask_essentials"
    assert told(deps, chat).monthly_income_fen == 7_200_000


def test_a_figure_put_right_beside_the_text_to_agree_to_leads_to_other_offers(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    chat.press("方案1")
    assert now(deps, chat).stage is Stage.CONFIRMATION
    heard = chat.say("不对,每月开销要3200", "deny")
    assert "utter_essentials_noted" in heard.responses
    assert heard.responses[-1] == "utter_ask_choice"
    assert offered_on(deps, chat) == {600_000 - 320_000}


def test_a_figure_said_again_as_it_was_keeps_the_offer_that_is_spoken_of(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    chat.press("方案1")
    chosen = now(deps, chat).chosen
    heard = chat.say("我工资是6000", "inform")
    assert "utter_income_noted" not in heard.responses
    assert now(deps, chat).chosen == chosen


def test_a_vague_figure_beside_offers_makes_no_others(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    shown = now(deps, chat).offers
    heard = chat.say("收入三千到一万", "inform")
    assert "utter_unclear_amount" in heard.responses
    assert now(deps, chat).offers == shown


def test_an_exact_sum_beside_day_wages_is_not_called_the_careful_one(deps: Deps, chat: Chat) -> None:
    heard = chat.say("日薪200,每月开销2000", "inform")
    assert "utter_income_noted_daily" in heard.responses
    assert "utter_essentials_noted" in heard.responses


def test_whoever_comes_back_over_another_chat_sees_the_plans_and_not_only_their_buttons(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    shown = now(deps, chat).offers
    with deps.read() as session:
        borrower_id = session.get_one(tables.Conversation, chat.conversation_id).borrower_id
    assert borrower_id is not None
    elsewhere = Chat(deps, verified(deps, borrower_id))
    heard = elsewhere.say("我想协商还款", "request_installment")
    assert heard.responses.count("utter_offer") == len(shown)
    assert heard.responses[-1] == "utter_ask_choice"
    assert "utter_plan_intro" not in heard.responses


def test_a_budget_said_beside_plans_wishes_for_no_instalment(deps: Deps, chat: Chat) -> None:
    with_offers(chat)
    chat.say("日结一天200左右，房租1500吃饭1000，养两个孩子，另外花呗每月还800", "inform")
    assert told(deps, chat) == StatedBudget(400_000, 250_000, 2, 80_000)
    shown = now(deps, chat).offers
    chat.say("日结一天200左右，房租1500吃饭1000，养两个孩子，另外花呗每月还800", "inform")
    assert now(deps, chat).offers == shown, "said again, it is no news"
