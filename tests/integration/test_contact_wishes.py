"""What borrowers ask about being written to, against both databases: the records, and the words in answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.base import GOAL, DeskAction, Turn
from actions.contact import PassOn
from actions.contact_wishes import WISH, SetReminder, StopContact
from actions.rights import AnswerRight
from bot.clock import SHANGHAI
from bot.outreach.gate import HoldKind, Purpose, Verdict
from bot.outreach.wish_change import Change, Channel, Impossible, Obstacle, QuietHours
from bot.outreach.wishes import ContactWishes
from bot.services import contact, contact_wishes, holds
from bot.services.accounts import NotVerified
from bot.services.contact_wishes import ContactSettings, Noted, Paused
from bot.services.conversations import conversation_for
from bot.services.deps import Deps
from bot.settings import ROOT
from bot.store.tables import AuditEntry, Borrower, ContactWish, Conversation, Hold, Reminder
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import SetClock, a_borrower

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
MONDAY = datetime(2026, 11, 23, tzinfo=SHANGHAI)
"""The first Monday after the desk's today, a Saturday."""


@pytest.fixture
def borrower(deps: Deps) -> str:
    made = a_borrower(deps)
    a_debt_of(deps, made)
    return made


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    """A Telegram conversation of a borrower who has proved who they are."""
    return verified(deps, borrower, "telegram")


@pytest.fixture
def stranger(deps: Deps) -> str:
    return conversation_for(deps, "telegram", "7001")


def lapsed(deps: Deps, chat: str) -> None:
    """Let the proof of identity run out."""
    with deps.begin() as session:
        session.get_one(Conversation, chat).verified_at = None


def proved(deps: Deps, chat: str, borrower: str) -> None:
    """Let a conversation prove identity."""
    with deps.begin() as session:
        row = session.get_one(Conversation, chat)
        row.borrower_id, row.verified_at = borrower, deps.now()


def open_kinds(deps: Deps, borrower: str) -> frozenset[HoldKind]:
    with deps.read() as session:
        return holds.open_holds(session, borrower, deps.now()).kinds


def settings(deps: Deps, chat: str) -> ContactSettings:
    found = contact_wishes.settings_of(deps, chat)
    assert isinstance(found, ContactSettings)
    return found


def changed(deps: Deps, chat: str, wish: Change) -> ContactWishes:
    noted = contact_wishes.change(deps, chat, wish)
    assert isinstance(noted, Noted)
    return noted.settings.wishes


def events(deps: Deps) -> list[str]:
    with deps.read() as session:
        return list(session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)))


# Pausing -------------------------------------------------------------------------------------------------------------


def test_a_pause_silences_until_its_day_and_no_longer(deps: Deps, clock: SetClock, chat: str, borrower: str) -> None:
    assert contact_wishes.pause(deps, chat, date(2026, 11, 23)) == Paused(MONDAY, is_bound=True)
    assert open_kinds(deps, borrower) == {HoldKind.PAUSE}
    clock.instant = MONDAY - timedelta(seconds=1)
    assert open_kinds(deps, borrower) == {HoldKind.PAUSE}
    clock.instant = MONDAY
    assert open_kinds(deps, borrower) == frozenset()


def test_a_pause_needs_no_proof_and_covers_the_borrower_wherever_they_write(
    deps: Deps, chat: str, borrower: str
) -> None:
    elsewhere = verified(deps, borrower)
    lapsed(deps, elsewhere)
    paused = contact_wishes.pause(deps, elsewhere, date(2026, 12, 1))
    assert paused is not None
    assert paused.is_bound
    assert settings(deps, chat).paused_until == datetime(2026, 12, 1, tzinfo=SHANGHAI)


