"""Asking how it went: when, once, over both channels; what is kept, and what supervisors see of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from bot.desk.satisfaction import ASK_AGAIN_AFTER
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import cases, handoff, history, inbound, satisfaction, turns
from bot.services.conversations import Author, Reply, Stored
from bot.services.deps import Deps
from bot.services.turns import Understanding
from bot.store.tables import Message, Satisfaction
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation, an_operator

FAREWELL = Understanding("goodbye", 0.9, actions=("utter_goodbye",))
SOME_TALK = (Said("我欠多少"), Said("好", author=Author.BOT), Said("怎么还"), Said("知道了"))


def says(deps: Deps, chat: str, text: str, key: str = "") -> Stored:
    stored = inbound.record_text(deps, chat, key or f"key of {text}", text)
    assert isinstance(stored, Stored)
    return stored


def goodbye(deps: Deps, chat: str, key: str = "", understanding: Understanding = FAREWELL) -> None:
    stored = says(deps, chat, "先这样,再见", key)
    assert turns.record_turn(deps, stored.message_id, [Reply("好的,您先忙。")], understanding)


def told(deps: Deps, chat: str) -> list[str]:
    return [view.text for view in history.messages_after(deps, chat, 0) if view.author == Author.NOTICE]


def press(deps: Deps, chat: str, title: str) -> Stored:
    views = history.messages_after(deps, chat, 0)
    token = next(b.token for view in reversed(views) for b in view.buttons if b.title == title and b.state == "open")
    stored = inbound.record_press(deps, chat, f"press {token}", token)
    assert isinstance(stored, Stored)
    return stored


def kept(deps: Deps) -> list[Satisfaction]:
    with deps.read() as session:
        return list(session.scalars(select(Satisfaction).order_by(Satisfaction.asked_at)))


def is_asked(deps: Deps, chat: str) -> bool:
    return any("点一个分数" in text for text in told(deps, chat))


@pytest.fixture
def chat(deps: Deps) -> str:
    return a_conversation(deps, Talk(said=SOME_TALK))


def test_after_a_goodbye_one_tap_is_kept_thanked_and_not_given_to_the_engine(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    assert is_asked(deps, chat)
    stored = press(deps, chat, "4分")
    (row,) = kept(deps)
    assert (row.score, row.moment, row.operator_id) == (4, "goodbye", None)
    assert "谢谢您" in told(deps, chat)[-1]
    assert turns.claim_next(deps, chat, timedelta(minutes=1)) is None
    with deps.read() as session:
        assert session.get_one(Message, stored.message_id).handling == "handled"


def test_a_sentence_after_it_is_kept_with_the_score_and_what_comes_next_is_answered(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    press(deps, chat, "5分")
    press(deps, chat, "再说一句")
    words = says(deps, chat, "讲得很清楚,我的电话是13800001234")
    (row,) = kept(deps)
    assert row.comment_seq == words.seq
    assert turns.claim_next(deps, chat, timedelta(minutes=1)) is None
    says(deps, chat, "那我下期什么时候还")
    claimed = turns.claim_next(deps, chat, timedelta(minutes=1))
    assert claimed is not None
    assert claimed.text == "那我下期什么时候还"
    (comment,) = satisfaction.overview(deps).comments
    assert "讲得很清楚" in comment.text
    assert "13800001234" not in comment.text


def test_who_gives_little_is_shown_the_ways_to_a_person_and_to_a_complaint(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    press(deps, chat, "1分")
    views = history.messages_after(deps, chat, 0)
    assert {"转人工", "我要投诉"} <= {button.title for button in views[-1].buttons}


def test_whoever_just_goes_on_is_answered(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    says(deps, chat, "对了,罚息怎么算")
    assert turns.claim_next(deps, chat, timedelta(minutes=1)) is not None


def test_a_sign_of_danger_is_never_taken_for_an_opinion(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    press(deps, chat, "1分")
    press(deps, chat, "再说一句")
    says(deps, chat, "我不想活了")
    (row,) = kept(deps)
    assert row.comment_seq is None
    assert not any("收到，谢谢您" in text for text in told(deps, chat))


def test_words_that_come_much_later_are_no_comment(deps: Deps, chat: str, clock: SetClock) -> None:
    goodbye(deps, chat)
    press(deps, chat, "5分")
    press(deps, chat, "再说一句")
    clock.move(satisfaction.COMMENT_WITHIN)
    says(deps, chat, "我欠多少")
    assert turns.claim_next(deps, chat, timedelta(minutes=1)) is not None


def test_nobody_is_asked_twice_over_whichever_channel(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    web, telegram = (
        a_conversation(deps, Talk(said=SOME_TALK, borrower_id=borrower, verified=True, channel=channel))
        for channel in ("web", "telegram")
    )
    goodbye(deps, web)
    goodbye(deps, web, "again")
    goodbye(deps, telegram)
    assert [row.conversation_id for row in kept(deps)] == [web]
    clock.move(ASK_AGAIN_AFTER)
    goodbye(deps, telegram, "a month later")
    assert [row.conversation_id for row in kept(deps)] == [web, telegram]


def test_under_a_hold_nobody_is_asked_but_under_that_of_a_running_plan(deps: Deps) -> None:
    for kind in HoldKind:
        goodbye(deps, a_conversation(deps, Talk(said=SOME_TALK, holds=(kind,))))
        assert bool(kept(deps)) is (kind is HoldKind.PLAN), kind
        if kind is HoldKind.PLAN:
            with deps.begin() as session:
                session.execute(delete(Satisfaction))


def test_beside_an_open_complaint_nobody_is_asked(deps: Deps, chat: str) -> None:
    cases.complain(deps, chat, None, "天天打电话", None)
    goodbye(deps, chat)
    assert kept(deps) == []


def test_a_goodbye_at_once_or_in_the_middle_of_a_question_is_not_judged(deps: Deps, chat: str) -> None:
    short = a_conversation(deps, Talk(said=(Said("在吗"),)))
    goodbye(deps, short)
    goodbye(deps, chat, understanding=Understanding("goodbye", 0.9, actions=("utter_goodbye", "verify_form")))
    assert kept(deps) == []


def test_after_an_agreement_the_borrower_is_asked(deps: Deps) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    stored = says(deps, chat, "同意")
    a_plan(deps, chat)
    assert turns.record_turn(deps, stored.message_id, [Reply("协议已经生效。")], Understanding("accept_offer", 0.9))
    (row,) = kept(deps)
    assert (row.moment, row.borrower_id) == ("agreed", borrower)


@pytest.fixture
def agent(deps: Deps) -> str:
    return an_operator(deps)


def test_a_person_who_wrote_is_judged_when_they_give_back(deps: Deps, chat: str, agent: str, clock: SetClock) -> None:
    handoff.take(deps, chat, agent)
    clock.move(timedelta(minutes=1))
    handoff.reply(deps, chat, agent, "我帮您看了。", "k")
    handoff.give_back(deps, chat, agent)
    assert is_asked(deps, chat)
    press(deps, chat, "2分")
    (row,) = kept(deps)
    assert (row.moment, row.operator_id, row.score) == ("handed_back", agent, 2)
    found = satisfaction.overview(deps)
    assert (found.by_person.answered, found.by_bot.asked, found.in_all.asked) == (1, 0, 1)


def test_a_person_who_said_nothing_or_left_words_unanswered_is_not_judged(
    deps: Deps, chat: str, agent: str, clock: SetClock
) -> None:
    handoff.take(deps, chat, agent)
    handoff.give_back(deps, chat, agent)
    clock.move(timedelta(minutes=1))
    handoff.take(deps, chat, agent)
    handoff.reply(deps, chat, agent, "我看看。", "k")
    says(deps, chat, "还在吗")
    handoff.give_back(deps, chat, agent)
    assert kept(deps) == []


def test_somebody_who_has_left_is_not_asked(deps: Deps, chat: str, agent: str, clock: SetClock) -> None:
    handoff.take(deps, chat, agent)
    handoff.reply(deps, chat, agent, "我帮您看了。", "k")
    clock.move(timedelta(hours=2))
    handoff.give_back(deps, chat, agent)
    assert kept(deps) == []


def test_what_was_typed_can_never_be_a_score(deps: Deps, chat: str) -> None:
    goodbye(deps, chat)
    says(deps, chat, "rate:1")
    (row,) = kept(deps)
    assert row.score is None


@pytest.fixture
def console(deps: Deps, clock: SetClock) -> ConsoleBrowser:
    return ConsoleBrowser(deps, clock)


def test_supervisors_see_figures_and_words(console: ConsoleBrowser) -> None:
    deps = console.deps
    chat = a_conversation(deps, Talk(said=SOME_TALK))
    goodbye(deps, chat)
    press(deps, chat, "5分")
    press(deps, chat, "再说一句")
    words = says(deps, chat, "很耐心")
    console.log_in_as(Role.SUPERVISOR)
    page = console.shown("/quality")
    assert "借款人的满意度" in page
    assert "5.00" in page
    assert "很耐心" in page
    assert f"/console/c/{chat}/replay?seq={words.seq}" in page
