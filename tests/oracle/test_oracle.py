"""The statement and the schedules agree with a second, naive implementation on random accounts, to the fen.

``DESK_ORACLE_ACCOUNTS`` says how many accounts and loans are tried, 2000 by default.
"""

from __future__ import annotations

import os
from fractions import Fraction
from random import Random

import pytest
from code_under_test import figures, in_time, one_after_another, owed_by, repayments_of, schedule_of, terms_of
from day_by_day import owed_on
from pencil_repayment import equal_instalments, equal_principal
from pencil_schedule import rows_of
from random_accounts import random_account, random_debt, random_loan

from bot.lending.ledger import EntryKind, replay

ACCOUNTS = int(os.environ.get("DESK_ORACLE_ACCOUNTS", "2000"))
LATE_EVERY = 5
"""Putting each late arrival right by itself is slow: every fifth account is tried so."""
RUNNING_EVERY = 10
"""So is trying digits with a calendar of days: every tenth debt gets a plan during which interest runs."""

pytestmark = pytest.mark.timeout(0)


def test_statements_and_their_explanations_agree_on_every_account() -> None:
    for number in range(ACCOUNTS):
        account = random_account(number)
        assert owed_by(account, in_time(account)) == owed_on(account), f"random_account({number})"


def test_accounts_put_right_after_each_late_arrival_agree_as_well() -> None:
    for number in range(0, ACCOUNTS, LATE_EVERY):
        account = random_account(number)
        ledger = one_after_another(account, Random(number))
        made = figures(replay(ledger, terms_of(account).order_for(account.due_on), account.last_day))
        assert made == owed_on(account), f"random_account({number})"


def test_schedules_agree_on_every_loan() -> None:
    for number in range(ACCOUNTS):
        loan = random_loan(number)
        assert schedule_of(loan) == rows_of(loan), f"random_loan({number})"


def test_plans_during_which_interest_runs_agree_on_every_debt() -> None:
    for number in range(0, ACCOUNTS, RUNNING_EVERY):
        debt = random_debt(number)
        assert repayments_of(debt) == [equal_instalments(debt), equal_principal(debt)], f"random_debt({number})"


def test_the_accounts_tried_hold_what_the_rules_are_about() -> None:
    accounts = [random_account(number) for number in range(300)]
    kinds = [entry.kind for account in accounts for entry in in_time(account)]
    assert set(kinds) == set(EntryKind)
    assert kinds.count(EntryKind.LATE_FEE) > 50
    assert sum(owed_on(account)["credit"] > 0 for account in accounts) > 20
    assert sum(owed_on(account)["penalty"] > 0 for account in accounts) > 50
    assert any(account.order_from_day_91 and (account.last_day - account.due_on).days > 91 for account in accounts)
    assert any(
        account.new_rates and account.annual != account.new_rates[0].annual > Fraction(0) for account in accounts
    )
