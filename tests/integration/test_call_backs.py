"""Calls that borrowers ask for: their time, who is told what, what the desk sees, and what became of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Turn
from actions.contact import Cancel, PassOn, RequestHuman
from bot.console.calls import UNREADABLE
from bot.console.rendering import Pages
from bot.desk.calls import CallOutcome, CallState
from bot.desk.ownership import Owner
from bot.desk.visibility import Reader
from bot.identity.roles import Role
from bot.outreach.call_times import CallRule
from bot.outreach.gate import HoldKind
from bot.services import call_backs, handoff, reading_rights
from bot.services.call_backs import Arranged, Forbidden, NotArranged
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store import tables
from tests.builders.accounts import verified
from tests.builders.approvals import an_operator_view, payloads_of
from tests.builders.calls import TODAY, at, row_of, settle, told
from tests.builders.chat import Chat
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import TEAM, Said, SetClock, Talk, a_borrower, a_conversation, an_operator


@pytest.fixture
def chat(deps: Deps) -> str:
    return verified(deps, a_borrower(deps))


@pytest.fixture
def chen(deps: Deps) -> OperatorView:
    return an_operator_view(deps, Role.AGENT, "chen")


class Heard:
    """What an action answered."""

    def __init__(self, deps: Deps, action: type[Any], chat: str, text: str, intent: str, choice: str | None) -> None:
        entities = [{"entity": "choice", "value": choice}] if choice is not None else []
        message = {
            "text": text,
            "intent": {"name": intent},
            "entities": entities,
            "metadata": {"message_id": "m1", "is_payload": choice is not None},
        }
        dispatcher = CollectingDispatcher()
        tracker = Tracker(chat, {}, message, [], False, None, {}, None)
        action(deps).handle(Turn(deps, dispatcher, tracker, {"responses": {}}))
        self.words = "\n".join(str(sent.get("text") or sent.get("response")) for sent in dispatcher.messages)
        self.payloads = [button["payload"] for sent in dispatcher.messages for button in sent.get("buttons") or []]


def ask(deps: Deps, chat: str, text: str = "给我回个电话", choice: str | None = None) -> Heard:
    return Heard(deps, PassOn, chat, text, "request_callback", choice)


# Asked for in the chat -----------------------------------------------------------------------------------------------


def test_a_call_has_a_time_at_once_and_a_person_is_asked_as_well(deps: Deps, chat: str) -> None:
    heard = ask(deps, chat)
    assert "11月21日 13:00到14:00之间" in heard.words
    assert heard.payloads == ['/request_callback{"choice": "move"}', '/request_callback{"choice": "stop"}']
    assert row_of(deps, chat).call_at == at(13)
    with deps.read() as session:
        assert session.get_one(tables.Conversation, chat).owner == Owner.QUEUED


def test_the_time_that_was_asked_for_is_kept(deps: Deps, chat: str) -> None:
    assert "11月22日 14:00" in ask(deps, chat, "明天下午给我打电话").words
    assert "改成11月22日 10:30" in ask(deps, chat, "改到明天上午十点半打给我").words
    assert row_of(deps, chat).call_at == at(10, 30, days=1)


@pytest.mark.parametrize(
    ("text", "why"), [("晚上11点打给我", "早上 8:00 我们不打电话"), ("早上8点打给我", "只在 9:00 到 20:00")]
)
def test_a_time_that_may_not_be_is_refused_with_times_that_may(deps: Deps, chat: str, text: str, why: str) -> None:
    heard = ask(deps, chat, text)
    assert why in heard.words
    assert len(heard.payloads) == 3
    choice = heard.payloads[0].split('"')[3]
    assert "约好了" in ask(deps, chat, "", choice).words


def test_a_whole_day_is_refused_with_the_rule_that_is_true(
    deps: Deps, chat: str, clock: SetClock, chen: OperatorView
) -> None:
    far = call_backs.arrange(deps, chat, on=TODAY.date() + timedelta(weeks=4))
    assert isinstance(far, Forbidden)
    assert far.rule is CallRule.TOO_FAR
    ask(deps, chat)
    clock.instant = at(13, 5)
    assert settle(deps, chen, chat, CallOutcome.SPOKEN) is CallState.DONE
    again = call_backs.arrange(deps, chat, on=TODAY.date())
    assert isinstance(again, Forbidden)
    assert again.rule is CallRule.FREQUENCY
    assert again.times[0] == at(9, days=1)
    assert "一天最多给您打一次" in ask(deps, chat, "今天给我打电话").words


def test_another_time_is_chosen_by_a_tap_and_the_call_can_be_called_off(deps: Deps, chat: str) -> None:
    ask(deps, chat)
    moved = ask(deps, chat, "", "move")
    assert "什么时候接电话" in moved.words
    assert "改成" in ask(deps, chat, "", moved.payloads[1].split('"')[3]).words
    assert "不打电话了" in ask(deps, chat, "", "stop").words
    assert row_of(deps, chat).state == CallState.WITHDRAWN
    assert "现在没有约电话" in ask(deps, chat, "不用打电话了").words


def test_cancelling_calls_it_off_where_nothing_nearer_is_cancelled(deps: Deps, chat: str) -> None:
    ask(deps, chat)
    assert "不打电话了" in Heard(deps, Cancel, chat, "算了", "cancel", None).words
    assert row_of(deps, chat).state == CallState.WITHDRAWN


def test_somebody_unknown_is_not_called(deps: Deps) -> None:
    stranger = a_conversation(deps)
    heard = ask(deps, stranger)
    assert "核对身份" in heard.words
    assert heard.payloads == ["/verify_identity"]
    assert call_backs.of_conversation(deps, stranger) is None
    assert call_backs.arrange(deps, "0" * 32) is NotArranged.UNKNOWN


def test_the_borrowers_own_quiet_hours_and_danger_are_kept(deps: Deps, chat: str) -> None:
    with deps.begin() as session:
        borrower_id = session.get_one(tables.Conversation, chat).borrower_id or ""
        quiet = {"quiet_from": at(12).time(), "quiet_to": at(18).time()}
        session.add(tables.ContactWish(borrower_id=borrower_id, changed_at=deps.now(), **quiet))
    refused = call_backs.arrange(deps, chat, at(15))
    assert isinstance(refused, Forbidden)
    assert refused.rule is CallRule.WISH
    assert refused.times[0] == at(18)
    with deps.begin() as session:
        session.add(tables.Hold(borrower_id=borrower_id, kind=HoldKind.DISTRESS.value, placed_at=deps.now()))
    assert call_backs.arrange(deps, chat) == Forbidden(CallRule.HOLD)


# At night ------------------------------------------------------------------------------------------------------------


def test_at_night_who_asks_for_a_person_is_told_when_they_are_called(deps: Deps, chat: str, clock: SetClock) -> None:
    clock.instant = at(2, 30, days=1)
    heard = Heard(deps, RequestHuman, chat, "转人工", "request_human", None)
    assert "11月22日 09:00到10:00之间" in heard.words
    assert len(heard.payloads) == 2
    again = Heard(deps, RequestHuman, chat, "转人工", "request_human", None)
    assert again.words == "utter_human_coming", "said once"


def test_at_night_nobody_is_called_who_asked_for_peace(deps: Deps, chat: str, clock: SetClock) -> None:
    clock.instant = at(2, 30, days=1)
    with deps.begin() as session:
        borrower_id = session.get_one(tables.Conversation, chat).borrower_id
        session.add(tables.Hold(borrower_id=borrower_id, kind=HoldKind.OPT_OUT.value, placed_at=deps.now()))
    assert call_backs.arrange_after_hours(deps, chat) is None
    assert isinstance(call_backs.arrange(deps, chat), Arranged), "who asks for a call is called all the same"


def test_at_night_who_was_not_understood_is_offered_a_call_and_called_only_if_they_take_it(
    deps: Deps, chat: str, clock: SetClock
) -> None:
    clock.instant = at(2, 30, days=1)
    talk = Chat(deps, chat)
    talk.say("龘靐齉爩麤", "nlu_fallback")
    talk.say("𠀀𠀁𠀂𠀃", "nlu_fallback")
    assert call_backs.of_conversation(deps, chat) is None
    talk.press("09:00")
    assert row_of(deps, chat).call_at == at(9, days=1)


def test_by_day_nobody_is_called_for_asking_for_a_person(deps: Deps, chat: str) -> None:
    assert Heard(deps, RequestHuman, chat, "转人工", "request_human", None).words == "utter_human_coming"
    assert call_backs.of_conversation(deps, chat) is None


# At the desk ---------------------------------------------------------------------------------------------------------


def test_an_operator_arranges_and_the_borrower_is_told_with_ways_to_change(
    deps: Deps, chat: str, chen: OperatorView
) -> None:
    assert call_backs.arrange_for(deps, chen, chat, at(16)) == Arranged(at(16))
    (message,) = told(deps, chat)
    assert "11月21日 16:00到17:00之间" in message.text
    assert payloads_of(deps, message)[1] == '/request_callback{"choice": "stop"}'
    refused = call_backs.arrange_for(deps, chen, chat, at(21))
    assert isinstance(refused, Forbidden)
    assert refused.rule is CallRule.SOFT_WINDOW
    assert row_of(deps, chat).call_at == at(16)


def test_what_may_not_be_said_at_night_is_said_in_the_morning(deps: Deps, clock: SetClock, chen: OperatorView) -> None:
    chat = a_conversation(deps, Talk(borrower_id=a_borrower(deps), said=(Said("在吗", minutes_ago=24 * 60),)))
    clock.instant = at(21)
    assert isinstance(call_backs.arrange_for(deps, chen, chat, at(14, days=1)), Arranged)
    assert told(deps, chat) == []
    view = call_backs.of_conversation(deps, chat)
    assert view is not None
    assert not view.is_told
    assert call_backs.sweep(deps) == 0
    clock.instant = at(9, 30, days=1)
    assert call_backs.sweep(deps) == 1
    assert len(told(deps, chat)) == 1
    assert call_backs.sweep(deps) == 0


def test_due_calls_come_first_and_late_ones_are_said_to_be(deps: Deps, clock: SetClock, chen: OperatorView) -> None:
    chats = [
        verified(deps, a_borrower(deps, phone=f"1380000000{n}", id_number=f"11010119900101{n}014")) for n in (1, 2)
    ]
    call_backs.arrange(deps, chats[0], at(18))
    call_backs.arrange(deps, chats[1], at(14))
    readable = reading_rights.readable(replace(chen, team=TEAM).reader)
    assert [call.conversation_id for call in call_backs.listing(deps, readable)] == chats[::-1]
    assert call_backs.listing(deps, readable, due_only=True) == ()
    clock.instant = at(14, 5)
    (due,) = call_backs.listing(deps, readable, due_only=True)
    assert (due.is_due, due.is_late) == (True, False)
    clock.instant = at(15)
    (late,) = call_backs.listing(deps, readable, due_only=True)
    assert late.is_late


def test_whoever_is_to_be_called_is_everybodys_until_they_are_a_teams(deps: Deps, clock: SetClock) -> None:
    borrower_id = a_borrower(deps)
    chat = a_conversation(deps, Talk(borrower_id=borrower_id, team=None))
    anybody = Reader("0" * 32, reads_all=False, team="二组")
    assert not reading_rights.may_read(deps, anybody, chat)
    call_backs.arrange(deps, chat, at(16))
    assert reading_rights.may_read(deps, anybody, chat)
    member = an_operator(deps, "wu", "小吴")
    with deps.begin() as session:
        session.get_one(tables.Conversation, chat).team = "一组"
        session.get_one(tables.Operator, member).team = "一组"
    assert not reading_rights.may_read(deps, anybody, chat)


def test_a_call_is_not_made_for_whoever_has_the_phone_next(deps: Deps, chat: str, chen: OperatorView) -> None:
    ask(deps, chat)
    with deps.begin() as session:
        session.get_one(tables.Conversation, chat).borrower_id = None
    assert call_backs.of_conversation(deps, chat) is None
    call_backs.sweep(deps)
    assert row_of(deps, chat).state == CallState.WITHDRAWN


# The console ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def console(deps: Deps, clock: SetClock) -> ConsoleBrowser:
    return ConsoleBrowser(deps, clock)


def made_on(page: str) -> dict[str, str]:
    """Return what a conversation's page says of the call that its buttons settle."""
    return dict(re.findall(r'type="hidden" name="(call|attempts)" value="([^"]*)"', page))


