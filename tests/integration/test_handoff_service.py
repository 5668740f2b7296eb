"""A person has the conversation, on both databases: taking over, walking away, giving back, and the contact rules."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.base import GOAL, DeskAction, Turn
from actions.contact import Cancel
from actions.contact_wishes import SetReminder, StopContact
from bot import scheduler
from bot.console.app import make_router
from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import cases, contact_wishes, handoff, negotiation, reminders
from bot.services.conversations import Author, Stored, conversation_for, locked
from bot.services.deps import Deps
from bot.services.handoff import Done, Refusal, place_hold
from bot.services.history import messages_after
from bot.services.inbound import record_text
from bot.services.turns import claim_next
from bot.settings import ROOT
from bot.store.tables import AuditEntry, Conversation, Message
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import PASSWORD, SetClock, a_borrower, an_operator
from tests.builders.threads import at_once

LEASE = timedelta(minutes=3)
LONG_AGO = timedelta(hours=12)
NIGHT = timedelta(hours=11)
"""From noon to 23:00."""


@pytest.fixture
def idle(deps: Deps) -> timedelta:
    return timedelta(minutes=deps.settings.human_idle_minutes)


@pytest.fixture
def agent(deps: Deps) -> str:
    return an_operator(deps, "chen", "小陈")


@pytest.fixture
def boss(deps: Deps) -> str:
    return an_operator(deps, "zhou", "周主管", Role.SUPERVISOR)


@pytest.fixture
def chat(deps: Deps) -> str:
    """A conversation of somebody unknown."""
    return conversation_for(deps, "web", "somebody")


@pytest.fixture
def bound(deps: Deps) -> str:
    """A conversation of a borrower who has proved who they are."""
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    return verified(deps, borrower)


def write(deps: Deps, chat: str, text: str) -> str:
    """Let the borrower write; returns the message's id."""
    stored = record_text(deps, chat, f"key {text}", text)
    assert isinstance(stored, Stored)
    return stored.message_id


def asked(deps: Deps, chat: str, reason: QueueReason = QueueReason.ASKED) -> None:
    """Let the borrower write and be queued, as the bot does it."""
    write(deps, chat, "转人工")
    claimed = claim_next(deps, chat, LEASE)
    with deps.begin() as session:
        if claimed is not None:
            session.get_one(Message, claimed.message_id).handling = "handled"
    handoff.ask_human(deps, chat, reason)


def taken(deps: Deps, chat: str, operator: str, reason: QueueReason = QueueReason.ASKED) -> None:
    asked(deps, chat, reason)
    assert handoff.take(deps, chat, operator) == Done(Owner.HUMAN)


def state(deps: Deps, chat: str) -> tuple[str, str | None, str | None]:
    with deps.read() as session:
        row = session.get_one(Conversation, chat)
        return row.owner, row.owner_operator_id, row.queue_reason


def handling(deps: Deps, message_id: str) -> str:
    with deps.read() as session:
        return session.get_one(Message, message_id).handling


def events(deps: Deps, chat: str) -> list[str]:
    with deps.read() as session:
        return list(session.scalars(select(AuditEntry.event).where(AuditEntry.subject_id == chat)))


def told(deps: Deps, chat: str, author: Author = Author.NOTICE) -> list[str]:
    return [message.text for message in messages_after(deps, chat, 0) if message.author == author]


def hold(deps: Deps, chat: str, kind: HoldKind) -> None:
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        place_hold(session, kind, deps.now(), conversation)


def do(action: type[DeskAction], deps: Deps, chat: str) -> tuple[list[str], dict[str, object]]:
    """Run an action; returns the responses it says and the slots it sets."""
    dispatcher = CollectingDispatcher()
    tracker = Tracker(chat, {}, {"text": "x"}, [], False, None, {}, None)
    domain = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    done = action(deps).handle(Turn(deps, dispatcher, tracker, domain))
    slots = {event["name"]: event["value"] for event in done if event["event"] == "slot"}
    return [message["response"] for message in dispatcher.messages], slots