def test_only_somebody_verified_shortens_a_pause(deps: Deps, chat: str) -> None:
    contact_wishes.pause(deps, chat, date(2027, 1, 1))
    lapsed(deps, chat)
    kept = contact_wishes.pause(deps, chat, date(2026, 11, 23))
    assert kept == Paused(datetime(2027, 1, 1, tzinfo=SHANGHAI), is_bound=True, stood_longer=True)
    with deps.begin() as session:
        session.get_one(Conversation, chat).verified_at = deps.now()
    contact_wishes.pause(deps, chat, date(2026, 11, 23))
    assert settings(deps, chat).paused_until == MONDAY


def test_a_pause_said_elsewhere_is_replaced_and_both_stay_in_the_ledger(deps: Deps, chat: str, borrower: str) -> None:
    contact_wishes.pause(deps, verified(deps, borrower), date(2027, 1, 1))
    contact_wishes.pause(deps, chat, date(2026, 11, 23))
    assert settings(deps, chat).paused_until == MONDAY
    pauses = contact_wishes.pauses_of(deps, chat)
    assert not isinstance(pauses, NotVerified)
    assert [pause.kind for pause in pauses] == [HoldKind.PAUSE, HoldKind.PAUSE]


def test_an_unknown_conversation_pauses_nothing(deps: Deps) -> None:
    assert contact_wishes.pause(deps, "nobody", date(2026, 12, 1)) is None
    assert contact_wishes.opt_out(deps, "nobody") == 0
    assert contact_wishes.opt_in(deps, "nobody") is False


def test_taking_reminders_up_again_ends_a_stop_and_a_pause_once_identity_is_proved(
    deps: Deps, chat: str, borrower: str
) -> None:
    contact_wishes.opt_out(deps, chat)
    contact_wishes.pause(deps, chat, date(2026, 12, 1))
    lapsed(deps, chat)
    assert contact_wishes.opt_in(deps, chat) == NotVerified()
    proved(deps, chat, borrower)
    assert contact_wishes.opt_in(deps, chat) is True
    assert open_kinds(deps, borrower) == frozenset()
    assert contact_wishes.opt_in(deps, chat) is False


# Changing ------------------------------------------------------------------------------------------------------------


def test_wishes_are_kept_one_beside_the_other_and_leave_a_trace(deps: Deps, chat: str, borrower: str) -> None:
    changed(deps, chat, Change(send_at=time(19)))
    changed(deps, chat, Change(day_of_month=10))
    assert changed(deps, chat, Change(per_seven_days=1)) == ContactWishes(
        send_at=time(19), day_of_month=10, per_seven_days=1
    )
    with deps.read() as session:
        row = session.get_one(ContactWish, borrower)
        assert (row.changed_at, row.changed_in) == (deps.now(), chat)
    assert events(deps).count("contact_wish_changed") == 3


def test_a_change_has_notices_planned_anew(deps: Deps, clock: SetClock, chat: str, borrower: str) -> None:
    with deps.begin() as session:
        session.get_one(Borrower, borrower).notices_due_at = deps.now() + timedelta(days=1)
    clock.move(timedelta(minutes=1))
    changed(deps, chat, Change(send_at=time(19)))
    with deps.read() as session:
        assert session.get_one(Borrower, borrower).notices_due_at == deps.now()


@pytest.mark.parametrize("ask", ["change", "reset", "settings", "pauses"])
def test_whoever_has_not_proved_identity_neither_changes_nor_sees_anything(deps: Deps, chat: str, ask: str) -> None:
    lapsed(deps, chat)
    answers: dict[str, Callable[[], object]] = {
        "change": lambda: contact_wishes.change(deps, chat, Change(send_at=time(19))),
        "reset": lambda: contact_wishes.reset(deps, chat),
        "settings": lambda: contact_wishes.settings_of(deps, chat),
        "pauses": lambda: contact_wishes.pauses_of(deps, chat),
    }
    assert answers[ask]() == NotVerified()
    with deps.read() as session:
        assert session.scalars(select(ContactWish)).all() == []


