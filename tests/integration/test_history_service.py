"""What a page may show of a conversation, on both databases: facts and numbers only to who proved identity."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.desk.ownership import Owner
from bot.outreach.gate import Purpose
from bot.services import crisis, handoff, identity
from bot.services.conversations import FACT, Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.services.history import MessageView, buttons_of_reply, messages_after, messages_now_readable
from bot.services.inbound import record_text
from bot.services.outbox import claim_due, mark_sent
from bot.services.standing import Standing, standings
from bot.services.turns import Understanding, claim_next, record_turn
from bot.store.tables import Message
from tests.builders.accounts import verified
from tests.builders.desk import SetClock, a_borrower, a_conversation, an_operator

LEASE = timedelta(minutes=1)
FACTS = "您一共欠 ¥12,345.60。"
OFFERS = (QuickReply("分12期", "/choose"),)


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    """A web conversation in which the borrower has just proved identity."""
    return verified(deps, borrower)


def answer(deps: Deps, chat: str, *replies: Reply, text: str = "我欠多少", key: str = "the question") -> None:
    """Have a message answered as a turn does."""
    record_text(deps, chat, key, text)
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    assert record_turn(deps, claimed.message_id, replies, Understanding())


def tell(deps: Deps, chat: str, text: str, author: Author = Author.BOT, purpose: str = "reply") -> None:
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply(text), author=author, purpose=purpose)


def last(deps: Deps, chat: str) -> MessageView:
    return messages_after(deps, chat, 0)[-1]


def prove(deps: Deps, chat: str, borrower: str) -> None:
    """Bind the conversation to a borrower as a proof of identity does."""
    with deps.begin() as session:
        identity.bind(session, deps, chat, borrower)


def is_withheld(view: MessageView, deps: Deps) -> bool:
    return (view.text, view.buttons, view.withheld) == (deps.wording.one("withheld"), (), True)


def test_who_is_verified_reads_everything(deps: Deps, chat: str) -> None:
    answer(deps, chat, Reply(FACTS, OFFERS), text="我是13912345678")
    typed, told = messages_after(deps, chat, 0)[-2:]
    assert (typed.text, typed.withheld) == ("我是13912345678", False)
    assert (told.text, [button.title for button in told.buttons], told.withheld) == (FACTS, ["分12期"], False)


def test_facts_are_withheld_after_half_an_hour_of_silence(deps: Deps, chat: str, clock: SetClock) -> None:
    answer(deps, chat, Reply(FACTS, OFFERS))
    clock.move(timedelta(minutes=29))
    assert last(deps, chat).text == FACTS
    clock.move(timedelta(minutes=1))
    assert is_withheld(last(deps, chat), deps)


def test_facts_are_withheld_after_the_binding_was_released(deps: Deps, chat: str) -> None:
    answer(deps, chat, Reply(FACTS, OFFERS))
    identity.release_binding(deps, chat, "not_the_borrower")
    assert is_withheld(last(deps, chat), deps)


def test_a_page_that_missed_the_answer_does_not_get_it_either(deps: Deps, chat: str, clock: SetClock) -> None:
    answer(deps, chat, Reply(FACTS))
    clock.move(timedelta(hours=3))
    [after] = messages_after(deps, chat, last(deps, chat).seq - 1)
    assert is_withheld(after, deps)


def test_an_operators_words_to_somebody_verified_are_withheld_too(deps: Deps, chat: str, clock: SetClock) -> None:
    operator = an_operator(deps)
    handoff.take(deps, chat, operator)
    handoff.reply(deps, chat, operator, FACTS, "a reply key")
    assert last(deps, chat).text == FACTS
    clock.move(timedelta(hours=1))
    notice, reply = messages_after(deps, chat, 0)[-2:]
    assert "小陈" in notice.text, "that a person answers is no fact about a debt"
    assert is_withheld(reply, deps)


def test_what_was_told_to_nobody_in_particular_stays_readable(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps)
    answer(deps, chat, Reply("法院不会因为欠款抓人。", OFFERS))
    operator = an_operator(deps)
    handoff.take(deps, chat, operator)
    handoff.reply(deps, chat, operator, "您好，我在。", "a reply key")
    clock.move(timedelta(days=1))
    told = [view for view in messages_after(deps, chat, 0) if view.author != Author.BORROWER]
    assert not any(view.withheld for view in told)
    assert told[0].buttons


def test_words_of_safety_and_notices_stay_readable(deps: Deps, chat: str, clock: SetClock) -> None:
    tell(deps, chat, "请拨打 120。", purpose=crisis.SAFETY)
    tell(deps, chat, "您有一条事项提醒。", purpose=Purpose.PLAN_NOTICE.value)
    clock.move(timedelta(days=1))
    assert [view.text for view in messages_after(deps, chat, 0)[-2:]] == ["请拨打 120。", "您有一条事项提醒。"]


def test_a_new_proof_brings_the_real_texts_and_buttons_back(deps: Deps, chat: str, borrower: str) -> None:
    answer(deps, chat, Reply(FACTS, OFFERS), text="尾号是123X")
    seqs = [view.seq for view in messages_after(deps, chat, 0)]
    identity.lapse(deps, chat)
    assert [view.text for view in messages_now_readable(deps, chat, seqs)] == ["在吗"]
    prove(deps, chat, borrower)
    told = messages_now_readable(deps, chat, seqs[1:])
    assert [view.text for view in told] == ["尾号是123X", FACTS]
    assert [view.seq for view in told] == seqs[1:]
    assert told[1].buttons


def test_another_borrower_never_reads_what_the_first_was_told(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = a_conversation(deps)
    prove(deps, chat, borrower)
    answer(deps, chat, Reply(FACTS, OFFERS), text="我是13912345678")
    clock.move(timedelta(minutes=1))
    prove(deps, chat, a_borrower(deps, "李小红", "13800000002", "110101199002020023"))
    answer(deps, chat, Reply("您一共欠 ¥500.00。"), key="another question")
    typed, theirs, _, own = messages_after(deps, chat, 0)[-4:]
    assert typed.text == "我是****"
    assert is_withheld(theirs, deps)
    assert (own.text, own.withheld) == ("您一共欠 ¥500.00。", False)


def test_a_released_borrower_who_comes_back_reads_what_they_were_told(deps: Deps, clock: SetClock) -> None:
    chat, borrower = a_conversation(deps), a_borrower(deps)
    prove(deps, chat, borrower)
    answer(deps, chat, Reply(FACTS))
    clock.move(timedelta(minutes=1))
    identity.release_binding(deps, chat, "not_the_borrower")
    clock.move(timedelta(minutes=1))
    prove(deps, chat, borrower)
    assert last(deps, chat).text == FACTS


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("13912345678", "****"),
        ("我是 139 1234-5678,本人", "我是 ****,本人"),
        ("验证码483920", "验证码****"),
        ("尾号372x", "尾号****"),
        ("11010519491231002X", "****"),
        ("３７２１", "****"),
        ("还¥1,234.50", "还¥****"),
        ("被催了3个月,打12次", "被催了3个月,打12次"),
    ],
)
def test_numbers_a_borrower_typed_are_masked_below_level_two(deps: Deps, typed: str, shown: str) -> None:
    chat = a_conversation(deps)
    record_text(deps, chat, "the message", typed)
    view = last(deps, chat)
    assert (view.text, view.withheld, view.key) == (shown, shown != typed, "the message")


def test_the_words_in_place_of_a_fact_are_in_the_borrowers_script(deps: Deps, chat: str, clock: SetClock) -> None:
    answer(deps, chat, Reply(FACTS), text="我還欠多少錢")
    clock.move(timedelta(hours=1))
    assert last(deps, chat).text == "這條內容要核對身份後才能看。"


def test_what_became_of_a_withheld_messages_buttons_is_not_told(deps: Deps, chat: str) -> None:
    answer(deps, chat, Reply(FACTS, OFFERS))
    shown = last(deps, chat)
    token = shown.buttons[0].token
    assert buttons_of_reply(deps, token) == (shown.id, shown.buttons)
    identity.lapse(deps, chat)
    assert buttons_of_reply(deps, token) is None


def test_the_state_says_unverified_as_soon_as_the_proof_has_run_out(deps: Deps, chat: str, clock: SetClock) -> None:
    seq = last(deps, chat).seq
    assert standings(deps, [chat]) == {chat: Standing(seq, Owner.BOT, is_verified=True)}
    clock.move(timedelta(minutes=30))
    assert standings(deps, [chat]) == {chat: Standing(seq, Owner.BOT, is_verified=False)}


def test_a_pushed_fact_goes_out_whole_at_any_hour(deps: Deps, borrower: str, clock: SetClock) -> None:
    chat = verified(deps, borrower, channel="telegram")
    answer(deps, chat, Reply(FACTS, OFFERS))
    with deps.begin() as session:
        assert session.get_one(Message, last(deps, chat).id).purpose == FACT
    clock.move(timedelta(hours=11))
    [item] = claim_due(deps, "telegram", 5, LEASE)
    assert (item.text, len(item.buttons)) == (FACTS, 1)
    mark_sent(deps, item.outbox_id, "1")
