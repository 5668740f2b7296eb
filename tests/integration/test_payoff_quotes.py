"""Payoff quotes are kept as they were told, and their end is recalled once, while they still say what ends the debt."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from bot.clock import SHANGHAI, business_date, local
from bot.lending.ledger import EntryKind
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.services import figures, holds, notice_planning, reminders
from bot.services.accounts import NotVerified, book
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.services.payments import Booked, IncomingPayment, receive
from bot.services.reminders import Swept
from bot.store.tables import AuditEntry, Contract, Debt, QuotedPayoff, Reminder
from tests.builders.accounts import Owed, a_debt_of, an_entry, verified
from tests.builders.desk import SetClock

ELEVEN = time(11)


@pytest.fixture
def debt(deps: Deps, borrower: str) -> str:
    """A debt between two steps of the ladder, so that no other notice is near."""
    return a_debt_of(deps, borrower, Owed(days_late=16))


@pytest.fixture
def chat(deps: Deps, borrower: str, debt: str) -> str:
    return verified(deps, borrower, "telegram")


def ask(deps: Deps, chat: str) -> int:
    """Ask what ends the debt, and have notices planned; returns the amount in fen."""
    views = figures.quote_payoff(deps, chat)
    assert not isinstance(views, NotVerified)
    notice_planning.sweep(deps)
    return sum(view.quote.total_fen for view in views if view.quote is not None)


def kept(deps: Deps) -> list[QuotedPayoff]:
    with deps.read() as session:
        return list(session.scalars(select(QuotedPayoff).order_by(QuotedPayoff.told_at)))


def recalled(deps: Deps, state: str = "planned") -> list[Reminder]:
    found = select(Reminder).where(Reminder.topic == Topic.QUOTE, Reminder.state == state)
    with deps.read() as session:
        return list(session.scalars(found.order_by(Reminder.send_at)))


def on_the_day_before(deps: Deps, clock: SetClock) -> None:
    last_day = kept(deps)[-1].good_through
    clock.instant = datetime.combine(last_day - timedelta(days=1), ELEVEN, tzinfo=SHANGHAI)


def test_what_was_told_is_kept_with_its_days_and_its_conversation(
    deps: Deps, borrower: str, debt: str, chat: str
) -> None:
    total_fen = ask(deps, chat)
    (quote,) = kept(deps)
    today = business_date(deps.now())
    assert (quote.borrower_id, quote.debt_id, quote.told_in, quote.total_fen) == (borrower, debt, chat, total_fen)
    assert (quote.as_of, quote.good_through) == (today, today + timedelta(days=figures.QUOTE_DAYS))
    with deps.read() as session:
        entries = select(func.count()).where(AuditEntry.event == "payoff_quoted", AuditEntry.subject_id == debt)
        assert session.scalar(entries) == 1


def test_told_again_on_the_same_day_it_is_the_same_quote(deps: Deps, clock: SetClock, chat: str) -> None:
    first = ask(deps, chat)
    clock.move(timedelta(minutes=5))
    assert ask(deps, chat) == first
    assert len(kept(deps)) == 1


def test_its_end_is_recalled_the_day_before_without_a_figure(deps: Deps, clock: SetClock, chat: str) -> None:
    ask(deps, chat)
    (notice,) = recalled(deps)
    assert local(notice.send_at).date() == kept(deps)[0].good_through - timedelta(days=1)
    on_the_day_before(deps, clock)
    assert reminders.sweep(deps) == Swept(sent=1)
    text = messages_after(deps, chat, 0)[-1].text
    assert not any(character.isdigit() for character in text)


def test_a_newer_quote_takes_the_place_of_the_older_one(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    ask(deps, chat)
    clock.move(timedelta(days=1))
    ask(deps, verified(deps, borrower, "telegram"))
    assert len(kept(deps)) == 2
    (notice,) = recalled(deps)
    assert notice.due_on == kept(deps)[-1].good_through


def test_nothing_is_said_of_a_quote_whose_debt_was_paid(deps: Deps, clock: SetClock, debt: str, chat: str) -> None:
    total_fen = ask(deps, chat)
    with deps.read() as session:
        number = session.scalars(select(Contract.number).join(Debt).where(Debt.id == debt)).one()
    paid = IncomingPayment(number, business_date(deps.now()), total_fen, "p-1", "bank")
    assert isinstance(receive(deps, paid), Booked)
    notice_planning.sweep(deps)
    on_the_day_before(deps, clock)
    assert reminders.sweep(deps) == Swept()
    assert recalled(deps) == recalled(deps, "sent") == []


def test_nothing_is_said_of_a_quote_that_no_longer_says_what_ends_the_debt(
    deps: Deps, clock: SetClock, debt: str, chat: str
) -> None:
    ask(deps, chat)
    on_the_day_before(deps, clock)
    with deps.begin() as session:  # a part was paid, and the planner has not heard of it
        book(session, debt, an_entry("late", EntryKind.PAYMENT, 10_000, business_date(deps.now())))
    assert reminders.sweep(deps) == Swept(superseded=1)
    assert [row.rule for row in recalled(deps, "superseded")] == ["nothing_due"]


@pytest.mark.parametrize("kind", [HoldKind.OPT_OUT, HoldKind.COMPLAINT, HoldKind.DISTRESS])
def test_the_gate_decides_about_it_as_about_any_notice(
    deps: Deps, clock: SetClock, borrower: str, chat: str, kind: HoldKind
) -> None:
    ask(deps, chat)
    with deps.begin() as session:
        holds.place(session, deps.now(), kind, borrower_id=borrower)
    on_the_day_before(deps, clock)
    assert reminders.sweep(deps) == Swept(refused=1)
    assert recalled(deps, "sent") == []
