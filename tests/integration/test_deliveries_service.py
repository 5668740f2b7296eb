"""What operators are told about how far a message got, against both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.console.rendering import Pages
from bot.services import inbox
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deliveries import DeliveryState, DeliveryView, Why
from bot.services.deps import Deps
from bot.services.history import mark_seen
from bot.services.mailboxes import mark_unreachable, register_email
from bot.services.outbox import claim_due, mark_dead, mark_failed, mark_sent, mark_unknown
from bot.store.tables import Borrower
from tests.builders.desk import SetClock, Talk, a_borrower, a_conversation, an_operator, reviewing

LEASE = timedelta(minutes=3)


@pytest.fixture
def operator(deps: Deps) -> str:
    return an_operator(deps)


def told(deps: Deps, conversation_id: str, text: str = "在的") -> None:
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        say(session, deps, conversation, Reply(text), author=Author.BOT)


def shown(deps: Deps, conversation_id: str, operator_id: str) -> DeliveryView | None:
    """How far the last message got."""
    found = inbox.transcript(deps, conversation_id, reviewing(operator_id))
    assert found is not None
    return found.turns[-1].delivery


def test_a_pushed_message_waits_until_it_is_sent(deps: Deps, operator: str) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    assert shown(deps, chat, operator) is None, "what the borrower wrote was not delivered by the desk"
    told(deps, chat)
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.PENDING)
    [item] = claim_due(deps, "telegram", 5, LEASE)
    mark_sent(deps, item.outbox_id, "1")
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.SENT)


@pytest.mark.parametrize(
    ("code", "why", "rule"),
    [
        ("forbidden", Why.REFUSED, None),
        ("chat_not_found", Why.NO_ADDRESS, None),
        ("smtp_550", Why.REFUSED, None),
        ("http_410", Why.NO_ADDRESS, None),
        ("bad_request", Why.DEFECT, None),
        ("gave_up:unreachable", Why.GAVE_UP, None),
        ("gate:T1", Why.RULE, "T1"),
        ("gate:one_way", Why.ONE_WAY, None),
    ],
)
def test_what_did_not_arrive_says_why(deps: Deps, operator: str, code: str, why: Why, rule: str | None) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    told(deps, chat)
    [item] = claim_due(deps, "telegram", 5, LEASE)
    mark_dead(deps, item.outbox_id, code)
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.DEAD, why, rule)


def test_what_is_tried_again_or_not_certain_says_so(deps: Deps, operator: str, clock: SetClock) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    told(deps, chat)
    [item] = claim_due(deps, "telegram", 5, LEASE)
    mark_failed(deps, item.outbox_id, clock.now(), "timed_out")
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.PENDING, Why.TROUBLE)
    mark_unknown(deps, item.outbox_id, "timed_out")
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.UNKNOWN, Why.INTERRUPTED)


def test_on_the_web_a_message_is_unseen_until_the_page_has_shown_it(deps: Deps, operator: str) -> None:
    chat = a_conversation(deps)
    told(deps, chat)
    assert shown(deps, chat, operator) == DeliveryView(DeliveryState.UNSEEN)
    before = inbox.pulse(deps, deps.now())[chat]
    mark_seen(deps, chat, 2)
    assert shown(deps, chat, operator) is None
    assert inbox.pulse(deps, deps.now())[chat] != before, "an open page of the console hears of it"


def test_the_borrowers_other_conversations_are_named_where_something_was_said(deps: Deps, operator: str) -> None:
    borrower = a_borrower(deps)
    chat = a_conversation(deps, Talk(borrower_id=borrower))
    with deps.begin() as session:
        register_email(session, deps, session.get_one(Borrower, borrower), "wang@example.com")
    other = a_conversation(deps, Talk(borrower_id=borrower, channel="telegram"))
    mark_unreachable(deps, other, "forbidden")

    found = inbox.transcript(deps, chat, reviewing(operator))
    assert found is not None
    assert [(each.conversation_id, each.unreachable) for each in found.elsewhere] == [(other, True)]


def test_there_are_words_for_every_state_and_every_reason(deps: Deps) -> None:
    words = Pages(deps).words()
    assert set(words["DELIVERY"]) == set(DeliveryState)
    assert set(words["DELIVERY_WHY"]) == set(Why)