def test_an_impossible_change_changes_nothing(deps: Deps, chat: str) -> None:
    changed(deps, chat, Change(send_at=time(15)))
    all_day = Change(quiet=QuietHours(time(8), time(21)), per_seven_days=1)
    assert contact_wishes.change(deps, chat, all_day) == Impossible(Obstacle.NO_HOURS_LEFT)
    by_mail = Change(channel=Channel.EMAIL, per_seven_days=1)
    assert contact_wishes.change(deps, chat, by_mail) == Impossible(Obstacle.CHANNEL_CLOSED)
    assert settings(deps, chat).wishes == ContactWishes(send_at=time(15))


def test_a_channel_that_reaches_the_borrower_is_noted(deps: Deps, chat: str) -> None:
    assert contact_wishes.channels_of(deps, chat) == (Channel.TELEGRAM,)
    assert changed(deps, chat, Change(channel=Channel.TELEGRAM)).channel == "telegram"
    lapsed(deps, chat)
    assert contact_wishes.channels_of(deps, chat) == ()


def test_a_wish_for_notices_ends_a_stop_and_one_for_silence_does_not(deps: Deps, chat: str, borrower: str) -> None:
    contact_wishes.opt_out(deps, chat)
    noted = contact_wishes.change(deps, chat, Change(per_seven_days=1))
    assert isinstance(noted, Noted)
    assert (noted.resumed, noted.settings.is_stopped) == (False, True)
    noted = contact_wishes.change(deps, chat, Change(day_of_month=10))
    assert isinstance(noted, Noted)
    assert (noted.resumed, noted.settings.is_stopped) == (True, False)
    assert open_kinds(deps, borrower) == frozenset()


def test_a_wish_for_notices_leaves_a_pause_with_its_end(deps: Deps, chat: str) -> None:
    contact_wishes.pause(deps, chat, date(2026, 11, 23))
    changed(deps, chat, Change(send_at=time(19)))
    assert settings(deps, chat).paused_until == MONDAY


def test_forgetting_every_wish_leaves_a_stop_as_it_is(deps: Deps, chat: str) -> None:
    changed(deps, chat, Change(send_at=time(19)))
    contact_wishes.opt_out(deps, chat)
    noted = contact_wishes.reset(deps, chat)
    assert isinstance(noted, Noted)
    assert noted.settings == ContactSettings(ContactWishes(), is_stopped=True, paused_until=None)


def test_what_was_wished_is_what_the_gate_goes_by(deps: Deps, clock: SetClock, chat: str, borrower: str) -> None:
    def verdict() -> Verdict:
        with deps.read() as session:
            row = session.get_one(Conversation, chat)
            return contact.decide(session, deps, borrower, row, Purpose.PLAN_NOTICE, None).verdict

    clock.instant = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
    proved(deps, chat, borrower)
    assert verdict() is Verdict.ALLOWED
    changed(deps, chat, Change(quiet=QuietHours(time(0), time(12))))
    assert verdict() is Verdict.DEFERRED
    clock.move(timedelta(hours=2))
    assert verdict() is Verdict.ALLOWED
    contact_wishes.pause(deps, chat, date(2026, 12, 1))
    assert verdict() is Verdict.REFUSED


# What is answered ----------------------------------------------------------------------------------------------------


