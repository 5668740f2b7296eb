"""Clearance letters: for a completed plan, for a debt that was simply paid, once each, and never too early."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.clock import business_date
from bot.lending.money import format_yuan
from bot.services import accounts, clearance
from bot.services.accounts import NotVerified, Portfolio
from bot.services.clearance import Clearance
from bot.services.deps import Deps
from bot.services.documents import NotMade
from bot.store.tables import Agreement
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock
from tests.builders.documents import fetched, text_of
from tests.builders.payments import paid


def asked(deps: Deps, chat: str) -> Clearance:
    found = clearance.clearance(deps, chat)
    assert isinstance(found, Clearance)
    return found


def owed_fen(deps: Deps, chat: str) -> int:
    owed = accounts.portfolio(deps, chat)
    assert isinstance(owed, Portfolio)
    return owed.total_fen


def letter_of(deps: Deps, number: str) -> str | NotMade:
    with deps.begin() as session:
        agreement = session.scalars(select(Agreement).where(Agreement.number == number)).one()
        return clearance.letter_of_agreement(session, deps, agreement)


def test_there_is_none_while_a_plan_runs_and_the_debt_is_named(deps: Deps, chat: str, debt: str) -> None:
    plan = a_plan(deps, chat)
    assert letter_of(deps, plan.number) is NotMade.STILL_OWED
    found = asked(deps, chat)
    assert found.letters == ()
    assert [(one.debt_id, one.plan_number) for one in found.open_debts] == [(debt, plan.number)]


def test_a_plans_letter_names_its_debts_and_is_made_once(deps: Deps, chat: str, debt: str, clock: SetClock) -> None:
    plan = a_plan(deps, chat)
    a_payment(deps, debt, owed_fen(deps, chat))
    made = letter_of(deps, plan.number)
    assert not isinstance(made, NotMade)
    clock.move(timedelta(minutes=3))
    assert letter_of(deps, plan.number) == made
    [letter] = asked(deps, chat).letters
    assert letter.id == made
    text = text_of(fetched(deps, chat, letter).content)
    assert "王小明的下列账务已经全部结清，余额为零" in text
    assert plan.number in text
    assert f"结清日期{business_date(deps.now()).year}年11月21日" in text


def test_the_payment_that_completes_a_plan_makes_its_letter(deps: Deps, chat: str, debt: str) -> None:
    plan = a_plan(deps, chat)
    paid(deps, debt, plan.total_fen)
    [letter] = asked(deps, chat).letters
    assert plan.number in text_of(fetched(deps, chat, letter).content)


def test_a_debt_paid_without_a_plan_gets_a_letter_when_asked_for_and_the_same_one_later(
    deps: Deps, borrower: str, chat: str, debt: str, clock: SetClock
) -> None:
    whole_fen = owed_fen(deps, chat)
    paid(deps, debt, whole_fen)
    [letter] = asked(deps, chat).letters
    text = text_of(fetched(deps, chat, letter).content)
    assert "累计已还" in text
    assert "协议编号" not in text
    clock.move(timedelta(days=3))
    again = verified(deps, borrower)
    assert [one.id for one in asked(deps, again).letters] == [letter.id]


def test_what_was_overpaid_is_not_called_paid(deps: Deps, chat: str, debt: str) -> None:
    whole_fen = owed_fen(deps, chat)
    paid(deps, debt, whole_fen + 12_345)
    [letter] = asked(deps, chat).letters
    assert format_yuan(whole_fen) in text_of(fetched(deps, chat, letter).content)


def test_one_debt_paid_and_another_open_are_told_apart(deps: Deps, borrower: str, debt: str) -> None:
    other = a_debt_of(deps, borrower, Owed(creditor="演示网贷"))
    chat = verified(deps, borrower)
    owed = accounts.portfolio(deps, chat)
    assert isinstance(owed, Portfolio)
    first = next(one for one in owed.debts if one.debt_id == debt)
    paid(deps, debt, first.statement.balances.total_fen)
    found = asked(deps, chat)
    assert len(found.letters) == 1
    assert [one.debt_id for one in found.open_debts] == [other]


def test_letters_are_for_the_verified_only(deps: Deps) -> None:
    assert isinstance(clearance.clearance(deps, verified(deps, None)), NotVerified)


def test_a_letter_that_cannot_be_made_is_said_so(
    deps: Deps, chat: str, debt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_font(*_: object) -> bytes:
        raise OSError("no font")

    paid(deps, debt, owed_fen(deps, chat))
    monkeypatch.setattr(clearance, "clearance_letter_pdf", no_font)
    found = asked(deps, chat)
    assert (found.letters, found.in_trouble) == ((), True)
