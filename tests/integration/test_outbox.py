"""Claiming and settling what waits to be delivered, against both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.clock import SHANGHAI
from bot.outreach.gate import HoldKind
from bot.services import reminders
from bot.services.conversations import Author, QuickReply, Reply, conversation_for, say
from bot.services.deps import Deps
from bot.services.handoff import locked, place_hold
from bot.services.inbound import record_press
from bot.services.mailboxes import register_email
from bot.services.outbox import OutboxItem, begin_attempt, claim_due, mark_dead, mark_failed, mark_sent, retry_delay
from bot.store.tables import Borrower, Conversation, Instalment, Outbox
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once

NIGHT = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
"""23:30 in Shanghai."""

LEASE = timedelta(minutes=3)


def chat(deps: Deps, address: str, channel: str = "telegram") -> str:
    """Open a conversation and let its greeting be delivered."""
    conversation_id = conversation_for(deps, channel, address)
    while items := claim_due(deps, channel, 20, LEASE):
        for item in items:
            mark_sent(deps, item.outbox_id, "1")
    return conversation_id


def write(deps: Deps, conversation_id: str, *texts: str, purpose: str = "reply", buttons: tuple[str, ...] = ()) -> None:
    """Let the bot say something in a conversation."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        for text in texts:
            reply = Reply(text, tuple(QuickReply(title, f"/{title}") for title in buttons))
            say(session, deps, conversation, reply, author=Author.BOT, purpose=purpose)


def due(deps: Deps, limit: int = 20) -> list[OutboxItem]:
    return claim_due(deps, "telegram", limit, LEASE)


def rows(deps: Deps) -> list[Outbox]:
    with deps.begin() as session:
        return list(session.scalars(select(Outbox).where(Outbox.state != "sent")))


def test_a_claimed_item_carries_all_that_delivery_needs(deps: Deps) -> None:
    conversation_id = chat(deps, "5001")
    write(deps, conversation_id, "选一个吧。", buttons=("分期", "延期"))

    [item] = due(deps)

    assert (item.address, item.conversation_id, item.author, item.text, item.attempts) == (
        "5001",
        conversation_id,
        "bot",
        "选一个吧。",
        1,
    )
    assert [(button.title, button.state) for button in item.buttons] == [("分期", "open"), ("延期", "open")]
    assert item.key.startswith("message:")


def test_a_button_used_meanwhile_is_shown_as_used(deps: Deps) -> None:
    conversation_id = chat(deps, "5001")
    write(deps, conversation_id, "选一个吧。", buttons=("分期", "延期"))
    [item] = due(deps)
    record_press(deps, conversation_id, "tg:1", item.buttons[0].token)
    mark_failed(deps, item.outbox_id, deps.now(), "unreachable")

    [again] = due(deps)

    assert [button.state for button in again.buttons] == ["used", "stale"]


def test_the_next_of_a_conversation_waits_until_the_one_before_is_sent(deps: Deps) -> None:
    write(deps, chat(deps, "5001"), "第一句", "第二句", "第三句")
    told = []
    while items := due(deps):
        [item] = items
        assert due(deps) == []
        mark_sent(deps, item.outbox_id, "7")
        told.append(item.text)
    assert told == ["第一句", "第二句", "第三句"]


def test_a_failed_message_holds_back_its_own_conversation_only(deps: Deps, clock: SetClock) -> None:
    slow, other = chat(deps, "5001"), chat(deps, "5002")
    write(deps, slow, "第一句", "第二句")
    write(deps, other, "你好")
    first = next(item for item in due(deps) if item.text == "第一句")
    mark_failed(deps, first.outbox_id, clock.now() + timedelta(seconds=30), "flood_control")
    write(deps, other, "还在吗")

    clock.move(timedelta(seconds=29))
    assert due(deps) == []
    clock.move(timedelta(seconds=1))
    [again] = due(deps)
    assert (again.text, again.attempts) == ("第一句", 2)


def test_other_conversations_go_on_while_one_waits(deps: Deps, clock: SetClock) -> None:
    slow, other = chat(deps, "5001"), chat(deps, "5002")
    write(deps, slow, "第一句")
    [item] = due(deps)
    mark_failed(deps, item.outbox_id, clock.now() + timedelta(hours=1), "unreachable")

    write(deps, other, "你好")

    assert [item.text for item in due(deps)] == ["你好"]


