"""A clock stands a day ahead for a while: what was claimed meanwhile by a process that then dies waits for no day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.outreach.gate import HoldKind
from bot.services import api_clients, lender_events, outbox, reminders, turns, webhooks
from bot.services.claims import LONGEST_CLAIM, is_free
from bot.services.conversations import Author, Reply, conversation_for, locked, say
from bot.services.deps import Deps
from bot.store.tables import Conversation, Hold, Message, Reminder
from tests.builders.accounts import a_debt_of, verified
from tests.builders.desk import NOON, Said, SetClock, Talk, a_borrower, a_conversation
from tests.builders.lender import a_key

LEASE = timedelta(seconds=25)
AHEAD = timedelta(days=1)


@pytest.mark.parametrize(
    ("minutes", "free"), [(-1, True), (0, True), (1, False), (30, False), (31, True), (60 * 24, True)]
)
def test_a_claim_that_nobody_could_have_made_is_none(minutes: int, free: bool) -> None:
    assert timedelta(minutes=30) == LONGEST_CLAIM
    assert is_free(NOON + timedelta(minutes=minutes), NOON) is free


def test_a_borrowers_message_is_answered_once_the_clock_is_right(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps, Talk(said=(Said("在吗", handling="pending"),)))
    clock.move(AHEAD)
    assert turns.claim_next(deps, chat, LEASE) is not None
    assert turns.claim_next(deps, chat, LEASE) is None
    clock.move(-AHEAD)
    assert turns.waiting_conversations(deps) == [chat]
    assert turns.claim_next(deps, chat, LEASE) is not None
    assert turns.waiting_conversations(deps) == []


def test_an_answer_is_delivered_once_the_clock_is_right(deps: Deps, clock: SetClock) -> None:
    chat = conversation_for(deps, "telegram", "5001")
    while greeting := outbox.claim_due(deps, "telegram", 20, LEASE):
        for each in greeting:
            outbox.mark_sent(deps, each.outbox_id, "1")
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("查好了"), author=Author.BOT)
    clock.move(AHEAD)
    assert len(outbox.claim_due(deps, "telegram", 20, LEASE)) == 1
    clock.move(-AHEAD)
    (item,) = outbox.claim_due(deps, "telegram", 20, LEASE)
    assert item.text == "查好了"
    assert outbox.claim_due(deps, "telegram", 20, LEASE) == []


def test_an_event_reaches_the_core_system_once_the_clock_is_right(deps: Deps, borrower: str, clock: SetClock) -> None:
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    webhooks.register(deps, "core", "https://core.example.cn/events")
    with deps.begin() as session:
        session.add(Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT, placed_at=deps.now()))
    lender_events.sweep(deps)
    webhooks.prepare(deps)
    clock.move(AHEAD)
    assert len(webhooks.claim_due(deps, 8, LEASE)) == 1
    clock.move(-AHEAD)
    assert len(webhooks.claim_due(deps, 8, LEASE)) == 1
    assert webhooks.claim_due(deps, 8, LEASE) == []


def test_a_scheduler_ahead_of_the_gateways_tells_the_core_system_what_they_write(
    deps: Deps, borrower: str, clock: SetClock
) -> None:
    def happens(at: datetime) -> None:
        with deps.begin() as session:
            session.add(Hold(borrower_id=borrower, kind=HoldKind.OPT_OUT, placed_at=at))

    def swept() -> int:
        clock.move(AHEAD)
        told = lender_events.sweep(deps)
        clock.move(-AHEAD)
        return told

    assert swept() == 0
    for _ in range(3):
        clock.move(timedelta(minutes=1))
        happens(deps.now())
        assert swept() == 1
    happens(deps.now() + AHEAD)  # by the scheduler itself
    assert swept() == 1
    happens(deps.now())
    clock.move(lender_events.FAR_LOOK_EVERY)
    assert swept() == 1
    assert swept() == 0


def test_a_notice_is_sent_once_whichever_way_the_clock_jumps(deps: Deps, clock: SetClock) -> None:
    borrower_id = a_borrower(deps)
    debt_id = a_debt_of(deps, borrower_id)
    chat = verified(deps, borrower_id, "telegram")
    clock.move(timedelta(days=10, hours=-2))
    with deps.begin() as session:
        session.get_one(Conversation, chat).last_inbound_at = deps.now() - timedelta(days=9)
        session.add(
            Reminder(
                key=f"overdue:{debt_id}:1",
                borrower_id=borrower_id,
                purpose="collection",
                topic="overdue",
                subject=f"debt:{debt_id}",
                stage="s1",
                send_at=deps.now(),
                created_at=deps.now(),
                # By a process whose clock was a day ahead, and that has died since.
                claimed_until=deps.now() + AHEAD + reminders.LEASE,
            )
        )
    reminders.sweep(deps)
    sent = notices(deps, chat)
    assert len(sent) == 1, "it waits for the day on which the claim ends"
    for jump in (timedelta(hours=3), -timedelta(hours=4), timedelta(hours=1)):
        clock.move(jump)
        reminders.sweep(deps)
    assert notices(deps, chat) == sent


def notices(deps: Deps, conversation_id: str) -> list[str]:
    with deps.read() as session:
        told = select(Message.id).where(
            Message.conversation_id == conversation_id, Message.purpose.not_in(("reply", "fact", "safety"))
        )
        return list(session.scalars(told))