# Taking over ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN])
def test_a_supervisor_takes_over_and_the_earlier_one_can_no_longer_reply(
    deps: Deps, chat: str, agent: str, role: Role
) -> None:
    superior = an_operator(deps, "superior", "周主管", role)
    taken(deps, chat, agent)
    assert handoff.take(deps, chat, superior, over=True) == Done(Owner.HUMAN)
    assert state(deps, chat)[1] == superior
    assert handoff.reply(deps, chat, agent, "我再说一句", "k1") is Refusal.NOT_YOURS
    assert handoff.give_back(deps, chat, agent) is Refusal.NOT_YOURS
    assert handoff.reply(deps, chat, superior, "我来跟您说", "k2") == Done(Owner.HUMAN)
    assert "周主管" in told(deps, chat)[-1]
    assert events(deps, chat).count("taken_over") == 1


def test_an_agent_takes_nothing_out_of_a_colleagues_hands(deps: Deps, chat: str, agent: str) -> None:
    taken(deps, chat, an_operator(deps, "lin", "小林"))
    assert handoff.take(deps, chat, agent, over=True) is Refusal.NOT_ALLOWED


def test_a_supervisor_who_meant_to_take_from_the_queue_snatches_nothing(
    deps: Deps, chat: str, agent: str, boss: str
) -> None:
    taken(deps, chat, agent)
    assert handoff.take(deps, chat, boss) is Refusal.NOT_ALLOWED
    assert state(deps, chat)[1] == agent


def test_of_two_agents_at_once_one_wins(deps: Deps, chat: str, agent: str) -> None:
    asked(deps, chat)
    both = [agent, an_operator(deps, "lin", "小林")]
    outcomes = at_once(2, lambda turn: handoff.take(deps, chat, both[turn]))
    assert sorted(map(str, outcomes)) == sorted(map(str, [Done(Owner.HUMAN), Refusal.NOT_ALLOWED]))


# Walking away --------------------------------------------------------------------------------------------------------


