"""Rate changes and minimum payments as they are stored: every statement, figure and correction follows them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.clock import business_date
from bot.lending.balances import Component
from bot.lending.contract import ProductKind
from bot.lending.ledger import Entry, EntryKind
from bot.services import accounts, figures
from bot.services.accounts import DebtView, Portfolio
from bot.services.deps import Deps
from bot.services.figures import FigureView
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import ContractRate, Debt, MinimumPayment
from tests.builders.accounts import Owed, a_debt_of, a_plan, an_entry, verified
from tests.builders.desk import SetClock
from tests.builders.payments import paid

CARD = Owed(
    principal_fen=1_000_000,
    kind=ProductKind.CREDIT_CARD,
    days_late=30,
    lent_days_ago=90,
    annual_rate="0.18",
    penalty_annual_rate="0.09",
)


@pytest.fixture
def card(deps: Deps, borrower: str) -> str:
    """A card lent 90 days ago whose minimum of ¥1,000.00, due 30 days ago, was missed: 5 %, at least ¥10.00."""
    debt_id = a_debt_of(deps, borrower, CARD)
    with deps.begin() as session:
        contract = session.get_one(Debt, debt_id).contract
        contract.late_fee_rate, contract.late_fee_minimum_fen, contract.grace_days = "0.05", 1_000, 3
        asked = {"statement_on": days_ago(deps, 50), "due_on": days_ago(deps, 30), "minimum_fen": 100_000}
        session.add(MinimumPayment(debt_id=debt_id, **asked))
    return debt_id


def days_ago(deps: Deps, days: int) -> date:
    return business_date(deps.now()) - timedelta(days=days)


def view_of(deps: Deps, borrower: str, as_of: date | None = None) -> DebtView:
    with deps.read() as session:
        [view] = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT), as_of).debts
        return view


def fee_fen(deps: Deps, borrower: str, as_of: date | None = None) -> int:
    return view_of(deps, borrower, as_of).statement.balances.fee_fen


# Rates ---------------------------------------------------------------------------------------------------------------


def test_new_rates_hold_from_their_day_and_the_old_ones_before(deps: Deps, borrower: str) -> None:
    owed = Owed(principal_fen=1_000_000, days_late=0, lent_days_ago=60, annual_rate="0.18", penalty_annual_rate="0.09")
    debt_id = a_debt_of(deps, borrower, owed)
    assert view_of(deps, borrower).statement.balances.interest_fen == 30_000  # 60 days at 18 %
    with deps.begin() as session:
        contract = session.get_one(Debt, debt_id).contract
        rates = {"annual_rate": "0.108", "penalty_annual_rate": "0.054"}
        session.add(ContractRate(contract_id=contract.id, from_on=days_ago(deps, 20), **rates))
    view = view_of(deps, borrower)
    assert view.statement.balances.interest_fen == 26_000  # 40 days at 18 % are ¥200.00, 20 at 10.8 % are ¥60.00
    assert view.annual_rate == Decimal("0.108")
    assert view_of(deps, borrower, days_ago(deps, 20)).statement.balances.interest_fen == 20_000


def test_the_opened_figure_shows_both_rates_and_adds_up(deps: Deps, borrower: str) -> None:
    debt_id = a_debt_of(deps, borrower, Owed(days_late=0))
    with deps.begin() as session:
        contract = session.get_one(Debt, debt_id).contract
        rates = {"annual_rate": "0.1", "penalty_annual_rate": "0.05"}
        session.add(ContractRate(contract_id=contract.id, from_on=days_ago(deps, 20), **rates))
    seen = figures.open_figure(deps, verified(deps, borrower), debt_id, Component.INTEREST)
    assert isinstance(seen, FigureView)
    lines = seen.explanation.lines
    assert len(lines) == 2
    assert sum(line.amount_fen for line in lines) == view_of(deps, borrower).statement.balances.interest_fen


# Minimum payments ----------------------------------------------------------------------------------------------------


def test_a_missed_minimum_bears_its_fee_from_the_day_after_the_grace(deps: Deps, borrower: str, card: str) -> None:
    assert fee_fen(deps, borrower, days_ago(deps, 27)) == 0
    assert fee_fen(deps, borrower, days_ago(deps, 26)) == 5_000
    assert fee_fen(deps, borrower) == 5_000


def test_the_fee_follows_what_was_paid_in_time_even_if_it_arrives_late(deps: Deps, borrower: str, card: str) -> None:
    paid(deps, card, 40_000, days_ago(deps, 28))
    # What was paid on the 28th day settled interest; ¥600.00 of the minimum are missing.
    assert fee_fen(deps, borrower) == 3_000
    paid(deps, card, 60_000, days_ago(deps, 27))
    assert fee_fen(deps, borrower) == 0


def test_a_booked_fee_that_a_late_arrival_makes_wrong_is_set_right(deps: Deps, borrower: str, card: str) -> None:
    due_on = days_ago(deps, 30)
    with deps.begin() as session:
        charged_on = days_ago(deps, 26)
        fee = Entry(f"late_fee:{due_on}", EntryKind.LATE_FEE, 5_000, charged_on, deps.now(), "test")
        assert accounts.book(session, card, fee) is None
    assert fee_fen(deps, borrower) == 5_000
    paid(deps, card, 100_000, days_ago(deps, 29))
    assert fee_fen(deps, borrower) == 0
    with deps.read() as session:
        assert f"reversal:late_fee:{due_on}" in {entry.key for entry in accounts.ledger_of(session, card)}


def test_the_fee_can_be_opened_to_its_rule(deps: Deps, borrower: str, card: str) -> None:
    seen = figures.open_figure(deps, verified(deps, borrower), card, Component.FEE)
    assert isinstance(seen, FigureView)
    [line] = seen.explanation.lines
    assert (line.amount_fen, seen.explanation.balance_fen) == (5_000, 5_000)


def test_no_fee_is_charged_while_a_plan_runs(deps: Deps, borrower: str, card: str, clock: SetClock) -> None:
    with deps.begin() as session:
        asked = {"statement_on": days_ago(deps, 5), "due_on": days_ago(deps, -10), "minimum_fen": 100_000}
        session.add(MinimumPayment(debt_id=card, **asked))
    chat = verified(deps, borrower)
    a_plan(deps, chat)
    owed = accounts.portfolio(deps, chat)
    assert isinstance(owed, Portfolio)
    clock.move(timedelta(days=40))
    assert view_of(deps, borrower).statement.balances.total_fen == owed.total_fen


def test_without_minimum_payments_nothing_changes(deps: Deps, borrower: str) -> None:
    debt_id = a_debt_of(deps, borrower, CARD)
    with deps.begin() as session:
        session.get_one(Debt, debt_id).contract.late_fee_rate = "0.05"
        fee = an_entry("other", EntryKind.OTHER_FEE, 700, days_ago(deps, 3))
        assert accounts.book(session, debt_id, fee) is None
    assert fee_fen(deps, borrower) == 700