class Talking:
    """One conversation with the actions, as Rasa would hold it: slots are kept from one call to the next."""

    def __init__(self, deps: Deps, chat: str) -> None:
        self._deps, self._chat = deps, chat
        self.slots: dict[str, object] = {}
        self.said: list[str] = []
        self.lines = ""
        self.buttons: list[str] = []

    def say(self, action: type[DeskAction], text: str, intent: str = "") -> list[str]:
        """Run an action on a message; returns the names of the responses."""
        message = {"text": text, "intent": {"name": intent or _INTENTS[action]}}
        return self.hear(action, message)

    def press(self, title: str) -> list[str]:
        """Press a button of the last answer."""
        assert title in self.buttons
        choice = [{"entity": "choice", "value": title}]
        message = {"text": "", "intent": {"name": "set_reminder"}, "entities": choice, "metadata": {"is_payload": True}}
        return self.hear(SetReminder, message)

    def after_proof(self, action: type[DeskAction]) -> list[str]:
        """Run the action that was remembered, after the last message proved identity."""
        return self.hear(action, {"text": "0014", "intent": {"name": "inform"}})

    def hear(self, action: type[DeskAction], message: Mapping[str, object]) -> list[str]:
        """Run an action on a message as Rasa hands it over."""
        dispatcher = CollectingDispatcher()
        tracker = Tracker(self._chat, self.slots, dict(message), [], False, None, {}, None)
        done = action(self._deps).handle(Turn(self._deps, dispatcher, tracker, DOMAIN))
        self.slots |= {event["name"]: event["value"] for event in done if event["event"] == "slot"}
        self.said = [sent["response"] for sent in dispatcher.messages]
        self.lines = "\n".join(str(sent.get("lines", "")) for sent in dispatcher.messages)
        self.buttons = [button["title"] for sent in dispatcher.messages for button in sent.get("buttons") or []]
        return self.said


_INTENTS: dict[type[DeskAction], str] = {
    SetReminder: "set_reminder",
    StopContact: "stop_contact",
    PassOn: "request_callback",
    AnswerRight: "rights",
}


@pytest.fixture
def talk(deps: Deps, chat: str) -> Talking:
    return Talking(deps, chat)


def test_a_change_is_said_back_with_everything_that_is_set(talk: Talking) -> None:
    talk.say(SetReminder, "每月10号提醒我")
    assert talk.say(SetReminder, "改成晚上七点发") == ["utter_contact_wish_noted"]
    assert "每月10号" in talk.lines
    assert "19:00" in talk.lines
    assert talk.press("改回默认设置") == ["utter_contact_wish_noted"]
    assert "19:00" not in talk.lines


def test_an_hour_that_is_closed_is_refused_with_the_nearest_and_nothing_is_changed(
    deps: Deps, chat: str, talk: Talking
) -> None:
    assert talk.say(SetReminder, "晚上十一点发") == ["utter_wish_hour_closed"]
    assert settings(deps, chat).wishes == ContactWishes()
    assert talk.press("改成 19:30 发") == ["utter_contact_wish_noted"]
    assert settings(deps, chat).wishes == ContactWishes(send_at=time(19, 30))


def test_of_two_wishes_the_possible_one_is_noted_and_the_other_answered(deps: Deps, chat: str, talk: Talking) -> None:
    said = talk.say(SetReminder, "提前一天晚上十点发")
    assert said == ["utter_contact_wish_noted", "utter_wish_hour_closed"]
    assert settings(deps, chat).wishes == ContactWishes(days_before=1)


@pytest.mark.parametrize(
    ("text", "response", "button"),
    [
        ("八点发我", "utter_wish_hour_either", "改成 09:00 发"),
        ("早点提醒我", "utter_ask_wish_days_before", "提前2天提醒我"),
        ("一个月提醒一次", "utter_ask_wish_day_of_month", "每月15号提醒我"),
        ("20号提醒我", "utter_wish_one_day_only", "每月20号提醒我"),
        ("提前三十天说", "utter_wish_too_many_days_before", "提前15天提醒我"),
        ("每周五提醒我", "utter_wish_days_of_week", "一周最多一次"),
        ("发我微信", "utter_wish_channel_closed", "发到 Telegram"),
        ("短信或者邮件发我都行", "utter_ask_wish_channel", "发到 Telegram"),
    ],
)
def test_what_has_two_readings_or_none_is_asked_with_buttons_that_work(
    talk: Talking, text: str, response: str, button: str
) -> None:
    assert talk.say(SetReminder, text) == [response]
    assert talk.press(button) == ["utter_contact_wish_noted"]


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("一天提醒我三次", "utter_wish_no_more_often"),
        ("发到我另外一个号码", "utter_wish_other_number"),
        ("早上八点到晚上九点都别发", "utter_wish_hours_none_left"),
    ],
)
def test_what_cannot_be_is_said_so(talk: Talking, text: str, response: str) -> None:
    assert talk.say(SetReminder, text) == [response]