def test_who_is_left_without_an_answer_is_queued_anew_and_told_once(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    taken(deps, chat, agent)
    handoff.reply(deps, chat, agent, "您稍等", "k")
    clock.move(timedelta(minutes=10))
    question = write(deps, chat, "会上征信吗")
    clock.move(idle - timedelta(seconds=1))
    assert handoff.requeue_abandoned(deps) == 0
    clock.move(timedelta(seconds=1))
    assert handoff.requeue_abandoned(deps) == 1
    assert handoff.requeue_abandoned(deps) == 0
    assert state(deps, chat) == (Owner.QUEUED, None, QueueReason.ASKED)
    with deps.read() as session:
        assert session.get_one(Conversation, chat).queued_at == deps.now()
    assert told(deps, chat).count(deps.wording.one("requeued")) == 1
    assert handling(deps, question) == "pending"
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    assert claimed.message_id == question
    assert handoff.reply(deps, chat, agent, "我回来了", "k2") is Refusal.NOT_YOURS


def test_the_wait_counts_from_the_first_message_without_an_answer(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    taken(deps, chat, agent)
    handoff.reply(deps, chat, agent, "您稍等", "k")
    write(deps, chat, "在吗")
    clock.move(idle / 2)
    write(deps, chat, "还在吗")
    clock.move(idle / 2)
    assert handoff.requeue_abandoned(deps) == 1


def test_whoever_was_taken_and_never_spoken_to_is_queued_anew(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    asked(deps, chat, QueueReason.COMPLAINT)
    clock.move(2 * idle)
    handoff.take(deps, chat, agent)
    assert handoff.requeue_abandoned(deps) == 0, "the time in the queue is not the operator's"
    clock.move(idle)
    assert handoff.requeue_abandoned(deps) == 1
    assert state(deps, chat) == (Owner.QUEUED, None, QueueReason.COMPLAINT)


def test_who_has_had_the_last_word_keeps_the_conversation(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    taken(deps, chat, agent)
    write(deps, chat, "会上征信吗")
    handoff.reply(deps, chat, agent, "不会马上上", "k")
    clock.move(10 * idle)
    assert handoff.requeue_abandoned(deps) == 0
    assert state(deps, chat)[1] == agent


def test_whoever_takes_over_has_time_of_their_own(
    deps: Deps, clock: SetClock, chat: str, agent: str, boss: str, idle: timedelta
) -> None:
    taken(deps, chat, agent)
    write(deps, chat, "在吗")
    clock.move(idle - timedelta(minutes=1))
    handoff.take(deps, chat, boss, over=True)
    clock.move(timedelta(minutes=2))
    assert handoff.requeue_abandoned(deps) == 0
    clock.move(idle)
    assert handoff.requeue_abandoned(deps) == 1


def test_a_conversation_taken_unasked_with_nothing_open_is_left_alone(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    write(deps, chat, "谢谢")
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    with deps.begin() as session:
        session.get_one(Message, claimed.message_id).handling = "handled"
    clock.move(timedelta(minutes=1))
    handoff.take(deps, chat, agent)
    clock.move(2 * idle)
    assert handoff.requeue_abandoned(deps) == 0


def test_after_distress_the_bot_stays_silent_and_the_words_fit(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    taken(deps, chat, agent, QueueReason.DISTRESS)
    more = write(deps, chat, "我欠多少")
    clock.move(idle)
    assert handoff.requeue_abandoned(deps) == 1
    assert state(deps, chat)[2] == QueueReason.DISTRESS
    assert handling(deps, more) == "held"
    assert told(deps, chat)[-1] == deps.wording.one("requeued_distress")
    assert claim_next(deps, chat, LEASE) is None


def test_a_sign_of_danger_to_a_person_who_is_away_goes_to_the_head_of_the_queue(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta
) -> None:
    taken(deps, chat, agent)
    handoff.reply(deps, chat, agent, "您稍等", "k")
    clock.move(timedelta(minutes=1))
    write(deps, chat, "我不想活了")
    clock.move(idle)
    assert handoff.requeue_abandoned(deps) == 1
    assert state(deps, chat) == (Owner.QUEUED, None, QueueReason.DISTRESS)


def test_two_schedulers_queue_it_once(deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta) -> None:
    taken(deps, chat, agent)
    clock.move(idle)
    assert sum(at_once(2, lambda _: handoff.requeue_abandoned(deps))) == 1
    assert told(deps, chat).count(deps.wording.one("requeued")) == 1


def test_found_late_it_happens_without_a_word(deps: Deps, clock: SetClock, chat: str, agent: str) -> None:
    taken(deps, chat, agent)
    before = told(deps, chat)
    clock.move(LONG_AGO)
    assert handoff.requeue_abandoned(deps) == 1
    assert told(deps, chat) == before


def test_the_scheduler_looks_for_it_and_goes_on_when_that_fails(
    deps: Deps, clock: SetClock, chat: str, agent: str, idle: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_deps: Deps) -> int:
        raise RuntimeError

    def sweep(given: Deps) -> reminders.Swept:
        swept.append(given)
        return reminders.Swept()

    swept: list[Deps] = []
    monkeypatch.setattr(reminders, "sweep", sweep)
    taken(deps, chat, agent)
    clock.move(idle)
    with monkeypatch.context() as failing:
        failing.setattr(handoff, "requeue_abandoned", fail)
        scheduler.tick(deps)
    assert (len(swept), state(deps, chat)[0]) == (1, Owner.HUMAN)
    scheduler.tick(deps)
    assert (len(swept), state(deps, chat)[0]) == (2, Owner.QUEUED)


# Giving back ---------------------------------------------------------------------------------------------------------


def test_given_back_the_bot_answers_what_came_after_the_persons_last_word(deps: Deps, chat: str, agent: str) -> None:
    taken(deps, chat, agent)
    answered = write(deps, chat, "和人说的")
    handoff.reply(deps, chat, agent, "好的", "k")
    later = [write(deps, chat, "会上征信吗"), write(deps, chat, "利息多少")]
    assert handoff.give_back(deps, chat, agent) == Done(Owner.BOT)
    assert [handling(deps, each) for each in (answered, *later)] == ["held", "pending", "pending"]
    claimed = claim_next(deps, chat, LEASE)
    assert claimed is not None
    assert claimed.message_id == later[0]


# The contact rules ---------------------------------------------------------------------------------------------------


def test_in_a_live_talk_a_person_answers_at_night_and_under_any_hold(
    deps: Deps, clock: SetClock, bound: str, agent: str
) -> None:
    taken(deps, bound, agent)
    hold(deps, bound, HoldKind.COMPLAINT)
    clock.move(NIGHT)
    assert handoff.reply(deps, bound, agent, "我在", "k") == Done(Owner.HUMAN)


def test_long_after_the_borrowers_last_word_a_person_waits_for_the_day(
    deps: Deps, clock: SetClock, bound: str, agent: str
) -> None:
    taken(deps, bound, agent)
    clock.move(LONG_AGO)  # midnight
    assert handoff.reply(deps, bound, agent, "在吗", "k") is Refusal.CONTACT_RULES
    clock.move(timedelta(hours=9))
    assert handoff.reply(deps, bound, agent, "在吗", "k") == Done(Owner.HUMAN)
    assert told(deps, bound, Author.OPERATOR) == ["在吗"]
    with deps.read() as session:
        assert session.scalars(select(Message.purpose).where(Message.author == "operator")).all() == ["collection"]


def test_one_contact_a_day_may_have_several_lines(deps: Deps, clock: SetClock, bound: str, agent: str) -> None:
    taken(deps, bound, agent)
    clock.move(timedelta(hours=22))  # ten o'clock the next morning
    assert handoff.reply(deps, bound, agent, "在吗", "k1") == Done(Owner.HUMAN)
    clock.move(timedelta(minutes=30))
    assert handoff.reply(deps, bound, agent, "方便时看一下", "k2") == Done(Owner.HUMAN)
    clock.move(timedelta(hours=4))
    assert handoff.reply(deps, bound, agent, "还在吗", "k3") is Refusal.CONTACT_RULES
    assert handoff.reply(deps, bound, agent, "在吗", "k1") == Done(Owner.HUMAN), "sent again it is not refused"
    write(deps, bound, "在的")
    assert handoff.reply(deps, bound, agent, "还在吗", "k4") == Done(Owner.HUMAN)
    assert told(deps, bound, Author.OPERATOR) == ["在吗", "方便时看一下", "还在吗"]


@pytest.mark.parametrize("kind", [HoldKind.DISPUTE, HoldKind.COMPLAINT, HoldKind.OPT_OUT, HoldKind.PLAN])
def test_under_a_hold_a_person_begins_no_contact(
    deps: Deps, clock: SetClock, bound: str, agent: str, kind: HoldKind
) -> None:
    taken(deps, bound, agent)
    hold(deps, bound, kind)
    clock.move(timedelta(hours=24))
    assert handoff.reply(deps, bound, agent, "在吗", "k") is Refusal.CONTACT_RULES


def test_somebody_unknown_is_answered_for_twelve_hours_only(deps: Deps, clock: SetClock, chat: str, agent: str) -> None:
    taken(deps, chat, agent)
    clock.move(LONG_AGO - timedelta(seconds=1))
    assert handoff.reply(deps, chat, agent, "在吗", "k1") == Done(Owner.HUMAN)
    clock.move(timedelta(hours=12))  # noon
    assert handoff.reply(deps, chat, agent, "在吗", "k2") is Refusal.CONTACT_RULES


def test_at_night_taking_and_giving_back_happen_without_a_word(
    deps: Deps, clock: SetClock, bound: str, agent: str
) -> None:
    asked(deps, bound)
    clock.move(LONG_AGO)
    assert handoff.take(deps, bound, agent) == Done(Owner.HUMAN)
    assert handoff.give_back(deps, bound, agent) == Done(Owner.BOT)
    assert told(deps, bound) == []
    assert {"taken", "given_back"} <= set(events(deps, bound))


# In the console ------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(deps: Deps, boss: str) -> TestClient:
    """The browser of a supervisor who has logged in."""
    app = FastAPI()
    app.include_router(make_router(deps, lambda _: None))
    browser = TestClient(app, base_url=deps.settings.origin)
    form = {"csrf": csrf_on(browser, "/console/login"), "login": "zhou", "password": PASSWORD, "onward": ""}
    assert browser.post("/console/login", data=form).url.path == "/console/"
    return browser


def csrf_on(browser: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get(path).text)
    assert found
    return found.group(1)


def test_a_supervisors_page_offers_to_take_over_and_does_it(
    deps: Deps, page: TestClient, bound: str, agent: str, boss: str
) -> None:
    taken(deps, bound, agent)
    shown = page.get(f"/console/c/{bound}")
    assert "从小陈手里接过来" in shown.text
    assert 'name="over" value="yes"' in shown.text
    form = {"csrf": csrf_on(page, "/console/"), "over": "yes"}
    assert "我在跟进" in page.post(f"/console/c/{bound}/take", data=form).text
    assert state(deps, bound)[1] == boss


def test_a_reply_against_the_contact_rules_comes_back_with_the_reason(
    deps: Deps, clock: SetClock, page: TestClient, bound: str, boss: str
) -> None:
    taken(deps, bound, boss)
    clock.move(LONG_AGO - timedelta(hours=8))
    token = csrf_on(page, "/console/")
    with deps.begin() as session:
        session.get_one(Conversation, bound).last_inbound_at = deps.now() - LONG_AGO
    hold(deps, bound, HoldKind.OPT_OUT)
    form = {"csrf": token, "key": str(uuid4()), "text": "在吗在吗"}
    refused = page.post(f"/console/c/{bound}/reply", data=form)
    assert refused.status_code == 409
    assert "超过 12 小时" in refused.text
    assert "在吗在吗</textarea>" in refused.text
    assert told(deps, bound, Author.OPERATOR) == []


# Cancelling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [QueueReason.ASKED, QueueReason.NOT_UNDERSTOOD, QueueReason.NO_PLAN_FITS])
def test_a_wish_for_a_person_is_dropped_by_cancelling(deps: Deps, chat: str, reason: QueueReason) -> None:
    handoff.ask_human(deps, chat, reason)
    assert do(Cancel, deps, chat)[0] == ["utter_left_queue"]
    assert state(deps, chat)[0] == Owner.BOT


@pytest.mark.parametrize("reason", sorted(set(QueueReason) - handoff.WITHDRAWABLE))
def test_a_case_stays_in_the_queue_and_the_borrower_hears_it(deps: Deps, chat: str, reason: QueueReason) -> None:
    handoff.ask_human(deps, chat, reason)
    assert do(Cancel, deps, chat)[0] == ["utter_cancelled_case_stays"]
    assert state(deps, chat) == (Owner.QUEUED, None, reason)


def test_cancelling_a_negotiation_does_not_leave_the_queue(deps: Deps, bound: str) -> None:
    negotiation.open_negotiation(deps, bound)
    handoff.ask_human(deps, bound, QueueReason.ASKED)
    assert do(Cancel, deps, bound)[0] == ["utter_cancelled_plan"]
    assert state(deps, bound)[0] == Owner.QUEUED
    assert do(Cancel, deps, bound)[0] == ["utter_left_queue"]


def test_cancelling_a_negotiation_with_a_complaint_open_says_both(deps: Deps, bound: str) -> None:
    negotiation.open_negotiation(deps, bound)
    cases.complain(deps, bound, None, "我要投诉", None)
    assert do(Cancel, deps, bound)[0] == ["utter_cancelled_plan", "utter_cancelled_case_stays"]


def test_cancelling_with_nothing_open_says_so(deps: Deps, chat: str) -> None:
    assert do(Cancel, deps, chat)[0] == ["utter_cancelled"]


# Stopping reminders and taking them up again -------------------------------------------------------------------------


def test_a_stranger_stops_reminders_here_and_everywhere_once_identity_is_proved(deps: Deps, bound: str) -> None:
    stranger = conversation_for(deps, "telegram", "5001")
    plan = a_plan(deps, bound)
    said, slots = do(StopContact, deps, stranger)
    assert (said, slots[GOAL]) == (["utter_contact_stopped_here"], "action_stop_contact")
    with deps.begin() as session:
        row = session.get_one(Conversation, stranger)
        row.borrower_id, row.verified_at = session.get_one(Conversation, bound).borrower_id, deps.now()
    assert do(StopContact, deps, stranger)[0] == ["utter_contact_stopped"]
    assert contact_wishes.opt_in(deps, bound) is True, "one wish, wherever it was said"
    assert plan.instalments


def test_reminders_come_back_only_for_who_has_proved_identity(deps: Deps, clock: SetClock, bound: str) -> None:
    contact_wishes.opt_out(deps, bound)
    clock.move(timedelta(hours=1))
    said, slots = do(SetReminder, deps, bound)
    assert (said, slots[GOAL]) == (["utter_verify_first"], "action_set_reminder")
    with deps.begin() as session:
        session.get_one(Conversation, bound).verified_at = deps.now()
    assert do(SetReminder, deps, bound)[0] == ["utter_reminders_resumed"]
    assert do(SetReminder, deps, bound)[0] == ["utter_reminder"]


def test_who_never_stopped_reminders_need_not_prove_anything_to_ask_about_them(deps: Deps, chat: str) -> None:
    assert do(SetReminder, deps, chat)[0] == ["utter_reminder"]
