"""Promises to pay: asked for, warned of, made once, judged by what was paid, against both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.contract import ProductKind
from bot.lending.ledger import EntryKind
from bot.outreach.gate import HoldKind
from bot.services import accounts, promise_judging, promises, reminders
from bot.services.accounts import NotVerified
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.handoff import place_hold
from bot.services.history import messages_after
from bot.services.inbound import record_text
from bot.services.promise_judging import Judged
from bot.services.promises import NotPromised, Promised, Step
from bot.store.tables import AuditEntry, Promise, Reminder
from bot.workout.promise import PromiseRefusal
from bot.workout.promise_reading import StatedPromise
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, an_entry, verified
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once

SUM = 50_000


def in_days(deps: Deps, days: int) -> date:
    return business_date(deps.now()) + timedelta(days=days)


def asked(deps: Deps, chat: str, key: str = "q") -> None:
    """Put the question, as the dialogue does, in answer to a message of the borrower."""
    message = record_text(deps, chat, key, "后天还五百")
    promises.put_question(deps, chat, message.message_id)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("要记下来吗"), author=Author.BOT, in_reply_to=message.message_id)


def made(deps: Deps, chat: str, amount_fen: int = SUM, days: int = 5, key: str = "q") -> Promised:
    told = promises.tell(deps, chat, StatedPromise(amount_fen, in_days(deps, days)))
    assert isinstance(told, Promised)
    assert told.step is Step.CONFIRMATION
    asked(deps, chat, key)
    done = promises.make(deps, chat, record_text(deps, chat, f"yes {key}", "好的").message_id)
    assert isinstance(done, Promised)
    assert done.step is Step.MADE
    return done


def state_of(deps: Deps) -> list[str]:
    with deps.begin() as session:
        return list(session.scalars(select(Promise.state).order_by(Promise.created_at, Promise.made_at)))


# Asking --------------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_asked_one_by_one(deps: Deps, chat: str) -> None:
    steps = [
        promises.tell(deps, chat, StatedPromise()),
        promises.tell(deps, chat, StatedPromise(amount_fen=SUM)),
        promises.tell(deps, chat, StatedPromise(due_on=in_days(deps, 5))),
    ]
    assert [step.step for step in steps if isinstance(step, Promised)] == [Step.AMOUNT, Step.DAY, Step.CONFIRMATION]


def test_all_that_is_owed_is_a_sum(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(100_000))
    chat = verified(deps, borrower)
    told = promises.tell(deps, chat, StatedPromise(everything=True, due_on=in_days(deps, 3)))
    assert isinstance(told, Promised)
    assert (told.step, told.amount_fen) == (Step.CONFIRMATION, told.owed_fen)


@pytest.mark.parametrize(
    ("fen", "days", "why", "step"),
    [
        (800_000, 3, PromiseRefusal.TOO_LARGE, Step.AMOUNT),
        (1_000, 3, PromiseRefusal.TOO_SMALL, Step.AMOUNT),
        (90_000_000, 3, PromiseRefusal.MORE_THAN_OWED, Step.AMOUNT),
        (SUM, 60, PromiseRefusal.DAY_TOO_FAR, Step.DAY),
        (SUM, -1, PromiseRefusal.DAY_PASSED, Step.DAY),
    ],
)
def test_what_the_policy_does_not_allow_is_asked_again_and_the_rest_is_kept(
    deps: Deps, chat: str, fen: int, days: int, why: PromiseRefusal, step: Step
) -> None:
    told = promises.tell(deps, chat, StatedPromise(fen, in_days(deps, days)))
    assert isinstance(told, Promised)
    assert (told.refused, told.step) == (why, step)
    kept = (told.amount_fen is None, told.due_on is None)
    assert kept == (step is Step.AMOUNT, step is Step.DAY)


def test_with_two_creditors_it_is_asked_which_one(deps: Deps, borrower: str, debt: str) -> None:
    a_debt_of(deps, borrower, Owed(400_000, "演示网贷", ProductKind.ONLINE_LOAN, days_late=90))
    chat = verified(deps, borrower)
    told = promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    assert isinstance(told, Promised)
    assert told.step is Step.CREDITOR
    chosen = promises.choose_creditor(deps, chat, 2)
    assert isinstance(chosen, Promised)
    assert (chosen.step, chosen.creditor, chosen.amount_fen) == (Step.CONFIRMATION, "示例银行", SUM)


@pytest.mark.parametrize(
    ("owed", "why"),
    [
        (Owed(days_late=1200, lent_days_ago=1400), NotPromised.OLD_DEBT),
        (Owed(limitation_known=False), NotPromised.OLD_DEBT),
        (Owed(disputed=True), NotPromised.ALL_DISPUTED),
    ],
)
def test_nothing_is_noted_on_debts_that_must_not_be_pressed(
    deps: Deps, borrower: str, owed: Owed, why: NotPromised
) -> None:
    a_debt_of(deps, borrower, owed)
    chat = verified(deps, borrower)
    assert promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5))) is why
    assert state_of(deps) == []


def test_a_plan_in_force_needs_no_promise_beside_it(deps: Deps, chat: str) -> None:
    a_plan(deps, chat)
    assert promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5))) is NotPromised.PLAN_IN_FORCE


def test_nobody_unverified_promises_anything(deps: Deps, chat: str) -> None:
    stranger = verified(deps, None)
    assert promises.tell(deps, stranger, StatedPromise(SUM, in_days(deps, 5))) == NotVerified()
    assert promises.make(deps, stranger, "m") == NotVerified()
    assert promises.open_promises(deps, stranger) == NotVerified()


# Making --------------------------------------------------------------------------------------------------------------


def test_a_yes_makes_the_promise_with_its_warning_on_record_and_one_notice(deps: Deps, chat: str) -> None:
    done = made(deps, chat)
    assert (done.amount_fen, done.due_on, done.reminded) == (SUM, in_days(deps, 5), True)
    with deps.begin() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "promise_made")).one()
        assert entry.detail["limitation_warning_shown"] is True
        notice = session.scalars(select(Reminder).where(Reminder.topic == "promise")).one()
        assert (notice.purpose, notice.due_on) == ("plan_notice", in_days(deps, 5))


def test_a_yes_typed_before_the_warning_makes_nothing(deps: Deps, chat: str) -> None:
    promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    hasty = record_text(deps, chat, "hasty", "好的").message_id
    asked(deps, chat)
    answer = promises.make(deps, chat, hasty)
    assert isinstance(answer, Promised)
    assert answer.step is Step.CONFIRMATION
    assert state_of(deps) == ["draft"]


def test_another_sum_asks_for_another_yes(deps: Deps, chat: str) -> None:
    promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    asked(deps, chat)
    promises.tell(deps, chat, StatedPromise(2 * SUM))
    answer = promises.make(deps, chat, record_text(deps, chat, "y", "好的").message_id)
    assert isinstance(answer, Promised)
    assert answer.step is Step.CONFIRMATION


def test_the_button_pressed_twice_makes_it_once(deps: Deps, chat: str) -> None:
    done = made(deps, chat)
    again = promises.make(deps, chat, record_text(deps, chat, "y2", "好的").message_id, done.promise_id)
    assert isinstance(again, Promised)
    assert (again.step, again.repeated) == (Step.MADE, True)
    assert state_of(deps) == ["open"]


def test_over_two_channels_at_once_it_is_made_once(deps: Deps, borrower: str, chat: str) -> None:
    promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    asked(deps, chat)
    yes = [record_text(deps, chat, f"y{turn}", "好的").message_id for turn in range(2)]
    answers = at_once(2, lambda turn: promises.make(deps, chat, yes[turn]))
    assert sum(isinstance(answer, Promised) and answer.step is Step.MADE for answer in answers) == 1
    assert state_of(deps) == ["open"]


def test_a_new_promise_takes_the_place_of_the_old_one(deps: Deps, chat: str) -> None:
    made(deps, chat)
    made(deps, chat, 60_000, 8, "again")
    assert sorted(state_of(deps)) == ["open", "replaced"]
    with deps.begin() as session:
        states = session.scalars(select(Reminder.state).where(Reminder.topic == "promise"))
        assert sorted(states) == ["planned", "superseded"]


def test_what_is_dropped_was_never_promised(deps: Deps, chat: str) -> None:
    promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    assert promises.drop(deps, chat)
    assert not promises.drop(deps, chat)
    assert promises.open_promises(deps, chat) == ()


def test_nothing_is_promised_in_distress(deps: Deps, chat: str) -> None:
    promises.tell(deps, chat, StatedPromise(SUM, in_days(deps, 5)))
    asked(deps, chat)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        place_hold(session, HoldKind.DISTRESS, deps.now(), conversation)
    yes = record_text(deps, chat, "y", "好的").message_id
    assert promises.make(deps, chat, yes) is NotPromised.ON_HOLD


# Afterwards ----------------------------------------------------------------------------------------------------------


def test_the_notice_goes_out_on_the_day_before_and_tells_no_fact(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    chat = verified(deps, borrower, channel="telegram")
    made(deps, chat)
    clock.move(timedelta(days=3, hours=23))
    assert reminders.sweep(deps).sent == 1
    told = messages_after(deps, chat, 0)[-1].text
    assert not any(word in told for word in ("¥", "500", "欠", "还款"))


def test_no_notice_goes_out_about_a_promise_that_was_kept(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    made(deps, verified(deps, borrower, channel="telegram"))
    clock.move(timedelta(days=3))
    a_payment(deps, debt, SUM)
    promise_judging.sweep(deps)
    clock.move(timedelta(hours=23))
    assert reminders.sweep(deps).sent == 0


def test_a_promise_paid_in_time_is_kept_and_its_notice_called_off(
    deps: Deps, clock: SetClock, debt: str, chat: str
) -> None:
    made(deps, chat)
    clock.move(timedelta(days=2))
    a_payment(deps, debt, SUM)
    assert promise_judging.sweep(deps) == Judged(kept=1)
    assert state_of(deps) == ["kept"]
    with deps.begin() as session:
        assert session.scalars(select(Reminder.state).where(Reminder.topic == "promise")).one() == "superseded"


@pytest.mark.parametrize(("paid_fen", "state"), [(0, "broken"), (20_000, "partly_kept")])
def test_what_was_not_paid_in_time_is_judged_after_the_grace(
    deps: Deps, clock: SetClock, debt: str, chat: str, paid_fen: int, state: str
) -> None:
    made(deps, chat)
    clock.move(timedelta(days=1))
    if paid_fen:
        a_payment(deps, debt, paid_fen)
    clock.move(timedelta(days=5))
    promise_judging.sweep(deps)
    assert state_of(deps) == ["open"]
    clock.move(timedelta(days=1))
    promise_judging.sweep(deps)
    assert state_of(deps) == [state]
    assert promise_judging.sweep(deps) == Judged()


def test_a_payment_booked_late_but_made_in_time_mends_a_broken_promise(
    deps: Deps, clock: SetClock, debt: str, chat: str
) -> None:
    made(deps, chat)
    paid_on = in_days(deps, 5)
    clock.move(timedelta(days=8))
    promise_judging.sweep(deps)
    assert state_of(deps) == ["broken"]
    clock.move(timedelta(days=1))
    with deps.begin() as session:
        entry = an_entry("late", EntryKind.PAYMENT, SUM, paid_on)

        assert accounts.book(session, debt, replace(entry, booked_at=deps.now())) is None
    assert promise_judging.sweep(deps) == Judged(kept=1)
    assert state_of(deps) == ["kept"]


def test_a_promise_replaced_after_the_sweep_found_it_stays_replaced(
    deps: Deps, clock: SetClock, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(deps, chat)
    clock.move(timedelta(days=7))
    lock = promise_judging.lock_borrower

    def replaced_meanwhile(session: Session, borrower_id: str) -> None:
        lock(session, borrower_id)
        session.execute(update(Promise).values(state="replaced"))

    monkeypatch.setattr(promise_judging, "lock_borrower", replaced_meanwhile)
    assert promise_judging.sweep(deps) == Judged()
    assert state_of(deps) == ["replaced"]


def test_more_payments_than_one_round_looks_at_are_left_for_the_next(deps: Deps, clock: SetClock) -> None:
    people = [a_borrower(deps, phone=f"1390000{n:04d}", id_number=f"11010119900202{n:04d}") for n in range(3)]
    debts = [a_debt_of(deps, person) for person in people]
    for person in people:
        made(deps, verified(deps, person), key=f"q{person}")
    promise_judging.sweep(deps)
    clock.move(timedelta(days=1))
    for debt in debts:
        a_payment(deps, debt, SUM)
    clock.move(timedelta(hours=1))  # longer than what is looked at once more
    kept = [promise_judging.sweep(deps, limit=2).kept for _ in range(3)]
    assert kept == [2, 1, 0]
