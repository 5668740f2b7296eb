"""What the records put before the gate, on both databases: wishes, holds, payments sought, history, limits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from bot.clock import SHANGHAI
from bot.outreach.gate import Decision, HoldKind, PastNotice, Purpose, Verdict
from bot.services import contact, holds, payment_traces
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.services.payment_traces import Stated, TraceView
from bot.store.tables import ContactWish, Conversation, Reminder
from tests.builders.accounts import a_debt_of, verified
from tests.builders.desk import NOON, SetClock, Talk, a_borrower, a_conversation, an_operator

MONDAY_NOON = NOON + timedelta(days=2)
ALLOWED = Decision(Verdict.ALLOWED, "within_limits")


@pytest.fixture
def borrower(deps: Deps, clock: SetClock) -> str:
    clock.instant = MONDAY_NOON
    return a_borrower(deps)


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    return a_conversation(deps, Talk(borrower_id=borrower, channel="telegram"))


def asked(deps: Deps, borrower: str, chat: str, purpose: Purpose = Purpose.COLLECTION) -> Decision:
    with deps.begin() as session:
        return contact.decide(session, deps, borrower, session.get_one(Conversation, chat), purpose, None)


def asked_by_person(deps: Deps, chat: str) -> tuple[Purpose, Decision]:
    with deps.begin() as session:
        return contact.decide_for_person(session, deps, session.get_one(Conversation, chat))


def wish(deps: Deps, borrower: str, **wishes: object) -> None:
    with deps.begin() as session:
        session.add(ContactWish(borrower_id=borrower, changed_at=deps.now(), **wishes))


def in_shanghai(hour: int, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=SHANGHAI)


def test_what_the_borrower_wishes_is_kept(deps: Deps, borrower: str, chat: str) -> None:
    assert asked(deps, borrower, chat) == ALLOWED
    wish(deps, borrower, quiet_from=time(11), quiet_to=time(15))
    assert asked(deps, borrower, chat) == Decision(Verdict.DEFERRED, "W1", in_shanghai(15))


def test_wishes_that_make_no_sense_silence_rather_than_being_guessed(deps: Deps, borrower: str, chat: str) -> None:
    wish(deps, borrower, quiet_from=time(11))
    assert asked(deps, borrower, chat) == Decision(Verdict.REFUSED, "unknown")
    assert asked(deps, borrower, chat, Purpose.REPLY).verdict is Verdict.ALLOWED


def test_a_pause_silences_until_its_end(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    with deps.begin() as session:
        holds.place(session, deps.now(), HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + timedelta(hours=2))
    assert asked(deps, borrower, chat) == Decision(Verdict.REFUSED, "F6")
    clock.move(timedelta(hours=2))
    assert asked(deps, borrower, chat) == ALLOWED


def sought(deps: Deps, borrower: str) -> None:
    """Let the borrower report a payment that nobody has seen."""
    a_debt_of(deps, borrower)
    answer = payment_traces.report_paid(deps, verified(deps, borrower), "我已经还了", Stated(12_345, None))
    assert isinstance(answer, TraceView)


def test_while_a_payment_is_sought_nobody_is_pressed_for_it_by_a_notice(deps: Deps, borrower: str, chat: str) -> None:
    sought(deps, borrower)
    assert asked(deps, borrower, chat) == Decision(Verdict.REFUSED, "F6")
    assert asked(deps, borrower, chat, Purpose.DUE_NOTICE) == Decision(Verdict.REFUSED, "F6")
    assert asked(deps, borrower, chat, Purpose.PLAN_NOTICE) == ALLOWED


def test_an_operator_may_still_answer_about_a_payment_being_sought(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    sought(deps, borrower)
    clock.move(timedelta(days=1))
    assert asked_by_person(deps, chat) == (Purpose.COLLECTION, ALLOWED)


def test_when_the_answer_is_overdue_the_search_silences_no_more(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    sought(deps, borrower)
    clock.move(timedelta(days=4))
    assert asked(deps, borrower, chat) == ALLOWED


def sent_reminder(deps: Deps, borrower: str, at: datetime, **columns: object) -> Reminder:
    with deps.begin() as session:
        reminder = Reminder(
            key=f"test:{at.isoformat()}",
            borrower_id=borrower,
            purpose=Purpose.DUE_NOTICE.value,
            state="sent",
            send_at=at,
            decided_at=at,
            created_at=at,
            **columns,
        )
        session.add(reminder)
        return reminder


def history(deps: Deps, borrower: str, chat: str) -> list[PastNotice]:
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        recipient = contact.recipient_of(session, deps, borrower, conversation, Purpose.PLAN_NOTICE)
        return list(recipient.history or ())


def test_only_what_came_before_a_due_date_counts_for_it(deps: Deps, borrower: str, chat: str) -> None:
    due_on = date(2026, 11, 20)
    for day in (17, 19, 20, 21):
        sent_reminder(deps, borrower, in_shanghai(10, day), subject="debt:1", due_on=due_on)
    keys = [notice.due_key for notice in history(deps, borrower, chat)]
    assert sorted(key or "" for key in keys) == ["", "", "debt:1:2026-11-20", "debt:1:2026-11-20"]


def test_a_notice_and_the_message_that_carried_it_count_once(deps: Deps, borrower: str, chat: str) -> None:
    reminder = sent_reminder(deps, borrower, deps.now(), subject="debt:1")
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        message = say(session, deps, conversation, Reply("提醒"), author=Author.BOT, purpose=Purpose.COLLECTION.value)
        assert message is not None
        session.get_one(Reminder, reminder.id).message_id = message.id
    assert len(history(deps, borrower, chat)) == 1


def test_what_an_operator_begins_counts_on_every_channel(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    elsewhere, agent = a_conversation(deps, Talk(borrower_id=borrower)), an_operator(deps)
    with deps.begin() as session:
        other = session.get_one(Conversation, elsewhere)
        words = Reply("您好")
        say(session, deps, other, words, author=Author.OPERATOR, operator_id=agent, purpose=Purpose.COLLECTION.value)
    clock.move(timedelta(hours=1))
    assert asked(deps, borrower, chat) == Decision(Verdict.DEFERRED, "F1", MONDAY_NOON + timedelta(days=1))


def test_nobody_bound_gets_anything(deps: Deps, borrower: str) -> None:
    stranger = a_conversation(deps)
    assert asked(deps, borrower, stranger) == Decision(Verdict.REFUSED, "P1")
    with deps.begin() as session:
        assert contact.decide(session, deps, None, None, Purpose.PLAN_NOTICE, None).rule == "P1"
        assert contact.decide(session, deps, borrower, None, Purpose.PLAN_NOTICE, None).rule == "P1"
