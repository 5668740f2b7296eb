"""Messages in both directions, against both databases: stored once, in order, answered by one voice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.desk.ownership import Owner, QueueReason
from bot.services import handoff
from bot.services.conversations import BUTTON_LIFE, Author, Problem, QuickReply, Reply, Stored, conversation_for, say
from bot.services.deps import Deps
from bot.services.handoff import locked
from bot.services.history import ButtonView, MessageView, mark_seen, messages_after
from bot.services.inbound import record_press, record_text
from bot.services.standing import standings
from bot.services.turns import Understanding, claim_next, notice_once, record_turn, release, waiting_conversations
from bot.store.tables import Conversation, Message, Outbox
from tests.builders.desk import TEAM, SetClock, an_operator
from tests.builders.threads import at_once

LEASE = timedelta(seconds=30)
HEARD = Understanding(intent="ask_debt", confidence=0.9)


@pytest.fixture
def chat(deps: Deps) -> str:
    made = conversation_for(deps, "web", "somebody")
    with deps.begin() as session:
        session.get_one(Conversation, made).team = TEAM
    return made


@dataclass(frozen=True)
class Turn:
    """A message that the bot has claimed to answer."""

    message_id: str
    seq: int


def a_turn(deps: Deps, chat: str, key: str = "k", text: str = "我欠多少") -> Turn:
    stored = record_text(deps, chat, key, text)
    assert isinstance(stored, Stored)
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    assert claimed.message_id == stored.message_id
    return Turn(stored.message_id, stored.seq)


def said(deps: Deps, chat: str, author: Author | None = None) -> list[str]:
    """What was said after the greeting."""
    greeting = len(deps.wording.all("greeting", lender=deps.settings.lender_name))
    views = messages_after(deps, chat, greeting)
    return [view.text for view in views if author is None or view.author == author]


def handling(deps: Deps, message_id: str) -> str:
    with deps.begin() as session:
        return session.get_one(Message, message_id).handling


def shown(deps: Deps, chat: str, *titles: str) -> MessageView:
    """Let the bot ask something with buttons."""
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        buttons = tuple(QuickReply(title, f"/choose{{{title}}}") for title in titles)
        say(session, deps, conversation, Reply("选一个吧。", buttons), author=Author.BOT)
    return messages_after(deps, chat, 0)[-1]


def buttons_now(deps: Deps, chat: str, message_id: str) -> tuple[ButtonView, ...]:
    return next(view.buttons for view in messages_after(deps, chat, 0) if view.id == message_id)


# Storing -------------------------------------------------------------------------------------------------------------


def test_a_new_conversation_begins_with_the_greeting_and_is_opened_once(deps: Deps) -> None:
    first = conversation_for(deps, "web", "somebody")
    assert conversation_for(deps, "web", "somebody") == first
    assert conversation_for(deps, "telegram", "somebody") != first
    greeting = deps.wording.all("greeting", lender=deps.settings.lender_name)
    assert tuple(view.text for view in messages_after(deps, first, 0)) == greeting


def test_a_message_is_stored_once_for_its_key(deps: Deps, chat: str) -> None:
    first = record_text(deps, chat, "k1", " 我欠多少 ")
    again = record_text(deps, chat, "k1", "我欠多少")
    assert isinstance(first, Stored)
    assert again == Stored(first.message_id, first.seq, repeated=True)
    assert said(deps, chat) == ["我欠多少"]


def test_a_message_sent_twice_at_once_is_stored_once(deps: Deps, chat: str) -> None:
    answers = at_once(6, lambda _: record_text(deps, chat, "k1", "我欠多少"))
    stored = [answer for answer in answers if isinstance(answer, Stored)]
    assert len(stored) == 6
    assert len({answer.message_id for answer in stored}) == 1
    assert sum(not answer.repeated for answer in stored) == 1
    assert said(deps, chat) == ["我欠多少"]


def test_the_same_key_in_another_conversation_is_another_message(deps: Deps, chat: str) -> None:
    other = conversation_for(deps, "web", "somebody else")
    answers = [record_text(deps, each, "k1", "在吗") for each in (chat, other)]
    assert all(isinstance(answer, Stored) and not answer.repeated for answer in answers)


def test_numbers_have_no_gaps_whoever_writes_at_once(deps: Deps, chat: str) -> None:
    def write(turn: int) -> None:
        for number in range(4):
            if turn % 2:
                record_text(deps, chat, f"{turn}:{number}", f"{turn}:{number}")
            else:
                shown(deps, chat, "好")

    at_once(4, write)
    with deps.begin() as session:
        seqs = session.scalars(select(Message.seq).where(Message.conversation_id == chat).order_by(Message.seq)).all()
        assert session.get_one(Conversation, chat).last_seq == len(seqs)
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) == 2 + 16


@pytest.mark.parametrize(
    ("text", "problem"), [("  \n", Problem.EMPTY), ("\0 \0", Problem.EMPTY), ("字" * 1001, Problem.TOO_LONG)]
)
def test_what_cannot_be_taken_is_told_and_not_stored(deps: Deps, chat: str, text: str, problem: Problem) -> None:
    assert record_text(deps, chat, "k", text) is problem
    assert said(deps, chat) == []


def test_a_character_that_no_database_stores_costs_nobody_their_message(deps: Deps, chat: str) -> None:
    assert isinstance(record_text(deps, chat, "k", "\0我欠\0多少"), Stored)
    assert said(deps, chat) == ["我欠多少"]


def test_the_longest_message_is_taken_whole(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "k", "字" * 1000)
    assert said(deps, chat) == ["字" * 1000]


def test_a_conversation_nobody_opened_takes_nothing(deps: Deps) -> None:
    assert record_text(deps, "nobody", "k", "在吗") is Problem.UNKNOWN_CONVERSATION
    assert record_press(deps, "nobody", "k", "token") is Problem.UNKNOWN_CONVERSATION


def test_answers_come_in_the_borrowers_own_script(deps: Deps, chat: str) -> None:
    turn = a_turn(deps, chat, text="我還欠多少錢")
    record_turn(deps, turn.message_id, [Reply("请选择", (QuickReply("还款", "/pay"),))], HEARD)
    last = messages_after(deps, chat, turn.seq)[-1]
    assert (last.text, last.buttons[0].title) == ("請選擇", "還款")


# Buttons -------------------------------------------------------------------------------------------------------------


def test_a_button_works_once_and_takes_its_siblings_with_it(deps: Deps, chat: str) -> None:
    asked = shown(deps, chat, "分期", "延期")
    pressed = record_press(deps, chat, "p1", asked.buttons[0].token)
    assert isinstance(pressed, Stored)
    assert [button.state for button in buttons_now(deps, chat, asked.id)] == ["used", "stale"]
    assert record_press(deps, chat, "p2", asked.buttons[0].token) is Problem.STALE_BUTTON
    assert record_press(deps, chat, "p3", asked.buttons[1].token) is Problem.STALE_BUTTON
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    assert (claimed.text, claimed.payload) == ("分期", "/choose{分期}")


def test_the_same_press_sent_again_is_the_same_press(deps: Deps, chat: str) -> None:
    token = shown(deps, chat, "分期").buttons[0].token
    first, again = record_press(deps, chat, "p1", token), record_press(deps, chat, "p1", token)
    assert isinstance(first, Stored)
    assert again == Stored(first.message_id, first.seq, repeated=True)


def test_of_two_buttons_pressed_at_once_one_counts(deps: Deps, chat: str) -> None:
    asked = shown(deps, chat, "分期", "延期")
    answers = at_once(2, lambda turn: record_press(deps, chat, f"p{turn}", asked.buttons[turn].token))
    assert sorted(isinstance(answer, Stored) for answer in answers) == [False, True]
    assert Problem.STALE_BUTTON in answers
    assert len(said(deps, chat, Author.BORROWER)) == 1


def test_a_button_is_unknown_in_any_other_conversation(deps: Deps, chat: str) -> None:
    token = shown(deps, chat, "分期").buttons[0].token
    other = conversation_for(deps, "web", "somebody else")
    assert record_press(deps, other, "p", token) is Problem.UNKNOWN_BUTTON
    assert record_press(deps, chat, "p", "invented") is Problem.UNKNOWN_BUTTON
    assert isinstance(record_press(deps, chat, "p", token), Stored)


def test_a_button_ends_after_its_days(deps: Deps, clock: SetClock, chat: str) -> None:
    asked = shown(deps, chat, "分期")
    clock.move(BUTTON_LIFE)
    assert buttons_now(deps, chat, asked.id)[0].state == "stale"
    assert record_press(deps, chat, "p", asked.buttons[0].token) is Problem.STALE_BUTTON


def test_a_payload_is_never_shown(deps: Deps, chat: str) -> None:
    asked = shown(deps, chat, "分期")
    assert "/choose" not in repr(asked)


# Claiming and answering ----------------------------------------------------------------------------------------------


def test_messages_are_answered_one_after_the_other(deps: Deps, chat: str) -> None:
    first = a_turn(deps, chat, "k1", "第一句")
    record_text(deps, chat, "k2", "第二句")
    assert claim_next(deps, chat, LEASE) is None
    record_turn(deps, first.message_id, [Reply("答一")], HEARD)
    second = claim_next(deps, chat, LEASE)
    assert second is not None
    assert (second.text, second.attempts) == ("第二句", 1)


def test_of_many_who_claim_at_once_one_gets_the_message(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "k", "在吗")
    claims = at_once(5, lambda _: claim_next(deps, chat, LEASE))
    assert sum(claim is not None for claim in claims) == 1


def test_a_claim_left_behind_is_free_after_its_lease(deps: Deps, clock: SetClock, chat: str) -> None:
    a_turn(deps, chat)
    clock.move(LEASE - timedelta(seconds=1))
    assert (claim_next(deps, chat, LEASE), waiting_conversations(deps)) == (None, [])
    clock.move(timedelta(seconds=1))
    assert waiting_conversations(deps) == [chat]
    again = claim_next(deps, chat, LEASE)
    assert again is not None
    assert again.attempts == 2


def test_a_claim_given_back_waits_until_its_time(deps: Deps, clock: SetClock, chat: str) -> None:
    turn = a_turn(deps, chat)
    release(deps, turn.message_id, clock.now() + timedelta(seconds=5))
    assert claim_next(deps, chat, LEASE) is None
    clock.move(timedelta(seconds=5))
    assert claim_next(deps, chat, LEASE) is not None


def test_an_answer_is_stored_once(deps: Deps, chat: str) -> None:
    turn = a_turn(deps, chat)
    stored = at_once(3, lambda _: record_turn(deps, turn.message_id, [Reply("您好"), Reply("请说")], HEARD))
    assert sorted(stored) == [False, False, True]
    assert said(deps, chat) == ["我欠多少", "您好", "请说"]
    assert handling(deps, turn.message_id) == "handled"
    assert claim_next(deps, chat, LEASE) is None


def test_only_channels_that_are_pushed_to_have_an_outbox(deps: Deps, chat: str) -> None:
    pushed = conversation_for(deps, "telegram", "5001")
    for each in (chat, pushed):
        record_turn(deps, a_turn(deps, each).message_id, [Reply("您好")], HEARD)
    with deps.begin() as session:
        owners = session.scalars(
            select(Message.conversation_id).join(Outbox, Outbox.message_id == Message.id).distinct()
        ).all()
    assert owners == [pushed]


# Waiting for a person, and talking with one --------------------------------------------------------------------------


def test_while_the_borrower_waits_the_bot_goes_on_answering(deps: Deps, chat: str) -> None:
    handoff.ask_human(deps, chat, QueueReason.ASKED)
    turn = a_turn(deps, chat)
    assert record_turn(deps, turn.message_id, [Reply("您好")], HEARD)
    assert said(deps, chat, Author.BOT) == ["您好"]


def test_after_a_sign_of_distress_the_bot_is_silent_until_a_person_comes(deps: Deps, chat: str) -> None:
    handoff.ask_human(deps, chat, QueueReason.DISTRESS)
    stored = record_text(deps, chat, "k", "我欠多少")
    assert isinstance(stored, Stored)
    assert handling(deps, stored.message_id) == "held"
    assert claim_next(deps, chat, LEASE) is None
    assert not handoff.withdraw(deps, chat)


def test_what_waited_when_a_person_took_over_is_theirs_to_answer(deps: Deps, chat: str) -> None:
    operator = an_operator(deps)
    stored = record_text(deps, chat, "k", "在吗")
    assert isinstance(stored, Stored)
    handoff.take(deps, chat, operator)
    assert handling(deps, stored.message_id) == "held"
    assert claim_next(deps, chat, LEASE) is None


def test_the_bots_answer_is_dropped_when_a_person_took_over_meanwhile(deps: Deps, chat: str) -> None:
    turn = a_turn(deps, chat)
    handoff.take(deps, chat, an_operator(deps))
    assert not record_turn(deps, turn.message_id, [Reply("您好")], HEARD)
    assert said(deps, chat, Author.BOT) == []


def test_given_back_the_bot_does_not_answer_what_the_person_has_answered(deps: Deps, chat: str) -> None:
    operator = an_operator(deps)
    handoff.take(deps, chat, operator)
    record_text(deps, chat, "k1", "和人说的")
    handoff.reply(deps, chat, operator, "我来答。", "r1")
    handoff.give_back(deps, chat, operator)
    assert claim_next(deps, chat, LEASE) is None
    assert a_turn(deps, chat, "k2", "和助手说的")


def test_of_two_operators_who_take_at_once_one_gets_it(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "k", "在吗")
    operators = [an_operator(deps, "chen", "小陈"), an_operator(deps, "lin", "小林")]
    answers = at_once(2, lambda turn: handoff.take(deps, chat, operators[turn]))
    assert sorted(isinstance(answer, handoff.Done) for answer in answers) == [False, True]
    assert len(said(deps, chat, Author.NOTICE)) == 1


def test_writing_to_a_closed_conversation_opens_it_again(deps: Deps, chat: str) -> None:
    with deps.begin() as session:
        session.get_one(Conversation, chat).owner = Owner.CLOSED.value
    assert a_turn(deps, chat)
    assert standings(deps, [chat])[chat].owner is Owner.BOT


# Notices and reading -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["engine_down", "engine_slow"])
def test_a_notice_about_a_message_is_said_once(deps: Deps, chat: str, name: str) -> None:
    turn = a_turn(deps, chat)
    at_once(3, lambda _: notice_once(deps, turn.message_id, name))
    notice_once(deps, turn.message_id, name)
    assert said(deps, chat, Author.NOTICE) == [deps.wording.one(name)]


def test_the_next_message_has_a_notice_of_its_own(deps: Deps, chat: str) -> None:
    first = a_turn(deps, chat, "k1")
    notice_once(deps, first.message_id, "engine_down")
    record_turn(deps, first.message_id, [], HEARD)
    notice_once(deps, a_turn(deps, chat, "k2").message_id, "engine_down")
    assert len(said(deps, chat, Author.NOTICE)) == 2


def test_no_notice_comes_after_the_answer(deps: Deps, chat: str) -> None:
    turn = a_turn(deps, chat)
    record_turn(deps, turn.message_id, [Reply("您好")], HEARD)
    notice_once(deps, turn.message_id, "engine_slow")
    assert said(deps, chat, Author.NOTICE) == []


def test_reading_on_gives_what_came_after_and_nothing_twice(deps: Deps, chat: str) -> None:
    for number in range(5):
        record_text(deps, chat, f"k{number}", f"{number}")
    assert [view.text for view in messages_after(deps, chat, 4)] == ["2", "3", "4"]
    assert [view.text for view in messages_after(deps, chat, 0, limit=2)] == ["3", "4"]
    assert messages_after(deps, chat, 7) == []


def test_how_far_was_read_only_grows_and_never_beyond_what_there_is(deps: Deps, chat: str) -> None:
    def seen() -> int:
        with deps.begin() as session:
            return session.scalar(select(func.max(Conversation.last_seen_seq)).where(Conversation.id == chat)) or 0

    mark_seen(deps, chat, 2)
    mark_seen(deps, chat, 1)
    mark_seen(deps, chat, 99)
    assert seen() == 2