def test_a_call_is_arranged_moved_and_settled_from_the_conversation(console: ConsoleBrowser, chat: str) -> None:
    console.log_in_as(Role.AGENT)
    assert "没有约电话" in console.shown(f"/c/{chat}")
    assert console.send(f"/c/{chat}/call-back", at="2026-11-21T14:00").status_code == 303
    assert console.told == [chat]
    assert "没打通" in console.shown(f"/c/{chat}")
    refused = console.send(f"/c/{chat}/call-back", at="2026-11-21T22:30")
    assert refused.status_code == 409
    assert "（T1）" in refused.text
    unread = console.send(f"/c/{chat}/call-back", at="soon")
    assert (unread.status_code, "没看懂时间" in unread.text) == (409, True)
    console.clock.instant = at(15, 1)
    inbox = console.shown("/")
    assert 'data-attention="late"' in inbox
    assert "回电过时" in inbox
    assert "已经过时" in console.shown("/call-backs")
    pressed = made_on(console.shown(f"/c/{chat}"))
    assert console.send(f"/c/{chat}/call-back/settle", outcome="spoken", **pressed).status_code == 303
    again = console.send(f"/c/{chat}/call-back/settle", outcome="spoken", **pressed)
    assert again.status_code == 409
    assert "已经记过结果" in again.text
    assert console.send(f"/c/{chat}/call-back/settle", outcome="spoken").status_code == 422
    assert 'id="calls"' not in console.shown("/")


