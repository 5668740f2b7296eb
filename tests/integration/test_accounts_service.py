"""What a borrower owes while a plan is in force, and how it is told, against both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.base import Turn
from actions.debt import (
    DebtAction,
    TellBalance,
    TellBreakdown,
    TellDueDate,
    TellMinimumPayment,
    TellRepaymentChannel,
)
from bot.clock import business_date
from bot.lending.accrual import accrue
from bot.lending.contract import ProductKind
from bot.lending.ledger import EntryKind
from bot.lending.money import format_yuan
from bot.services import accounts, agreements, demo, negotiation
from bot.services.accounts import DebtView, NotVerified, Portfolio
from bot.services.agreements import AgreementView, ReadBack
from bot.services.deps import Deps
from bot.services.proof import DeskWork, Purpose
from bot.settings import ROOT
from bot.store.tables import Agreement, Borrower, Debt
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, an_entry, verified
from tests.builders.desk import SetClock

OLD = Owed(days_late=1200, lent_days_ago=1400)
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


def owed_by(deps: Deps, borrower: str, as_of: date | None = None) -> Portfolio:
    with deps.begin() as session:
        return accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT), as_of)


def only_debt(deps: Deps, borrower: str, as_of: date | None = None) -> DebtView:
    (debt,) = owed_by(deps, borrower, as_of).debts
    return debt


def told(deps: Deps, borrower: str, action: type[DebtAction]) -> list[dict[str, str]]:
    """Everything an action says to a verified borrower: the response and its values."""
    dispatcher = CollectingDispatcher()
    tracker = Tracker(verified(deps, borrower), {}, {}, [], False, None, {}, "")
    action(deps).tell(Turn(deps, dispatcher, tracker, DOMAIN))
    messages: list[dict[str, str]] = dispatcher.messages
    for message in messages:
        for variant in DOMAIN["responses"][message["response"]]:
            assert "{" not in variant["text"].format(**message)
    return messages


def names(messages: list[dict[str, str]]) -> list[str]:
    return [message["response"] for message in messages]


def payloads(message: Mapping[str, Any]) -> list[str]:
    """The payloads of all buttons below a message: those of its response, and those that were added."""
    fixed = DOMAIN["responses"][message["response"]][0].get("buttons", [])
    return [button["payload"] for button in [*fixed, *(message.get("buttons") or [])]]


# Under a plan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ProductKind.CREDIT_CARD, ProductKind.CONSUMER_LOAN, ProductKind.ONLINE_LOAN])
def test_a_debt_under_a_plan_does_not_grow(deps: Deps, clock: SetClock, borrower: str, kind: ProductKind) -> None:
    a_debt_of(deps, borrower, Owed(kind=kind))
    before = only_debt(deps, borrower)
    plan = a_plan(deps, verified(deps, borrower))
    clock.move(timedelta(days=70))
    after = only_debt(deps, borrower)
    assert after.statement.balances == before.statement.balances
    assert (before.plan_number, after.plan_number) == (None, plan.number)
    assert after.statement.balances.total_fen == plan.total_fen + after.waived_on_completion_fen


def test_interest_between_the_offer_and_its_acceptance_is_forgiven_and_those_days_look_as_they_did(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    a_debt_of(deps, borrower)
    offered = only_debt(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.choose(deps, chat, 1)
    clock.move(timedelta(days=5))
    yesterday = business_date(clock.now()) - timedelta(days=1)
    then = only_debt(deps, borrower, yesterday)
    later = verified(deps, borrower)
    shown = agreements.read_back(deps, later)
    assert isinstance(shown, ReadBack)
    assert isinstance(agreements.accept(deps, later, shown.text_hash), AgreementView)
    assert only_debt(deps, borrower).statement.balances == offered.statement.balances
    assert only_debt(deps, borrower, yesterday) == then
    assert then.statement.balances.total_fen > offered.statement.balances.total_fen


def test_interest_booked_for_days_of_the_plan_is_set_aside(deps: Deps, clock: SetClock, borrower: str) -> None:
    debt = a_debt_of(deps, borrower)
    before = only_debt(deps, borrower)
    a_plan(deps, verified(deps, borrower))
    clock.move(timedelta(days=40))
    with deps.begin() as session:
        row = session.get_one(Debt, debt)
        lent_on = row.contract.signed_on
        lent = an_entry("drawdown", EntryKind.DRAWDOWN, 1_200_000, lent_on)
        for entry in accrue(accounts.terms_of(row.contract), [lent], lent_on, business_date(clock.now()), row.due_on):
            assert accounts.book(session, debt, entry) is None
    assert only_debt(deps, borrower).statement.balances == before.statement.balances


def test_a_payment_under_a_plan_lowers_the_debt_by_itself_and_nothing_else(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    debt = a_debt_of(deps, borrower)
    before = only_debt(deps, borrower).statement.balances.total_fen
    plan = a_plan(deps, verified(deps, borrower))
    clock.move(timedelta(days=30))
    a_payment(deps, debt, plan.instalments[0].amount_fen)
    clock.move(timedelta(days=30))
    assert only_debt(deps, borrower).statement.balances.total_fen == before - plan.instalments[0].amount_fen


def test_other_debts_of_the_same_borrower_go_on(deps: Deps, clock: SetClock, borrower: str) -> None:
    planned = a_debt_of(deps, borrower)
    a_plan(deps, verified(deps, borrower))
    other = a_debt_of(deps, borrower, Owed(creditor="演示网贷", kind=ProductKind.ONLINE_LOAN))
    before = {debt.debt_id: debt for debt in owed_by(deps, borrower).debts}
    clock.move(timedelta(days=30))
    after = {debt.debt_id: debt for debt in owed_by(deps, borrower).debts}
    grown = {key: after[key].statement.balances.total_fen - before[key].statement.balances.total_fen for key in after}
    assert grown[planned] == 0 < grown[other]
    assert after[other].plan_number is None


def test_an_agreement_no_longer_in_force_stops_nothing(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower)
    before = only_debt(deps, borrower)
    a_plan(deps, verified(deps, borrower))
    with deps.begin() as session:
        session.scalars(select(Agreement)).one().state = "ended"
    clock.move(timedelta(days=10))
    after = only_debt(deps, borrower)
    assert after.statement.balances.total_fen > before.statement.balances.total_fen
    assert (after.plan_number, after.waived_on_completion_fen) == (None, 0)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=100)])
@pytest.mark.parametrize("name", ["陈强演示", "刘洋演示"])
def test_a_demo_debt_is_what_its_plan_still_asks_and_the_waivers_to_come(
    deps: Deps, clock: SetClock, name: str, later: timedelta
) -> None:
    demo.seed(deps)
    clock.move(later)
    with deps.begin() as session:
        borrower = session.scalars(
            select(Borrower.id).where(Borrower.name_hash == deps.vault.lookup("name", name))
        ).one()
    debt = only_debt(deps, borrower)
    plans = agreements.plan_in_force(deps, verified(deps, borrower))
    assert not isinstance(plans, NotVerified)
    asked = sum(part.amount_fen - part.paid_fen for part in plans[0].remaining)
    assert debt.waived_on_completion_fen > 0
    assert debt.statement.balances.total_fen == asked + debt.waived_on_completion_fen
    assert sum(line.amount_fen for line in debt.statement.lines if line.component) == debt.statement.balances.total_fen


# What is said --------------------------------------------------------------------------------------------------------


def test_a_balance_under_a_plan_says_that_nothing_is_added_and_what_will_be_waived(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_plan(deps, verified(deps, borrower))
    said = told(deps, borrower, TellBalance)
    assert names(said) == [
        "utter_statement",
        "utter_planned_remark",
        "utter_planned_remark_waiver",
        "utter_statement_total_planned",
    ]
    assert said[2]["amount"] == format_yuan(only_debt(deps, borrower).waived_on_completion_fen)


def test_a_balance_without_a_plan_gets_no_remark(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    assert names(told(deps, borrower, TellBalance)) == ["utter_statement", "utter_statement_total"]


@pytest.mark.parametrize("owed", [OLD, Owed(limitation_known=False), Owed(disputed=True)])
def test_after_what_may_not_be_pressed_no_plan_and_no_payment_is_offered(deps: Deps, borrower: str, owed: Owed) -> None:
    a_debt_of(deps, borrower, owed)
    total = names(told(deps, borrower, TellBalance))[-1]
    offered = [button["payload"] for button in DOMAIN["responses"][total][0]["buttons"]]
    assert offered == ["/ask_breakdown", "/request_human"]
    assert "/request_installment" not in payloads(told(deps, borrower, TellBreakdown)[-1])


def test_a_plan_is_offered_where_one_debt_may_have_one(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower, OLD)
    assert names(told(deps, borrower, TellBalance))[-1] == "utter_statement_total"
    assert payloads(told(deps, borrower, TellBreakdown)[-1]).count("/request_installment") == 1


def test_a_debt_that_is_not_late_is_not_said_to_be(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=-3))
    assert names(told(deps, borrower, TellDueDate)) == ["utter_due_date_not_late"]
    assert names(told(deps, borrower, TellBalance))[0] == "utter_statement_not_late"


def test_the_minimum_counts_only_debts_that_may_be_pressed(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_plan(deps, verified(deps, borrower))
    pressed = a_debt_of(deps, borrower, Owed(300_000))
    a_debt_of(deps, borrower, Owed(disputed=True))
    a_debt_of(deps, borrower, OLD)
    said = told(deps, borrower, TellMinimumPayment)
    assert sorted(names(said)) == [
        "utter_disputed_remark",
        "utter_minimum_payment",
        "utter_old_debt_remark",
        "utter_planned_remark",
        "utter_planned_remark_waiver",
    ]
    view = next(debt for debt in owed_by(deps, borrower).debts if debt.debt_id == pressed)
    assert (said[-1]["response"], said[-1]["total"]) == (
        "utter_minimum_payment",
        format_yuan(view.statement.balances.total_fen),
    )


@pytest.mark.parametrize("old", [OLD, Owed(limitation_known=False)])
def test_an_old_debt_is_never_pressed(deps: Deps, borrower: str, old: Owed) -> None:
    a_debt_of(deps, borrower, old)
    assert names(told(deps, borrower, TellMinimumPayment)) == ["utter_old_debt_remark"]
    assert names(told(deps, borrower, TellDueDate)) == ["utter_due_date", "utter_old_debt_remark"]
    assert names(told(deps, borrower, TellRepaymentChannel)) == [
        "utter_old_debt_remark",
        "utter_repayment_channel",
        "utter_repayment_warning",
    ]


def test_the_remark_names_the_old_debt_and_no_other(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    old = a_debt_of(deps, borrower, OLD)
    reference = next(debt.reference for debt in owed_by(deps, borrower).debts if debt.debt_id == old)
    for action in (TellDueDate, TellRepaymentChannel, TellMinimumPayment):
        remarks = [said for said in told(deps, borrower, action) if said["response"] == "utter_old_debt_remark"]
        assert len(remarks) == 1, action.action_name
        assert reference in remarks[0]["label"]


def test_a_debt_under_a_plan_does_not_grow_old_by_its_first_due_date(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    a_debt_of(deps, borrower, Owed(days_late=1080, lent_days_ago=1200))
    a_plan(deps, verified(deps, borrower))
    clock.move(timedelta(days=60))
    assert "utter_old_debt_remark" not in names(told(deps, borrower, TellBalance))
    assert names(told(deps, borrower, TellDueDate)) == ["utter_due_date"]
