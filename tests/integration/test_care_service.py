"""Somebody vulnerable, somebody in danger: who is called, what is silenced and until when, who lifts it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.care.follow_up import FIRST_WORD, NEXT_WORD
from bot.care.vulnerability import CARE, Silence, Vulnerability
from bot.clock import SHANGHAI
from bot.desk.ownership import QueueReason
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind, Purpose
from bot.services import agreements, care, crisis_follow_up, handoff, negotiation, turns
from bot.services.agreements import AcceptRefusal, ReadBack
from bot.services.care import CareDone, CareRefusal
from bot.services.contact import decide
from bot.services.deps import Deps
from bot.services.handoff import Done, Refusal
from bot.services.history import messages_after
from bot.services.inbound import record_text
from bot.store.tables import AuditEntry, Conversation, Hold
from tests.builders.accounts import a_debt_of, verified
from tests.builders.cases import somebody
from tests.builders.desk import SetClock, a_borrower

YOUNG, BEATEN = "我才16岁,我不知道怎么办", "我老公天天打我"
DAY = timedelta(days=1)


@pytest.fixture
def chat(deps: Deps) -> str:
    return verified(deps, a_borrower(deps))


def standing(deps: Deps, chat: str) -> list[Hold]:
    with deps.read() as session:
        mine = select(Hold).where(Hold.conversation_id == chat, Hold.lifted_at.is_(None)).order_by(Hold.placed_at)
        return list(session.scalars(mine))


def state(deps: Deps, chat: str) -> tuple[str, str | None]:
    with deps.read() as session:
        found = session.get_one(Conversation, chat)
        return found.owner, found.queue_reason


def said(deps: Deps, chat: str, text: str, key: str = "care-0001") -> list[str]:
    before = max((message.seq for message in messages_after(deps, chat, 0)), default=0)
    record_text(deps, chat, key, text)
    return [message.text for message in messages_after(deps, chat, before) if message.author == "bot"]


def may_remind(deps: Deps, chat: str) -> bool:
    with deps.read() as session:
        conversation = session.get_one(Conversation, chat)
        purpose = Purpose.PLAN_NOTICE
        return decide(session, deps, conversation.borrower_id, conversation, purpose, None).verdict == "allowed"


@pytest.mark.parametrize(
    ("text", "kind", "words"), [(YOUNG, HoldKind.MINOR, "监护人"), (BEATEN, HoldKind.PERSON, "110")]
)
def test_a_minor_and_violence_at_home_stop_talk_of_debt_until_a_person_has_been_there(
    deps: Deps, chat: str, text: str, kind: HoldKind, words: str
) -> None:
    assert may_remind(deps, chat)
    assert words in "".join(said(deps, chat, text))
    assert state(deps, chat) == ("queued", QueueReason.VULNERABLE)
    assert [(hold.kind, hold.until) for hold in standing(deps, chat)] == [(kind, None)]
    assert not may_remind(deps, chat)
    assert turns.claim_next(deps, chat, DAY) is None
    assert said(deps, chat, "我一个月能还800", "care-0002") == [], "just answered"
    assert turns.claim_next(deps, chat, DAY) is None, "nothing about debt is answered"


def test_whoever_writes_while_waiting_is_not_left_without_a_word(deps: Deps, chat: str, clock: SetClock) -> None:
    said(deps, chat, BEATEN)
    clock.move(timedelta(minutes=6))
    [again] = said(deps, chat, "在吗", "care-0002")
    assert "同事" in again
    assert len(standing(deps, chat)) == 1


def test_a_person_who_answers_already_is_not_talked_over(deps: Deps, chat: str) -> None:
    agent = somebody(deps, Role.AGENT)
    handoff.take(deps, chat, agent.id)
    assert said(deps, chat, YOUNG) == []
    assert [hold.kind for hold in standing(deps, chat)] == [HoldKind.MINOR]


def test_danger_comes_before_everything_else(deps: Deps, chat: str) -> None:
    said(deps, chat, "我老公打我,我不想活了")
    assert state(deps, chat)[1] == QueueReason.DISTRESS
    assert [hold.kind for hold in standing(deps, chat)] == [HoldKind.DISTRESS]


@pytest.mark.parametrize("kind", Vulnerability)
def test_what_an_operator_learned_is_followed_by_what_the_table_says(
    deps: Deps, chat: str, clock: SetClock, kind: Vulnerability
) -> None:
    expected = CARE[kind]
    done = care.name(deps, somebody(deps, Role.AGENT), chat, kind)
    assert isinstance(done, CareDone)
    assert (state(deps, chat)[1] == QueueReason.VULNERABLE) is expected.calls_person
    assert [hold.kind for hold in standing(deps, chat)] == (
        [] if expected.silence is Silence.NONE else [expected.silence.value]
    )
    assert may_remind(deps, chat) is (expected.silence is Silence.NONE)
    clock.move(timedelta(days=(expected.silent_days or 365) + 1))
    ends = expected.silence is Silence.NONE or expected.silent_days is not None
    assert may_remind(deps, chat) is ends, "silence ends of itself, or by a person"


def test_a_hold_is_placed_by_those_who_talk_and_lifted_by_those_who_may(deps: Deps, chat: str, clock: SetClock) -> None:
    agent, reader = somebody(deps, Role.AGENT, "agent"), somebody(deps, Role.COMPLIANCE, "reader")
    assert care.place(deps, reader, chat, HoldKind.PERSON, "休息一阵") is CareRefusal.ROLE_TOO_LOW
    assert care.place(deps, agent, chat, HoldKind.OPT_OUT, "休息一阵") is CareRefusal.NOT_PLACEABLE
    assert care.place(deps, agent, chat, HoldKind.PERSON, " ") is CareRefusal.NO_REASON
    assert care.place(deps, agent, chat, HoldKind.PERSON, "早", date(2026, 11, 20)) is CareRefusal.END_NOT_AHEAD
    assert care.place(deps, agent, chat, HoldKind.PERSON, "永远", date.max) is CareRefusal.END_TOO_FAR
    assert care.place(deps, agent, "0" * 32, HoldKind.PERSON, "休息") is CareRefusal.UNKNOWN
    done = care.place(deps, agent, chat, HoldKind.PERSON, "住院", date(2026, 11, 25))
    assert done == CareDone(standing(deps, chat)[0].id, datetime(2026, 11, 26, tzinfo=SHANGHAI))
    clock.move(4 * DAY)
    assert not may_remind(deps, chat)
    clock.move(DAY)
    assert may_remind(deps, chat)
    lasting = care.place(deps, agent, chat, HoldKind.INCAPACITY, "家属来电，已看证明")
    assert isinstance(lasting, CareDone)
    assert lasting.hold_id is not None
    clock.move(400 * DAY)
    assert not may_remind(deps, chat)
    assert handoff.lift_hold(deps, lasting.hold_id, agent.id)


@pytest.mark.parametrize("kind", [HoldKind.MINOR, HoldKind.INCAPACITY, HoldKind.DECEASED])
def test_nothing_is_agreed_with_whoever_cannot_act_for_themselves(deps: Deps, kind: HoldKind) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.choose(deps, chat, 1)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    care.place(deps, somebody(deps), chat, kind, "已看证明")
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.ON_HOLD


def alarms(deps: Deps) -> int:
    with deps.read() as session:
        return len(session.scalars(select(AuditEntry.id).where(AuditEntry.event == crisis_follow_up.ALARM)).all())


def test_danger_that_nobody_looks_after_raises_an_alarm_and_raises_it_again(
    deps: Deps, chat: str, clock: SetClock
) -> None:
    said(deps, chat, "我真的不想活了")
    clock.move(FIRST_WORD - timedelta(seconds=1))
    assert crisis_follow_up.sweep(deps) == 0
    clock.move(timedelta(seconds=1))
    assert crisis_follow_up.sweep(deps) == 1
    assert crisis_follow_up.sweep(deps) == 0, "once each time"
    clock.move(NEXT_WORD)
    assert crisis_follow_up.sweep(deps) == 1
    assert alarms(deps) == 2


def test_an_alarm_that_cannot_be_raised_keeps_no_other_from_being_raised(
    deps: Deps, chat: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (chat, verified(deps, a_borrower(deps, "孙兰", "13800000002", "110101199001010022"))):
        said(deps, each, "我真的不想活了")
    clock.move(FIRST_WORD)
    whole = crisis_follow_up.enqueue

    def fails_once(*given: Any) -> None:
        monkeypatch.setattr(crisis_follow_up, "enqueue", whole)
        raise ValueError

    monkeypatch.setattr(crisis_follow_up, "enqueue", fails_once)
    assert crisis_follow_up.sweep(deps) == 1
    assert crisis_follow_up.sweep(deps) == 1, "the next round raises what failed"


def test_the_follow_up_goes_on_until_a_person_lifts_the_hold(deps: Deps, chat: str, clock: SetClock) -> None:
    said(deps, chat, "我真的不想活了")
    boss = somebody(deps)
    handoff.take(deps, chat, boss.id)
    assert handoff.reply(deps, chat, boss.id, "我在，您现在安全吗？", "reply-1") == Done("human")
    handoff.give_back(deps, chat, boss.id)
    assert not may_remind(deps, chat)
    clock.move(NEXT_WORD)
    assert crisis_follow_up.sweep(deps) == 1
    assert state(deps, chat) == ("queued", QueueReason.DISTRESS), "it waits for a person again"
    [hold] = standing(deps, chat)
    handoff.lift_hold(deps, hold.id, boss.id)
    clock.move(30 * DAY)
    assert crisis_follow_up.sweep(deps) == 0


def test_whoever_follows_up_may_always_write_but_not_about_the_debt(deps: Deps, chat: str, clock: SetClock) -> None:
    said(deps, chat, "我真的不想活了")
    boss = somebody(deps)
    handoff.take(deps, chat, boss.id)
    clock.move(timedelta(hours=20))
    assert handoff.reply(deps, chat, boss.id, "欠款的事您看怎么办？", "reply-1") is Refusal.DEBT_TALK
    assert handoff.reply(deps, chat, boss.id, "今天好些了吗？我在。", "reply-2") == Done("human")
    handoff.lift_hold(deps, standing(deps, chat)[0].id, boss.id)
    assert handoff.reply(deps, chat, boss.id, "今天好些了吗？我在。", "reply-3") is Refusal.CONTACT_RULES