def test_a_refused_time_is_given_back_beside_those_that_can_be_had_by_one_press(
    console: ConsoleBrowser, chat: str
) -> None:
    console.log_in_as(Role.AGENT)
    page = console.send(f"/c/{chat}/call-back", at="2026-11-21T22:30").text
    assert 'id="turns"' in page, "the conversation is still there"
    assert re.search(r"<details open>\s*<summary>对方要我们打电话", page)
    assert 'type="datetime-local" name="at" value="2026-11-21T22:30"' in page
    times = re.findall(r'<button name="at" value="([^"]+)">', page)
    assert times == ["2026-11-21T13:00", "2026-11-21T14:00", "2026-11-21T18:00"]
    assert console.send(f"/c/{chat}/call-back", at=times[1]).status_code == 303
    assert row_of(console.deps, chat).call_at == at(14)
    assert '<button name="at"' not in console.shown(f"/c/{chat}")


def test_a_call_for_somebody_unknown_is_refused_in_words(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.AGENT)
    stranger = a_conversation(console.deps)
    refused = console.send(f"/c/{stranger}/call-back", at="2026-11-21T14:00")
    assert (refused.status_code, "还没有核实身份，不知道该打哪个号码" in refused.text) == (409, True)
    assert console.send(f"/c/{'0' * 32}/call-back", at="2026-11-21T14:00").status_code == 404


def test_every_code_of_the_page_has_words(console: ConsoleBrowser) -> None:
    words = Pages(console.deps).words("_call_words.html")
    assert set(words["NOT_ARRANGED"]) == {*NotArranged, UNREADABLE}
    assert set(words["CALL_RULE"]) == set(CallRule)
    for rule in CallRule:
        assert console.deps.wording.one(f"call_back_not_{rule.value}")


def test_the_words_of_calls_pass_the_tone_gate(deps: Deps) -> None:
    for name in (name for name in deps.wording.texts if name.startswith("call_back_")):
        text = deps.wording.one(name, day="11月22日", **{"from": "09:00", "to": "10:00"})
        assert handoff.unfitting(deps, text) == (), name
