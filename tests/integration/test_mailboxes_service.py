"""Which conversation a notice goes to, and addresses that take nothing, against both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.services import web_sessions
from bot.services.conversations import conversation_for
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.mailboxes import (
    EmailRefusal,
    find_conversation,
    mailbox_of,
    mark_reachable,
    mark_unreachable,
    move_address,
    register_email,
)
from bot.store.tables import Borrower, Conversation, Message, Outbox
from tests.builders.desk import SetClock, a_borrower

ADDRESS = "wang@example.com"


@pytest.fixture
def mail(deps: Deps) -> None:
    deps.settings.smtp_host = "127.0.0.1"


@pytest.fixture
def text_messages(deps: Deps) -> None:
    deps.settings.sms_webhook_url = "http://127.0.0.1:9/notices"
    deps.settings.sms_webhook_key = SecretStr("k" * 32)


def bound(deps: Deps, conversation_id: str, borrower_id: str) -> str:
    """Bind a conversation to a borrower who writes in it now."""
    with deps.begin() as session:
        row = session.get_one(Conversation, conversation_id)
        row.borrower_id, row.last_inbound_at = borrower_id, deps.now()
    return conversation_id


def telegram(deps: Deps, borrower_id: str, address: str = "5001") -> str:
    return bound(deps, conversation_for(deps, "telegram", address), borrower_id)


def web(deps: Deps, borrower_id: str) -> str:
    return bound(deps, web_sessions.open_session(deps).conversation_id, borrower_id)


def registered(deps: Deps, borrower_id: str, address: str = ADDRESS) -> EmailRefusal | None:
    with deps.begin() as session:
        return register_email(session, deps, session.get_one(Borrower, borrower_id), address)


def chosen(deps: Deps, borrower_id: str, wished: str | None = None) -> tuple[str, str] | None:
    """Return the chosen conversation's channel and id."""
    with deps.begin() as session:
        found = mailbox_of(session, deps, borrower_id, wished)
        return (found.channel, found.id) if found else None


def test_somebody_whom_nothing_reaches_has_no_mailbox(deps: Deps, borrower: str) -> None:
    assert chosen(deps, borrower) is None


def test_the_conversation_used_last_is_taken(deps: Deps, clock: SetClock, borrower: str) -> None:
    first = telegram(deps, borrower)
    clock.move(timedelta(hours=1))
    second = web(deps, borrower)
    assert chosen(deps, borrower) == ("web", second)
    clock.move(timedelta(hours=1))
    record_text(deps, first, "again", "在吗")
    assert chosen(deps, borrower) == ("telegram", first)


def test_a_wished_channel_goes_before_the_one_used_last(deps: Deps, clock: SetClock, borrower: str) -> None:
    wished = telegram(deps, borrower)
    clock.move(timedelta(hours=1))
    last = web(deps, borrower)
    assert chosen(deps, borrower, "telegram") == ("telegram", wished)
    assert chosen(deps, borrower, "email") == ("web", last), "a wish for what there is not narrows nothing away"


def test_a_browser_whose_session_has_expired_is_no_mailbox(deps: Deps, clock: SetClock, borrower: str) -> None:
    web(deps, borrower)
    clock.move(timedelta(days=deps.settings.session_days))
    assert chosen(deps, borrower) is None


@pytest.mark.usefixtures("mail")
def test_a_chat_that_takes_nothing_gives_way_to_the_next_channel(deps: Deps, borrower: str) -> None:
    chat = telegram(deps, borrower)
    assert registered(deps, borrower) is None
    assert chosen(deps, borrower) == ("telegram", chat)
    mark_unreachable(deps, chat, "forbidden")
    found = chosen(deps, borrower)
    assert found is not None
    assert found[0] == "email"
    mark_reachable(deps, chat)
    assert chosen(deps, borrower) == ("telegram", chat)


def test_writing_makes_a_conversation_reachable_again(deps: Deps, borrower: str) -> None:
    chat = telegram(deps, borrower)
    mark_unreachable(deps, chat, "forbidden")
    record_text(deps, chat, "back", "我回来了")
    assert chosen(deps, borrower) == ("telegram", chat)


