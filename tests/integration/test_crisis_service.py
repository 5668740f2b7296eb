"""What happens on a sign of danger, whoever answers the conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.desk.ownership import QueueReason
from bot.identity.roles import Role
from bot.services import crisis, handoff, inbox, operators, turns
from bot.services.conversations import Author, Reply, conversation_for, locked, say
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.services.inbound import record_press, record_text
from bot.services.turns import Understanding
from bot.store.tables import AuditEntry, Button, Conversation, Hold, Message
from tests.builders.desk import SetClock, reviewing

DANGER = "我不想活了,还不上就去跳河"


@pytest.fixture
def chat(deps: Deps) -> str:
    return conversation_for(deps, "web", "somebody")


def said_after(deps: Deps, chat: str, seq: int) -> list[str]:
    return [message.text for message in messages_after(deps, chat, seq) if message.author == "bot"]


def last_seq(deps: Deps, chat: str) -> int:
    return messages_after(deps, chat, 0)[-1].seq


def holds(deps: Deps, chat: str) -> list[str]:
    with deps.begin() as session:
        found = select(Hold.kind).where(Hold.conversation_id == chat, Hold.lifted_at.is_(None))
        return sorted(session.scalars(found))


def test_a_sign_is_answered_and_a_person_called_before_any_engine_is_asked(deps: Deps, chat: str) -> None:
    before = last_seq(deps, chat)
    record_text(deps, chat, "key-00000001", DANGER)
    words = said_after(deps, chat, before)
    assert any("12356" in text for text in words)
    assert any("110" in text for text in words)
    assert holds(deps, chat) == ["distress"]
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        assert (conversation.owner, conversation.queue_reason) == ("queued", QueueReason.DISTRESS)
    assert turns.claim_next(deps, chat, timedelta(seconds=30)) is None


def test_the_same_message_sent_again_is_answered_once(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "key-00000001", DANGER)
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000001", DANGER)
    assert last_seq(deps, chat) == seq


def test_while_a_person_is_answering_the_bot_keeps_quiet_but_the_alarm_is_raised(deps: Deps, chat: str) -> None:
    agent = operators.create(deps, "agent", "小王", Role.AGENT, "long-enough-password")
    record_text(deps, chat, "key-00000001", "转人工")
    handoff.ask_human(deps, chat, QueueReason.ASKED)
    handoff.take(deps, chat, agent)
    handoff.reply(deps, chat, agent, "我在,您慢慢说。", "reply-1")
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000002", DANGER)
    assert said_after(deps, chat, seq) == []
    assert holds(deps, chat) == ["distress"]
    assert [row.in_danger for row in inbox.listing(deps, reviewing())] == [True]


def test_when_the_person_who_took_the_conversation_is_away_the_fixed_words_are_said(
    deps: Deps, clock: SetClock, chat: str
) -> None:
    agent = operators.create(deps, "agent", "小王", Role.AGENT, "long-enough-password")
    record_text(deps, chat, "key-00000001", "转人工")
    handoff.take(deps, chat, agent)
    handoff.reply(deps, chat, agent, "我在,您慢慢说。", "reply-1")
    clock.move(timedelta(hours=6))
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000002", DANGER)
    assert any("12356" in text for text in said_after(deps, chat, seq))


def test_whoever_waits_after_a_sign_hears_a_word_but_not_at_every_line(deps: Deps, clock: SetClock, chat: str) -> None:
    record_text(deps, chat, "key-00000001", DANGER)
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000002", "有人吗")
    assert said_after(deps, chat, seq) == []
    clock.move(timedelta(minutes=2))
    record_text(deps, chat, "key-00000003", "还在吗")
    assert len(said_after(deps, chat, seq)) == 1


def test_a_second_sign_is_always_answered(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "key-00000001", DANGER)
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000002", "真的不想活了")
    assert len(said_after(deps, chat, seq)) == 1


def test_what_people_say_in_exaggeration_raises_no_alarm(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "key-00000001", "累死了,这利息要我命")
    assert holds(deps, chat) == []
    with deps.begin() as session:
        assert "crisis_sign" not in session.scalars(select(AuditEntry.event)).all()


def test_it_is_answered_in_the_script_it_was_written_in(deps: Deps, chat: str) -> None:
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000001", "我真的不想活了,還不起錢")
    assert any("您說的這些" in text for text in said_after(deps, chat, seq))


def press(deps: Deps, chat: str, key: str) -> None:
    with deps.begin() as session:
        token = session.scalars(select(Button.token).where(Button.payload == crisis.FINE, Button.state == "open")).one()
    record_press(deps, chat, key, token)


def standing(deps: Deps, chat: str) -> tuple[str, str | None, list[str]]:
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        owner, reason = conversation.owner, conversation.queue_reason
    return owner, reason, holds(deps, chat)


def doubt(deps: Deps, chat: str) -> None:
    """Let the dialogue engine alone see a sign, as ``action_comfort`` does, and say what follows."""
    for reply in crisis.respond(deps, chat):
        with deps.begin() as session:
            conversation = locked(session, chat)
            assert conversation is not None
            say(session, deps, conversation, reply, author=Author.BOT)


@pytest.mark.parametrize("words", ["我没事", "没事啊，你误会了", "我没想不开", "不是那个意思", "沒事啦"])
def test_who_was_misunderstood_says_so_and_goes_on_while_a_person_still_looks_in(
    deps: Deps, chat: str, words: str
) -> None:
    doubt(deps, chat)
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000001", words)
    assert standing(deps, chat) == ("queued", QueueReason.SAID_FINE, ["person"])
    assert [("同事" in text) for text in said_after(deps, chat, seq)] == [True, False]
    record_text(deps, chat, "key-00000002", "能不能分期")
    assert turns.claim_next(deps, chat, timedelta(seconds=30)) is not None


def test_the_button_says_the_same_and_a_second_press_changes_nothing(deps: Deps, chat: str) -> None:
    doubt(deps, chat)
    press(deps, chat, "key-00000001")
    assert standing(deps, chat) == ("queued", QueueReason.SAID_FINE, ["person"])
    with deps.begin() as session:
        assert session.scalars(select(AuditEntry.event)).all().count("crisis_sign_denied") == 1


def test_a_button_that_was_left_until_a_person_had_been_there_promises_nobody(deps: Deps, chat: str) -> None:
    doubt(deps, chat)
    agent = operators.create(deps, "agent", "小王", Role.AGENT, "long-enough-password")
    handoff.take(deps, chat, agent)
    handoff.give_back(deps, chat, agent)
    seq = last_seq(deps, chat)
    press(deps, chat, "key-00000001")
    assert [("同事" in text) for text in said_after(deps, chat, seq)] == [False]
    assert standing(deps, chat) == ("bot", None, ["distress"])


def test_after_a_plain_saying_of_danger_only_a_person_lets_the_talk_go_on(deps: Deps, chat: str) -> None:
    doubt(deps, chat)
    record_text(deps, chat, "key-00000001", DANGER)
    seq = last_seq(deps, chat)
    press(deps, chat, "key-00000002")
    record_text(deps, chat, "key-00000003", "我没事")
    assert standing(deps, chat) == ("queued", QueueReason.DISTRESS, ["distress"])
    assert all("12356" in text for text in said_after(deps, chat, seq))


def test_a_sign_after_all_was_said_to_be_well_is_taken_as_one(deps: Deps, chat: str) -> None:
    doubt(deps, chat)
    press(deps, chat, "key-00000001")
    record_text(deps, chat, "key-00000002", DANGER)
    assert standing(deps, chat) == ("queued", QueueReason.DISTRESS, ["distress", "person"])


def test_words_of_being_well_are_ordinary_words_where_nobody_was_in_danger(deps: Deps, chat: str) -> None:
    seq = last_seq(deps, chat)
    record_text(deps, chat, "key-00000001", "我没事")
    assert said_after(deps, chat, seq) == []
    assert turns.claim_next(deps, chat, timedelta(seconds=30)) is not None


def wanted(deps: Deps, chat: str) -> str:
    """Have a wish for a plan claimed for the engine; returns the message's id."""
    record_text(deps, chat, "key-00000001", "我想分期")
    claimed = turns.claim_next(deps, chat, timedelta(seconds=30))
    assert claimed is not None
    return claimed.message_id