def test_a_message_given_up_lets_the_next_one_through(deps: Deps) -> None:
    write(deps, chat(deps, "5001"), "第一句", "第二句")
    [first] = due(deps)
    mark_dead(deps, first.outbox_id, "forbidden")

    assert [item.text for item in due(deps)] == ["第二句"]
    assert ("dead", "forbidden") in [(row.state, row.last_error) for row in rows(deps)]


def test_a_claim_nobody_settled_is_free_again_after_its_lease(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    [first] = due(deps)
    clock.move(timedelta(minutes=2, seconds=59))
    assert due(deps) == []
    clock.move(timedelta(seconds=1))
    [second] = due(deps)
    assert (second.outbox_id, second.attempts) == (first.outbox_id, 2)


def test_what_was_sent_stays_sent_when_a_slower_process_reports_a_failure(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    [item] = due(deps)
    mark_sent(deps, item.outbox_id, "42")

    mark_failed(deps, item.outbox_id, clock.now(), "timed_out")
    mark_dead(deps, item.outbox_id, "forbidden")

    assert due(deps) == []
    with deps.begin() as session:
        row = session.get_one(Outbox, item.outbox_id)
        assert (row.state, row.channel_message_id, row.sent_at, row.last_error) == ("sent", "42", clock.now(), None)


def test_no_more_than_the_limit_is_claimed_and_the_longest_due_comes_first(deps: Deps, clock: SetClock) -> None:
    for number, conversation_id in enumerate([chat(deps, f"500{number}") for number in range(3)]):
        write(deps, conversation_id, f"{number}")
        clock.move(timedelta(seconds=1))

    assert [item.text for item in due(deps, limit=2)] == ["0", "1"]
    assert [item.text for item in due(deps, limit=2)] == ["2"]


def test_a_channel_gets_its_own_messages_only(deps: Deps) -> None:
    write(deps, chat(deps, "5001", channel="letters"), "你好")

    assert due(deps) == []
    assert len(claim_due(deps, "letters", 20, LEASE)) == 1


def test_of_many_processes_each_message_is_claimed_by_one(deps: Deps) -> None:
    for conversation_id in [chat(deps, f"60{number:02}") for number in range(12)]:
        write(deps, conversation_id, "第一句", "第二句")

    def claim(_: int) -> list[OutboxItem]:
        return [item for _ in range(4) for item in claim_due(deps, "telegram", 3, LEASE)]

    claimed = [item for batch in at_once(6, claim) for item in batch]

    assert len(claimed) == 12
    assert len({item.outbox_id for item in claimed}) == 12
    assert {item.text for item in claimed} == {"第一句"}


@pytest.mark.parametrize("purpose", ["plan_notice", "due_notice", "collection", "something_new"])
def test_a_notice_that_met_the_night_on_its_way_is_given_up(deps: Deps, clock: SetClock, purpose: str) -> None:
    conversation_id = chat(deps, "5001")
    write(deps, conversation_id, "事项提醒", purpose=purpose)
    clock.instant = NIGHT
    write(deps, conversation_id, "答复")

    assert due(deps) == []
    assert [item.text for item in due(deps)] == ["答复"]
    assert "gate:T1" in [row.last_error for row in rows(deps)]


@pytest.mark.parametrize("purpose", ["reply", "safety"])
def test_answers_and_words_of_safety_are_delivered_at_any_hour(deps: Deps, clock: SetClock, purpose: str) -> None:
    clock.instant = NIGHT
    write(deps, chat(deps, "5001"), "我在", purpose=purpose)

    assert [item.text for item in due(deps)] == ["我在"]


@pytest.mark.parametrize(("kind", "rule"), [(HoldKind.OPT_OUT, "F5"), (HoldKind.DISTRESS, "F6")])
def test_a_hold_placed_after_a_notice_was_written_stops_it(deps: Deps, kind: HoldKind, rule: str) -> None:
    conversation_id = chat(deps, "5001")
    write(deps, conversation_id, "事项提醒", purpose="due_notice")
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        place_hold(session, kind, deps.now(), conversation)

    assert due(deps) == []
    assert [row.last_error for row in rows(deps)] == [f"gate:{rule}"]


def test_a_notice_in_the_day_is_delivered(deps: Deps) -> None:
    write(deps, chat(deps, "5001"), "事项提醒", purpose="due_notice")

    assert [item.text for item in due(deps)] == ["事项提醒"]


def test_two_processes_that_meet_the_same_new_address_open_one_conversation(deps: Deps) -> None:
    assert len(set(at_once(4, lambda _: conversation_for(deps, "telegram", "5001")))) == 1
    greeting = len(deps.wording.all("greeting", lender="示例银行"))
    assert len(rows(deps)) == greeting


def test_an_error_code_of_any_length_fits(deps: Deps, clock: SetClock) -> None:
    settle: list[Callable[[str], None]] = [
        lambda key: mark_failed(deps, key, clock.now(), "x" * 500),
        lambda key: mark_dead(deps, key, "x" * 500),
    ]
    for number, record in enumerate(settle):
        write(deps, chat(deps, f"500{number}"), "你好")
        [item] = due(deps)
        record(item.outbox_id)
        with deps.begin() as session:
            assert session.get_one(Outbox, item.outbox_id).last_error == "x" * 120
        mark_dead(deps, item.outbox_id, "done")


def test_the_waits_between_attempts_double_up_to_half_an_hour() -> None:
    waits = [retry_delay(attempts).total_seconds() for attempts in range(1, 14)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == 1800


def test_what_would_be_tried_a_day_after_it_was_written_is_given_up(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "第一句", "第二句")
    [item] = due(deps)
    assert mark_failed(deps, item.outbox_id, clock.now() + timedelta(hours=24), "timed_out")
    clock.move(timedelta(hours=24))
    [again] = due(deps)
    assert not mark_failed(deps, again.outbox_id, clock.now() + timedelta(seconds=4), "timed_out")

    assert ("dead", "gave_up:timed_out") in [(row.state, row.last_error) for row in rows(deps)]
    assert [item.text for item in due(deps)] == ["第二句"]


def test_a_day_of_failures_ends_after_a_bounded_number_of_attempts(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    attempts = 0
    while items := due(deps):
        attempts += 1
        wait = retry_delay(items[0].attempts)
        mark_failed(deps, items[0].outbox_id, clock.now() + wait, "unreachable")
        clock.move(wait)
    assert 50 < attempts < 70


def test_an_attempt_is_on_record_before_anything_is_sent(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    [item] = due(deps)
    assert begin_attempt(deps, item)
    assert [row.started_at for row in rows(deps)] == [clock.now()]
    mark_failed(deps, item.outbox_id, clock.now(), "unreachable")
    assert [row.started_at for row in rows(deps)] == [None]


def test_nothing_is_sent_under_a_claim_that_has_ended_or_passed_on(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    [slow] = due(deps)
    clock.move(LEASE)
    assert not begin_attempt(deps, slow)
    [quick] = due(deps)
    assert not begin_attempt(deps, slow)
    assert begin_attempt(deps, quick)
    mark_sent(deps, quick.outbox_id, "1")
    assert not begin_attempt(deps, quick)


def test_a_slow_process_takes_no_claim_away_from_a_quicker_one(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "你好")
    [slow] = due(deps)
    clock.move(LEASE)
    [quick] = due(deps)
    mark_failed(deps, slow.outbox_id, clock.now(), "timed_out", attempt=slow.attempts)
    assert due(deps) == []
    assert begin_attempt(deps, quick)


@pytest.mark.parametrize("purpose", ["plan_notice", "due_notice", "collection"])
def test_a_notice_whose_sender_died_while_sending_is_not_sent_again(deps: Deps, clock: SetClock, purpose: str) -> None:
    conversation_id = chat(deps, "5001")
    write(deps, conversation_id, "事项提醒", purpose=purpose)
    write(deps, conversation_id, "答复")
    [item] = due(deps)
    assert item.is_notice
    assert begin_attempt(deps, item)
    clock.move(LEASE)

    assert due(deps) == []
    assert [again.text for again in due(deps)] == ["答复"], "what comes after it is not held back"
    assert ("unknown", "interrupted") in [(row.state, row.last_error) for row in rows(deps)]


def test_a_notice_whose_sender_died_before_sending_is_sent(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "事项提醒", purpose="due_notice")
    assert due(deps)
    clock.move(LEASE)
    assert [item.text for item in due(deps)] == ["事项提醒"]


@pytest.mark.parametrize("purpose", ["reply", "safety", "fact"])
def test_an_answer_whose_sender_died_while_sending_is_sent_again(deps: Deps, clock: SetClock, purpose: str) -> None:
    write(deps, chat(deps, "5001"), "我在", purpose=purpose)
    [item] = due(deps)
    assert not item.is_notice
    begin_attempt(deps, item)
    clock.move(LEASE)
    assert [again.attempts for again in due(deps)] == [2]


def test_a_channel_that_knows_repetitions_gets_an_interrupted_notice_again(deps: Deps, clock: SetClock) -> None:
    write(deps, chat(deps, "5001"), "事项提醒", purpose="due_notice")
    [item] = claim_due(deps, "telegram", 5, LEASE, may_repeat=True)
    begin_attempt(deps, item)
    clock.move(LEASE)
    [again] = claim_due(deps, "telegram", 5, LEASE, may_repeat=True)
    assert again.key == item.key


@pytest.mark.parametrize(
    ("purpose", "author", "leaves"),
    [
        ("due_notice", Author.BOT, True),
        ("collection", Author.BOT, True),
        ("collection", Author.OPERATOR, False),
        ("reply", Author.BOT, False),
        ("fact", Author.BOT, False),
        ("safety", Author.BOT, False),
    ],
)
def test_only_the_desks_own_notices_leave_by_a_one_way_channel(
    deps: Deps, purpose: str, author: Author, leaves: bool
) -> None:
    borrower_id = a_borrower(deps)
    with deps.begin() as session:
        borrower = session.get_one(Borrower, borrower_id)
        assert register_email(session, deps, borrower, "wang@example.com") is None
        conversation = session.scalars(select(Conversation)).one()
        say(session, deps, conversation, Reply("内容"), author=author, purpose=purpose)

    assert [item.text for item in claim_due(deps, "email", 5, LEASE)] == (["内容"] if leaves else [])
    assert [row.last_error for row in rows(deps)] == ([None] if leaves else ["gate:one_way"])


def test_a_notice_that_waited_is_dropped_when_its_account_was_paid_meanwhile(deps: Deps, clock: SetClock) -> None:
    chat_id = verified(deps, a_borrower_in_debt(deps), "telegram")
    part = a_plan(deps, chat_id).instalments[0]
    clock.instant = datetime.combine(part.due_on - timedelta(days=3), time(10), tzinfo=SHANGHAI)
    while items := due(deps):
        for item in items:
            mark_sent(deps, item.outbox_id, "1")
    assert reminders.sweep(deps).sent == 1
    with deps.begin() as session:
        session.scalars(select(Instalment).where(Instalment.number == 1)).one().state = "paid"
    clock.move(timedelta(minutes=11))

    assert due(deps) == []
    assert [row.last_error for row in rows(deps)] == ["gate:nothing_due"]


def test_a_notice_that_waited_and_still_holds_is_delivered(deps: Deps, clock: SetClock) -> None:
    chat_id = verified(deps, a_borrower_in_debt(deps), "telegram")
    part = a_plan(deps, chat_id).instalments[0]
    clock.instant = datetime.combine(part.due_on - timedelta(days=3), time(10), tzinfo=SHANGHAI)
    while items := due(deps):
        for item in items:
            mark_sent(deps, item.outbox_id, "1")
    assert reminders.sweep(deps).sent == 1
    clock.move(timedelta(hours=5))
    assert len(due(deps)) == 1


def a_borrower_in_debt(deps: Deps) -> str:
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id)
    return borrower_id


def test_rows_that_another_process_is_claiming_are_passed_over(deps: Deps) -> None:
    """PostgreSQL locks rows, and this one waits for nobody; SQLite locks the whole file, and waits."""
    if deps.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    for number, conversation_id in enumerate([chat(deps, f"500{number}") for number in range(2)]):
        write(deps, conversation_id, f"{number}")
    with deps.begin() as session:
        first = select(Outbox).where(Outbox.state == "pending").order_by(Outbox.next_attempt_at).limit(1)
        held = session.scalars(first.with_for_update()).one()
        claimed = due(deps)
    assert len(claimed) == 1
    assert claimed[0].outbox_id != held.id


@pytest.mark.parametrize("sealed", ["anonymised", "1:AAAA", "2:00000000:AAAA"])
def test_an_address_that_cannot_be_opened_holds_nobody_else_back(deps: Deps, sealed: str) -> None:
    gone, other = chat(deps, "5001"), chat(deps, "5002")
    write(deps, gone, "您好")
    write(deps, other, "在吗")
    with deps.begin() as session:
        session.get_one(Conversation, gone).address_sealed = sealed
    assert [item.text for item in due(deps)] == ["在吗"]
    assert [(row.state, row.last_error) for row in rows(deps)] == [("dead", "address_unreadable"), ("pending", None)]
