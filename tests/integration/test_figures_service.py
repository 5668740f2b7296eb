"""Figures opened, foreseen and quoted, against both databases."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.base import Turn, VerifiedAction
from actions.debt import TellBreakdown
from actions.figures import ExplainFigure, QuotePayoff, TellWaiting
from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.lending.balances import Component
from bot.lending.ledger import EntryKind
from bot.lending.money import format_yuan
from bot.services import accounts, figures
from bot.services.accounts import NotVerified
from bot.services.deps import Deps
from bot.services.figures import CostView, FigureView, PayoffView
from bot.services.proof import DeskWork, Purpose
from bot.settings import ROOT
from bot.store.tables import AuditEntry, Conversation
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, an_entry, verified
from tests.builders.desk import SetClock, a_borrower

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


def quoted(deps: Deps, conversation: str) -> tuple[PayoffView, ...]:
    views = figures.quote_payoff(deps, conversation)
    assert not isinstance(views, NotVerified)
    return views


def said(
    deps: Deps, conversation: str, action: type[VerifiedAction], text: str = "", **pressed: str
) -> list[dict[str, str]]:
    """Everything an action says, with its values; ``pressed`` is what a button carried."""
    entities = [{"entity": name, "value": value} for name, value in pressed.items()]
    message = {"text": text, "entities": entities, "metadata": {"message_id": "m", "is_payload": bool(pressed)}}
    dispatcher = CollectingDispatcher()
    action(deps).tell(Turn(deps, dispatcher, Tracker(conversation, {}, message, [], False, None, {}, ""), DOMAIN))
    messages: list[dict[str, str]] = dispatcher.messages
    return messages


def test_every_component_opens_into_lines_that_add_up_to_the_statement(deps: Deps, borrower: str) -> None:
    debt = a_debt_of(deps, borrower)
    a_payment(deps, debt, 50_000)
    conversation = verified(deps, borrower)
    for component in Component:
        seen = figures.open_figure(deps, conversation, debt, component)
        assert isinstance(seen, FigureView)
        assert sum(line.amount_fen for line in seen.explanation.lines) == seen.debt.statement.balances.of(component)


def test_a_figure_of_somebody_elses_debt_does_not_open(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    others = a_debt_of(deps, a_borrower(deps, "李小红", "13800000002", "110101199001010022"))
    assert figures.open_figure(deps, verified(deps, borrower), others, Component.INTEREST) is None


def test_nothing_is_told_before_identity_is_proved(deps: Deps) -> None:
    stranger = verified(deps, None)
    assert isinstance(figures.open_figure(deps, stranger, "any", Component.INTEREST), NotVerified)
    assert isinstance(figures.quote_payoff(deps, stranger), NotVerified)
    assert isinstance(figures.wait_until(deps, stranger, figures.in_days(deps, 1)), NotVerified)
    assert isinstance(figures.yearly_costs(deps, stranger), NotVerified)


def test_a_payoff_quote_is_what_the_debt_comes_to_on_its_last_day(deps: Deps, clock: SetClock, borrower: str) -> None:
    debt = a_debt_of(deps, borrower)
    (view,) = quoted(deps, verified(deps, borrower))
    assert view.quote is not None
    clock.move(timedelta(days=figures.QUOTE_DAYS))
    with deps.read() as session:
        (then,) = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT)).debts
    assert (then.debt_id, view.quote.good_through) == (debt, business_date(deps.now()))
    assert view.quote.total_fen == then.statement.balances.total_fen


def test_under_a_plan_the_payoff_is_what_the_plan_still_asks_and_does_not_grow(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    a_debt_of(deps, borrower)
    conversation = verified(deps, borrower)
    plan = a_plan(deps, conversation)
    clock.move(timedelta(days=20))
    (view,) = quoted(deps, verified(deps, borrower))
    assert (view.quote, view.planned_fen) == (None, plan.total_fen)
    assert figures.wait_until(deps, verified(deps, borrower), figures.in_days(deps, 30)) == ()


@pytest.mark.parametrize("owed", [Owed(disputed=True), Owed(days_late=1200, lent_days_ago=1400)])
def test_nothing_is_quoted_for_a_debt_that_must_not_be_pressed(deps: Deps, borrower: str, owed: Owed) -> None:
    a_debt_of(deps, borrower, owed)
    conversation = verified(deps, borrower)
    assert quoted(deps, conversation) == ()
    assert [message["response"] for message in said(deps, conversation, QuotePayoff)] == ["utter_payoff_none"]
    assert [message["response"] for message in said(deps, conversation, TellWaiting)] == ["utter_waiting_none"]


def test_a_cost_above_24_percent_is_said_neutrally_and_put_on_record(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(annual_rate="0.30", penalty_annual_rate="0.15"))
    a_debt_of(deps, borrower, Owed(annual_rate="0.10", penalty_annual_rate="0"))
    views = figures.yearly_costs(deps, verified(deps, borrower))
    assert not isinstance(views, NotVerified)
    assert sorted(view.is_to_be_noted for view in views) == [False, True]
    assert all(isinstance(view, CostView) for view in views)
    with deps.read() as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.event == "annual_cost_above_24")).all()
    assert len(noted) == 1


def test_a_person_is_asked_about_a_high_cost_once(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(annual_rate="0.30", penalty_annual_rate="0.15"))
    chat, again = verified(deps, borrower), verified(deps, borrower)
    figures.yearly_costs(deps, chat)
    assert waits_for(deps, chat) == QueueReason.HIGH_COST
    figures.yearly_costs(deps, again)
    assert waits_for(deps, again) is None


def test_nobody_is_asked_about_a_cost_of_24_percent_or_less(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(annual_rate="0.10", penalty_annual_rate="0"))
    chat = verified(deps, borrower)
    figures.yearly_costs(deps, chat)
    assert waits_for(deps, chat) is None


def waits_for(deps: Deps, conversation: str) -> str | None:
    with deps.read() as session:
        return session.get_one(Conversation, conversation).queue_reason


def test_a_long_figure_is_turned_page_by_page_and_every_page_adds_up(deps: Deps, borrower: str) -> None:
    debt = a_debt_of(deps, borrower, Owed(lent_days_ago=300, days_late=200))
    today = business_date(deps.now())
    with deps.begin() as session:
        for ago in range(30):
            entry = an_entry(f"paid-{ago}", EntryKind.PAYMENT, 2_000, today - timedelta(days=5 * ago + 5))
            assert accounts.book(session, debt, entry) is None
    chat = verified(deps, borrower)
    whole = figures.open_figure(deps, chat, debt, Component.INTEREST)
    assert isinstance(whole, FigureView)
    page, seen, totals = f"{debt}:interest", 0, set()
    for _ in range(20):
        (message,) = said(deps, chat, ExplainFigure, figure=page)
        shown = message["lines"].split("\n")
        seen += sum("行合计" not in line for line in shown)
        totals.add((message["total"], sum(effect_fen(line) for line in shown)))
        older = [button for button in message["buttons"] or [] if button["title"] == "看更早的"]
        if not older:
            break
        page = json.loads(older[0]["payload"].removeprefix("/ask_breakdown"))["figure"]
    assert seen == len(whole.explanation.lines) > 24
    assert totals == {(format_yuan(whole.explanation.balance_fen), whole.explanation.balance_fen)}


def effect_fen(line: str) -> int:
    """What a line says it adds; payments are worded as what they settled."""
    sign, number = re.findall(r"(-?)¥([\d,.]+)", line)[-1]
    fen = int(re.sub(r"\D", "", number))
    return -fen if bool(sign) != ("冲抵" in line) else fen


def test_a_page_that_is_not_there_is_the_oldest_one(deps: Deps, borrower: str) -> None:
    debt, chat = a_debt_of(deps, borrower), verified(deps, borrower)
    for page in ("99", "99999999999999999999", "x", "-1"):
        (message,) = said(deps, chat, ExplainFigure, figure=f"{debt}:interest:{page}")
        assert message["response"] == "utter_figure"


def test_every_figure_above_nothing_has_a_button(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    messages = said(deps, verified(deps, borrower), TellBreakdown)
    titles = [button["title"] for message in messages for button in message.get("buttons") or []]
    assert {"本金怎么来的", "利息怎么来的", "罚息怎么来的"} <= set(titles)


def test_whoever_has_a_plan_is_not_offered_another_after_the_payoff_sum(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    assert said(deps, chat, QuotePayoff)[-1]["response"] == "utter_payoff_next"
    a_plan(deps, chat)
    assert said(deps, chat, QuotePayoff)[-1]["response"] == "utter_payoff_plan_next"
    payloads = {button["payload"] for button in DOMAIN["responses"]["utter_payoff_plan_next"][0]["buttons"]}
    assert payloads == {"/ask_repayment_channel", "/ask_plan_status"}


def test_a_component_named_alone_is_opened_at_once(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    conversation = verified(deps, borrower)
    (message,) = said(deps, conversation, TellBreakdown, text="利息怎么这么多")
    assert message["response"] == "utter_figure"


def test_a_button_opens_a_figure_whose_lines_are_all_worded(deps: Deps, borrower: str) -> None:
    debt = a_debt_of(deps, borrower)
    a_payment(deps, debt, 50_000)
    conversation = verified(deps, borrower)
    with deps.read() as session:
        (view,) = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT)).debts
    (message,) = said(deps, conversation, ExplainFigure, figure=f"{debt}:interest")
    assert message["total"] == format_yuan(view.statement.balances.interest_fen)
    assert "{" not in message["lines"]


@pytest.mark.parametrize("figure", ["", "nonsense", "x:interest", "x:everything"])
def test_a_button_of_a_figure_that_is_gone_says_so(deps: Deps, borrower: str, figure: str) -> None:
    a_debt_of(deps, borrower)
    (message,) = said(deps, verified(deps, borrower), ExplainFigure, figure=figure)
    assert message["response"] == "utter_figure_gone"