def handling(deps: Deps, chat: str) -> list[str | None]:
    with deps.read() as session:
        mine = select(Message.handling).where(Message.conversation_id == chat, Message.author == Author.BORROWER)
        return list(session.scalars(mine.order_by(Message.seq)))


@pytest.mark.parametrize("alarming", [DANGER, "我今年17岁,还没成年"])
def test_an_answer_on_its_way_is_not_said_after_the_fixed_words(deps: Deps, chat: str, alarming: str) -> None:
    message_id = wanted(deps, chat)
    record_text(deps, chat, "key-00000002", "多少期")
    record_text(deps, chat, "key-00000003", alarming)
    seq = last_seq(deps, chat)
    plan = Understanding(intent="request_installment", actions=("action_offers",))
    assert not turns.record_turn(deps, message_id, [Reply("分12期,每期¥812.40。")], plan)
    assert said_after(deps, chat, seq) == []
    assert handling(deps, chat) == ["held", "held", "handled"]


def test_the_fixed_words_of_the_turn_that_saw_the_sign_are_said(deps: Deps, chat: str) -> None:
    message_id = wanted(deps, chat)
    record_text(deps, chat, "key-00000002", "还有利息吗")
    seq = last_seq(deps, chat)
    words = crisis.respond(deps, chat)
    assert turns.record_turn(deps, message_id, words, Understanding(actions=(turns.COMFORT,)))
    assert any("12356" in text for text in said_after(deps, chat, seq))
    assert handling(deps, chat) == ["handled", "held"]


def test_an_answer_that_is_still_pending_when_the_bot_may_not_speak_is_not_said(deps: Deps, chat: str) -> None:
    message_id = wanted(deps, chat)
    crisis.respond(deps, chat)
    seq = last_seq(deps, chat)
    assert turns.record_turn(
        deps, message_id, [Reply("分12期,每期¥812.40。")], Understanding(actions=("action_offers",))
    )
    assert said_after(deps, chat, seq) == []
