"""Somebody other than the borrower writes: what is recorded, let go and held, against both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.identity.levels import Level
from bot.identity.third_party import Speaker
from bot.outreach.gate import HoldKind
from bot.services import identity, third_parties
from bot.services.conversations import FACT, Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.mailboxes import SMS, mailbox_of
from bot.services.outbox import claim_due
from bot.store.tables import ChannelBinding, Conversation, Outbox, VerificationChallenge
from tests.builders.accounts import verified
from tests.builders.desk import SetClock, Talk, a_conversation


def bound(deps: Deps, borrower_id: str, channel: str = "web") -> str:
    """A conversation whose borrower was proved a while ago."""
    chat = a_conversation(deps, Talk(borrower_id=borrower_id, channel=channel))
    with deps.begin() as session:
        session.add(ChannelBinding(conversation_id=chat, borrower_id=borrower_id, bound_at=deps.now()))
    return chat


def held(deps: Deps, borrower_id: str) -> set[HoldKind]:
    with deps.read() as session:
        return set(open_holds(session, borrower_id, deps.now()).kinds)


def row(deps: Deps, chat: str) -> Conversation:
    with deps.read() as session:
        return session.get_one(Conversation, chat)


def test_a_wrong_number_is_let_go_with_whatever_was_on_its_way(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = bound(deps, borrower, "telegram")
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("您欠 ¥1,234.50"), author=Author.BOT, purpose=FACT)
    clock.move(timedelta(seconds=1))
    assert third_parties.meet_stranger(deps, chat, "打错了") is Speaker.WRONG_NUMBER
    assert claim_due(deps, "telegram", 10, timedelta(minutes=3)) == []
    with deps.read() as session:
        assert [(each.state, each.last_error) for each in session.scalars(select(Outbox))] == [
            ("dead", "gate:released")
        ]
        assert mailbox_of(session, deps, borrower) is None
    assert row(deps, chat).borrower_id is None


def test_what_is_said_after_letting_go_is_delivered(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = bound(deps, borrower, "telegram")
    third_parties.meet_stranger(deps, chat, "打错了")
    clock.move(timedelta(seconds=1))
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("打扰您了"), author=Author.BOT)
    assert [item.text for item in claim_due(deps, "telegram", 10, timedelta(minutes=3))] == ["打扰您了"]


def test_an_open_proof_of_identity_ends_with_the_binding(deps: Deps, borrower: str) -> None:
    chat = bound(deps, borrower)
    identity.start(deps, chat)
    third_parties.meet_stranger(deps, chat, "打错了")
    with deps.read() as session:
        assert {each.state for each in session.scalars(select(VerificationChallenge))} == {"dropped"}


def test_a_number_that_changed_hands_gets_no_text_message_any_more(deps: Deps, borrower: str) -> None:
    messages = a_conversation(deps, Talk(borrower_id=borrower, channel=SMS))
    chat = bound(deps, borrower)
    assert third_parties.meet_stranger(deps, chat, "这个号码换人了") is Speaker.NUMBER_CHANGED_HANDS
    assert row(deps, messages).unreachable_at == deps.now()


def test_letting_go_and_stopping_text_messages_happen_together_or_not_at_all(
    deps: Deps, borrower: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = a_conversation(deps, Talk(borrower_id=borrower, channel=SMS))
    chat = bound(deps, borrower)

    def dies(*_: object) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as broken:
        broken.setattr(third_parties, "touch", dies)
        with pytest.raises(OSError, match="ends here"):
            third_parties.meet_stranger(deps, chat, "这个号码换人了")
    third_parties.meet_stranger(deps, chat, "这个号码换人了")
    assert row(deps, chat).borrower_id is None
    assert row(deps, messages).unreachable_at == deps.now()


def test_a_wrong_number_leaves_the_text_messages_alone(deps: Deps, borrower: str) -> None:
    messages = a_conversation(deps, Talk(borrower_id=borrower, channel=SMS))
    third_parties.meet_stranger(deps, bound(deps, borrower), "打错了")
    assert row(deps, messages).unreachable_at is None


@pytest.mark.parametrize("said", ["他去世了", "我爸走了,遗产怎么算"])
def test_a_reported_death_holds_everything_until_a_person_has_looked(deps: Deps, borrower: str, said: str) -> None:
    chat = bound(deps, borrower)
    third_parties.meet_third_party(deps, chat, said)
    third_parties.meet_third_party(deps, chat, said)
    assert held(deps, borrower) == {HoldKind.DECEASED}
    assert row(deps, chat).queue_reason == "third_party"


def test_who_is_proved_at_this_moment_speaks_of_somebody_elses_death(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    third_parties.meet_third_party(deps, chat, "我妈去世了,她的卡怎么办")
    assert held(deps, borrower) == set()
    assert identity.who(deps, chat).level is Level.VERIFIED


def test_who_says_to_be_somebody_else_ends_the_proof_and_may_report_a_death(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    third_parties.meet_third_party(deps, chat, "我是他儿子,他上周去世了")
    assert identity.who(deps, chat).level is Level.BOUND
    assert held(deps, borrower) == {HoldKind.DECEASED}


def test_a_death_reported_by_nobody_in_particular_silences_nobody_else(deps: Deps, borrower: str) -> None:
    third_parties.meet_third_party(deps, a_conversation(deps), "王小明去世了")
    assert held(deps, borrower) == set()


def test_an_unknown_conversation_changes_nothing(deps: Deps) -> None:
    assert third_parties.meet_third_party(deps, "x" * 32, "我是他妈") is Speaker.RELATIVE
    assert third_parties.meet_stranger(deps, "x" * 32, "打错了") is Speaker.WRONG_NUMBER