def test_mail_is_used_only_where_a_mail_server_is_set(deps: Deps, borrower: str) -> None:
    registered(deps, borrower)
    assert chosen(deps, borrower) is None


@pytest.mark.usefixtures("mail")
def test_mail_that_is_wished_for_goes_before_a_chat(deps: Deps, borrower: str) -> None:
    telegram(deps, borrower)
    registered(deps, borrower)
    found = chosen(deps, borrower, "email")
    assert found is not None
    assert found[0] == "email"


@pytest.mark.usefixtures("mail", "text_messages")
def test_text_messages_come_last_and_only_where_they_are_set_up(deps: Deps, borrower: str) -> None:
    first = chosen(deps, borrower)
    assert first is not None
    assert first[0] == "sms"
    assert chosen(deps, borrower) == first
    registered(deps, borrower)
    found = chosen(deps, borrower)
    assert found is not None
    assert found[0] == "email"
    mark_unreachable(deps, found[1], "smtp_550")
    assert chosen(deps, borrower) == first
    mark_unreachable(deps, first[1], "http_410")
    assert chosen(deps, borrower) is None


def test_an_address_is_registered_without_a_word(deps: Deps, borrower: str) -> None:
    assert registered(deps, borrower) is None
    assert registered(deps, borrower, ADDRESS.upper()) is None
    with deps.begin() as session:
        assert session.scalars(select(Message)).all() == []
        assert session.scalars(select(Outbox)).all() == []
        conversation = session.scalars(select(Conversation)).one()
        assert (conversation.channel, conversation.borrower_id) == ("email", borrower)
        assert ADDRESS not in conversation.address_sealed


@pytest.mark.usefixtures("mail")
def test_an_address_that_the_lender_gives_again_is_tried_again(deps: Deps, borrower: str) -> None:
    registered(deps, borrower)
    found = chosen(deps, borrower)
    assert found is not None
    mark_unreachable(deps, found[1], "smtp_550")
    assert chosen(deps, borrower) is None
    registered(deps, borrower)
    assert chosen(deps, borrower) == found


def test_an_address_that_two_people_share_is_nobodys(deps: Deps, borrower: str) -> None:
    other = a_borrower(deps, "李小红", "13800000002", "110101199001010022")
    assert registered(deps, borrower) is None
    assert registered(deps, other) is EmailRefusal.SHARED
    with deps.begin() as session:
        assert session.get_one(Borrower, other).email_sealed is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "wang",
        "wang@",
        "@example.com",
        "wang@example",
        "a b@example.com",
        "wang@例子.com",
        "x@example.com\nBcc: y@z.cn",
        f"{'a' * 250}@example.com",
    ],
)
def test_what_is_no_address_is_refused(deps: Deps, borrower: str, address: str) -> None:
    assert registered(deps, borrower, address) is EmailRefusal.MALFORMED


@pytest.mark.usefixtures("mail")
def test_a_mail_is_in_the_script_the_borrower_wrote_last(deps: Deps, borrower: str) -> None:
    registered(deps, borrower)
    record_text(deps, telegram(deps, borrower), "typed", "請問我還欠多少錢")
    with deps.begin() as session:
        found = mailbox_of(session, deps, borrower, "email")
        assert found is not None
        assert found.script == "hant"


def test_a_conversation_follows_its_address(deps: Deps, borrower: str) -> None:
    chat = telegram(deps, borrower, "5001")
    assert move_address(deps, chat, "5002")
    assert find_conversation(deps, "telegram", "5002") == chat
    assert find_conversation(deps, "telegram", "5001") is None
    assert move_address(deps, chat, "5002"), "doing it again changes nothing"


def test_two_conversations_are_never_mixed_up(deps: Deps, borrower: str) -> None:
    chat, other = telegram(deps, borrower, "5001"), conversation_for(deps, "telegram", "5002")
    assert not move_address(deps, chat, "5002")
    assert find_conversation(deps, "telegram", "5002") == other
    assert chosen(deps, borrower) is None


def test_what_is_unknown_is_passed_over(deps: Deps) -> None:
    assert not move_address(deps, "0" * 32, "5002")
    mark_unreachable(deps, "0" * 32, "forbidden")
    mark_reachable(deps, "0" * 32)