def test_a_stop_a_pause_and_the_way_back(deps: Deps, talk: Talking, borrower: str) -> None:
    assert talk.say(StopContact, "别再发了") == ["utter_contact_stopped"]
    assert talk.say(StopContact, "这周别发了") == ["utter_contact_stays_stopped"]
    assert talk.press("恢复提醒") == ["utter_reminders_resumed"]
    assert open_kinds(deps, borrower) == frozenset()
    assert talk.say(SetReminder, "这周别发了") == ["utter_contact_paused"]
    assert open_kinds(deps, borrower) == {HoldKind.PAUSE}
    assert talk.say(SetReminder, "我设置了什么提醒") == ["utter_contact_settings"]
    assert "11月23日" in talk.lines


def test_a_pause_without_an_end_says_its_end_and_can_be_made_longer(deps: Deps, chat: str, talk: Talking) -> None:
    assert talk.say(StopContact, "最近先别发") == ["utter_contact_paused_open_end"]
    assert talk.press("下个月再联系我") == ["utter_contact_paused"]
    assert settings(deps, chat).paused_until == datetime(2026, 12, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize("text", ["别打了", "再打我就投诉", "以后只发短信", "晚上别打给我妈", "八点提醒我", "恢复提醒"])
def test_what_is_not_plainly_less_than_a_stop_stops_when_a_stop_was_understood(
    deps: Deps, talk: Talking, borrower: str, text: str
) -> None:
    assert talk.say(StopContact, text) == ["utter_contact_stopped"]
    assert open_kinds(deps, borrower) == {HoldKind.OPT_OUT}


def test_quiet_evenings_are_no_stop(deps: Deps, talk: Talking, borrower: str) -> None:
    assert talk.say(StopContact, "晚上别打") == ["utter_contact_wish_noted"]
    assert open_kinds(deps, borrower) == frozenset()


def test_being_contacted_later_is_a_pause_and_queues_nobody(deps: Deps, chat: str, talk: Talking) -> None:
    assert talk.say(PassOn, "下个月再联系我") == ["utter_contact_paused"]
    with deps.read() as session:
        assert session.get_one(Conversation, chat).queue_reason is None
    talk.say(PassOn, "给我回个电话")
    with deps.read() as session:
        assert session.get_one(Conversation, chat).queue_reason == "asked"


def test_a_wish_is_kept_while_identity_is_proved(deps: Deps, chat: str, borrower: str, talk: Talking) -> None:
    lapsed(deps, chat)
    assert talk.say(SetReminder, "每月10号提醒我") == ["utter_verify_first"]
    assert (talk.slots[GOAL], talk.slots[WISH]) == ("action_set_reminder", "每月10号提醒我")
    proved(deps, chat, borrower)
    assert talk.after_proof(SetReminder) == ["utter_contact_wish_noted"]
    assert talk.slots[WISH] is None
    assert settings(deps, chat).wishes == ContactWishes(day_of_month=10)


def test_a_stranger_pauses_here_at_once_and_everywhere_after_proof(deps: Deps, stranger: str, borrower: str) -> None:
    talk = Talking(deps, stranger)
    assert talk.say(StopContact, "这周别发了") == ["utter_contact_paused_here"]
    with deps.read() as session:
        assert session.scalars(select(Hold.kind)).all() == ["pause"]
    assert open_kinds(deps, borrower) == frozenset()
    proved(deps, stranger, borrower)
    assert talk.after_proof(StopContact) == ["utter_contact_paused"]
    assert open_kinds(deps, borrower) == {HoldKind.PAUSE}


def test_a_new_wish_counts_and_not_the_one_kept_from_before(deps: Deps, chat: str, borrower: str) -> None:
    talk = Talking(deps, chat)
    lapsed(deps, chat)
    talk.say(SetReminder, "每月10号提醒我")
    assert talk.say(StopContact, "别再发了") == ["utter_contact_stopped"]
    assert talk.slots[WISH] is None


def test_settings_are_not_told_without_proof_and_general_words_need_none(deps: Deps, stranger: str) -> None:
    talk = Talking(deps, stranger)
    assert talk.say(SetReminder, "提醒我一下") == ["utter_reminder"]
    assert talk.press("看我的提醒设置") == ["utter_verify_first"]


# Why it began again --------------------------------------------------------------------------------------------------


def test_why_it_began_again_is_answered_from_the_ledger(deps: Deps, clock: SetClock, chat: str, talk: Talking) -> None:
    contact_wishes.pause(deps, chat, date(2026, 11, 23))
    clock.instant = MONDAY + timedelta(hours=12)
    with deps.begin() as session:
        session.get_one(Conversation, chat).verified_at = deps.now()
    assert talk.say(SetReminder, "怎么又给我发提醒了") == ["utter_pauses_told"]
    assert "11月21日到11月23日" in talk.lines
    assert talk.say(AnswerRight, "为什么停催后又开始催了")[0] != "utter_pauses_told", "another subject"


def test_the_right_to_know_who_collects_tells_the_ledger_first(deps: Deps, chat: str, talk: Talking) -> None:
    contact_wishes.pause(deps, chat, date(2026, 11, 23))
    asked = {"text": "为什么停催后又开始催了", "intent": {"name": "rights"}}
    selected = {"rights": {"response": {"intent_response_key": "rights/outsourcing"}}}
    assert talk.hear(AnswerRight, {**asked, "response_selector": selected})[0] == "utter_pauses_told"
    lapsed(deps, chat)
    assert talk.hear(AnswerRight, {**asked, "response_selector": selected})[0] == "utter_rights/outsourcing"


def test_without_proof_only_general_words_are_said_and_the_question_is_kept(deps: Deps, chat: str) -> None:
    talk = Talking(deps, chat)
    lapsed(deps, chat)
    assert talk.say(SetReminder, "怎么又给我发提醒了") == ["utter_pauses_after_proof"]
    with deps.begin() as session:
        session.get_one(Conversation, chat).verified_at = deps.now()
    assert talk.after_proof(SetReminder) == ["utter_pauses_none"]


@pytest.mark.parametrize("kind", [HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR])
def test_what_is_a_persons_to_speak_about_is_not_told(deps: Deps, talk: Talking, borrower: str, kind: HoldKind) -> None:
    with deps.begin() as session:
        holds.place(session, deps.now(), kind, borrower_id=borrower, reason="invented")
    assert talk.say(SetReminder, "怎么又给我发提醒了") == ["utter_pauses_none"]


def test_every_other_pause_is_told_in_words_of_its_own(deps: Deps, talk: Talking, borrower: str) -> None:
    for kind in set(HoldKind) - {HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR}:
        with deps.begin() as session:
            for hold in session.scalars(select(Hold)):
                session.delete(hold)
            holds.place(session, deps.now(), kind, borrower_id=borrower, reason="never shown")
        assert talk.say(SetReminder, "怎么又给我发提醒了") == ["utter_pauses_told"]
        assert "never shown" not in talk.lines


def test_saying_stop_again_stops_again_and_tells_why_there_was_something(deps: Deps, chat: str, talk: Talking) -> None:
    a_plan(deps, chat)
    said = talk.say(StopContact, "不是让你们停了吗怎么还发")
    assert said == ["utter_pauses_told", "utter_contact_stopped"]
    with deps.read() as session:
        assert session.scalars(select(Reminder.id).where(Reminder.state == "planned")).all() == []
