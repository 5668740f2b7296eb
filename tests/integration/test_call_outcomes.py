"""What becomes of calls that borrowers asked for: what counts, what is told, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.desk.calls import CallOutcome, CallState, CallTelling
from bot.identity.roles import Role
from bot.outreach.call_times import MOST_ATTEMPTS, CallRule
from bot.outreach.gate import HoldKind, Purpose, Verdict
from bot.outreach.notice import Topic
from bot.services import call_backs, contact, notice_planning
from bot.services.call_backs import Arranged, CallMade, Forbidden, NotArranged
from bot.services.deps import Deps
from bot.services.notice_facts import facts_of
from bot.services.operators import OperatorView
from bot.store import tables
from tests.builders.accounts import verified
from tests.builders.approvals import an_operator_view
from tests.builders.calls import at, contacts, row_of, settle, told
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation


@pytest.fixture
def chat(deps: Deps) -> str:
    return verified(deps, a_borrower(deps))


@pytest.fixture
def chen(deps: Deps) -> OperatorView:
    return an_operator_view(deps, Role.AGENT, "chen")


def test_a_call_that_was_made_counts_before_the_next_notice(deps: Deps, chat: str, chen: OperatorView) -> None:
    call_backs.arrange(deps, chat)
    assert settle(deps, chen, chat, CallOutcome.SPOKEN) is CallState.DONE
    assert settle(deps, chen, chat, CallOutcome.SPOKEN) is NotArranged.NONE_OPEN
    with deps.begin() as session:
        conversation = session.get_one(tables.Conversation, chat)
        decision = contact.decide(session, deps, conversation.borrower_id, conversation, Purpose.COLLECTION, None)
        assert (decision.verdict, decision.rule) == (Verdict.DEFERRED, "F1")
        entry = session.scalars(select(tables.Reminder).where(tables.Reminder.channel == "phone")).one()
        assert entry.state == "sent"
    again = call_backs.arrange(deps, chat, at(18))
    assert isinstance(again, Forbidden)
    assert again.rule is CallRule.FREQUENCY


def test_an_unanswered_call_is_tried_another_day_and_given_up_after_some(
    deps: Deps, chat: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, chat)
    for attempt in range(1, MOST_ATTEMPTS):
        assert settle(deps, chen, chat, CallOutcome.NO_ANSWER) is CallState.OPEN
        assert row_of(deps, chat).call_at == at(9, days=attempt)
        clock.instant = at(9, 30, days=attempt)
        call_backs.sweep(deps)
    assert settle(deps, chen, chat, CallOutcome.NO_ANSWER) is CallState.UNREACHED
    assert "没有打通" in told(deps, chat)[0].text
    assert "刚才" not in told(deps, chat)[0].text
    assert told(deps, chat)[-1].text.startswith("给您打了几次电话")
    assert row_of(deps, chat).open_key is None


@pytest.mark.parametrize(
    ("outcome", "verdict", "rule"),
    [(CallOutcome.SPOKEN, Verdict.ALLOWED, "within_limits"), (CallOutcome.NO_ANSWER, Verdict.DEFERRED, "F3")],
)
def test_whoever_was_spoken_with_has_answered(
    deps: Deps, clock: SetClock, chen: OperatorView, outcome: CallOutcome, verdict: Verdict, rule: str
) -> None:
    chat = hours_after_their_words(deps, 20)
    for days in range(2):
        clock.instant = at(14, 10, days=days)
        assert isinstance(call_backs.arrange(deps, chat, at(14, days=days)), Arranged)
        settle(deps, chen, chat, outcome)
    clock.move(timedelta(hours=25))
    with deps.begin() as session:
        conversation = session.get_one(tables.Conversation, chat)
        decision = contact.decide(session, deps, conversation.borrower_id, conversation, Purpose.COLLECTION, None)
    assert (decision.verdict, decision.rule) == (verdict, rule)


def test_a_call_is_a_contact_of_its_own_kind_and_has_the_notices_planned_again(
    deps: Deps, clock: SetClock, chen: OperatorView
) -> None:
    chat = hours_after_their_words(deps, 20)
    call_backs.arrange_for(deps, chen, chat, at(16, days=1))
    notice_planning.sweep(deps)
    clock.instant = at(16, 10, days=2)
    assert settle(deps, chen, chat, CallOutcome.SPOKEN) is CallState.DONE
    call = f"call:{row_of(deps, chat).id}"
    assert [(kept.topic, kept.subject, kept.channel) for kept in contacts(deps)] == [
        (Topic.CALL, call, "web"),
        (Topic.CALL, call, "phone"),
    ]
    with deps.read() as session:
        borrower_id = session.get_one(tables.Conversation, chat).borrower_id or ""
        assert session.get_one(tables.Borrower, borrower_id).notices_due_at == deps.now()
        facts = facts_of(session, [borrower_id], deps.now())[borrower_id]
    assert (facts.last_contact_at, facts.unanswered) == (deps.now(), 0)
    assert [notice.topic for notice in facts.standing if notice.at == deps.now()] == [Topic.CALL]


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(seconds=1)])
def test_pressing_twice_or_on_an_old_page_makes_no_second_call(
    deps: Deps, chat: str, clock: SetClock, chen: OperatorView, apart: timedelta
) -> None:
    call_backs.arrange(deps, chat)
    made = CallMade(row_of(deps, chat).id, 0)
    assert call_backs.settle(deps, chen, chat, made, CallOutcome.NO_ANSWER) is CallState.OPEN
    for outcome in CallOutcome:
        clock.move(apart)
        assert call_backs.settle(deps, chen, chat, made, outcome) is NotArranged.NONE_OPEN
    assert (row_of(deps, chat).attempts, len(contacts(deps)), len(told(deps, chat))) == (1, 1, 1)
    other = CallMade("0" * 32, 1)
    assert call_backs.settle(deps, chen, chat, other, CallOutcome.NO_ANSWER) is NotArranged.NONE_OPEN


def test_two_who_press_at_once_make_one_call(deps: Deps, chat: str, chen: OperatorView) -> None:
    call_backs.arrange(deps, chat)
    made = CallMade(row_of(deps, chat).id, 0)
    with ThreadPoolExecutor(2) as both:
        pressed = [both.submit(call_backs.settle, deps, chen, chat, made, CallOutcome.NO_ANSWER) for _ in range(2)]
    assert sorted(one.result() for one in pressed) == [NotArranged.NONE_OPEN, CallState.OPEN]
    assert (row_of(deps, chat).attempts, len(contacts(deps))) == (1, 1)


def hours_after_their_words(deps: Deps, hours: int) -> str:
    """Return the conversation of somebody whose last words are some hours old."""
    return a_conversation(deps, Talk(borrower_id=a_borrower(deps), said=(Said("在吗", minutes_ago=hours * 60),)))


@pytest.fixture
def silent(deps: Deps) -> str:
    """The conversation of somebody whose last words are 20 hours old, after two notices that they left unanswered."""
    chat = hours_after_their_words(deps, 20)
    with deps.begin() as session:
        borrower_id = session.get_one(tables.Conversation, chat).borrower_id
        for hours in (18, 2):
            sent_at = deps.now() - timedelta(hours=hours)
            notice = tables.Reminder(key=f"n{hours}", borrower_id=borrower_id, purpose="collection", topic="overdue")
            notice.send_at = notice.created_at = notice.decided_at = sent_at
            notice.state = "sent"
            session.add(notice)
    return chat


def test_whoever_misses_a_call_is_told_of_the_next_one_each_time_and_at_last_that_it_was_given_up(
    deps: Deps, silent: str, clock: SetClock, chen: OperatorView
) -> None:
    assert call_backs.arrange(deps, silent, at(14)) == Arranged(at(14))
    for attempt, missed_at in enumerate((at(14, 10), at(9, 10, days=1), at(9, 10, days=2)), start=1):
        clock.instant = missed_at
        is_last = attempt == MOST_ATTEMPTS
        assert settle(deps, chen, silent, CallOutcome.NO_ANSWER) is (CallState.UNREACHED if is_last else CallState.OPEN)
        said = told(deps, silent)[attempt - 1 :]
        assert [message.created_at for message in said] == [missed_at]
        words = "先不打了" if is_last else f"同事会在11月{21 + attempt}日 09:00到10:00之间再打一次"
        assert words in said[0].text
        assert said[0].purpose == Purpose.PLAN_NOTICE
        assert row_of(deps, silent).telling == CallTelling.TOLD
    assert [kept.channel for kept in contacts(deps)] == ["phone"] * MOST_ATTEMPTS, "each call counts, once"


def test_in_the_evening_the_next_call_waits_until_it_can_be_told_of(
    deps: Deps, silent: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, silent, at(19))
    clock.instant = at(20, 5)
    assert settle(deps, chen, silent, CallOutcome.NO_ANSWER) is CallState.OPEN
    assert (told(deps, silent), row_of(deps, silent).call_at) == ([], at(10, days=1))
    clock.instant = at(9, days=1)
    assert call_backs.sweep(deps) == 1
    (message,) = told(deps, silent)
    assert message.text.startswith("给您打的电话没有打通")
    assert "11月22日 10:00到11:00之间" in message.text
    assert len(contacts(deps)) == 1


def test_at_night_nobody_is_told_of_a_missed_call_even_if_they_wrote_by_day(
    deps: Deps, chat: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, chat)
    clock.instant = at(22, 30)
    assert settle(deps, chen, chat, CallOutcome.NO_ANSWER) is CallState.OPEN
    assert told(deps, chat) == []
    clock.instant = at(9, days=1)
    assert call_backs.sweep(deps) == 1
    assert "11月22日 10:00到11:00之间" in told(deps, chat)[0].text


def test_a_hold_keeps_what_became_of_a_call_to_the_desk(
    deps: Deps, silent: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, silent, at(14))
    clock.instant = at(14, 10)
    with deps.begin() as session:
        borrower_id = session.get_one(tables.Conversation, silent).borrower_id
        session.add(tables.Hold(borrower_id=borrower_id, kind=HoldKind.PAUSE.value, placed_at=deps.now()))
    settle(deps, chen, silent, CallOutcome.NO_ANSWER)
    assert (told(deps, silent), row_of(deps, silent).telling) == ([], CallTelling.DROPPED)


def test_what_was_owed_of_an_earlier_call_is_not_said_once_a_new_one_is_arranged(
    deps: Deps, silent: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, silent, at(19))
    with deps.begin() as session:
        session.get_one(tables.CallBack, row_of(deps, silent).id).attempts = MOST_ATTEMPTS - 1
    clock.instant = at(20, 5)
    assert settle(deps, chen, silent, CallOutcome.NO_ANSWER) is CallState.UNREACHED
    clock.instant = at(21)
    assert isinstance(call_backs.arrange(deps, silent, at(14, days=1)), Arranged)
    clock.instant = at(9, days=1)
    assert call_backs.sweep(deps) == 0
    assert told(deps, silent) == []


def test_a_time_that_has_passed_is_not_told_any_more(
    deps: Deps, silent: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, silent, at(19))
    clock.instant = at(20, 5)
    settle(deps, chen, silent, CallOutcome.NO_ANSWER)
    clock.instant = at(11, days=1)
    call_backs.sweep(deps)
    assert (told(deps, silent), row_of(deps, silent).telling) == ([], CallTelling.DROPPED)


def test_who_moves_a_call_does_not_say_that_somebody_has_just_called(
    deps: Deps, chat: str, clock: SetClock, chen: OperatorView
) -> None:
    call_backs.arrange(deps, chat)
    assert settle(deps, chen, chat, CallOutcome.NO_ANSWER) is CallState.OPEN
    clock.move(timedelta(hours=3))
    assert call_backs.arrange_for(deps, chen, chat, at(16, days=1)) == Arranged(at(16, days=1), is_moved=True)
    missed, moved = (message.text for message in told(deps, chat))
    assert "没有打通" in missed
    assert "没有打通" not in moved
    assert "11月22日 16:00到17:00之间" in moved
