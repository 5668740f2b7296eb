"""Disputes and complaints as the actions put them: each message goes through the form, as the engine has it go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import DeskAction, Turn
from actions.cases import AfterCase, AskCaseStep, Complain, OpenDispute, TellCases, ValidateCaseForm
from actions.contact import Cancel
from bot.cases.course import CaseAct
from bot.cases.kinds import CaseKind
from bot.services import case_desk, negotiation
from bot.services.deps import Deps
from bot.settings import ROOT
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.cases import a_complaint, answers, case_of, says, somebody

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


@dataclass
class Chat:
    """A conversation with the form of cases: what is said, what is answered, what the slots hold."""

    deps: Deps
    conversation_id: str
    slots: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)

    def opens(self, action: type[DeskAction], text: str, intent: str, **pressed: str) -> list[str]:
        """Let a message reach an action, and the form that it begins ask its question."""
        message = self._message(text, intent, pressed)
        self.slots["followed"] = follow = self._run(action, message)
        if follow == "case_form":
            self.slots["requested_slot"] = "case_step"
            self._run(AskCaseStep, message)
            self._answered(message)
        return self.said

    def answers(self, text: str, intent: str = "inform", **pressed: str) -> list[str]:
        """Let a message reach the form; when it has ended, what comes after."""
        message = self._message(text, intent, pressed)
        self._run(ValidateCaseForm, message)
        if self.slots.get("requested_slot") == "case_step":
            self._run(AskCaseStep, message)
            self._answered(message)
        else:
            self.slots["followed"] = self._run(AfterCase, message)
        return self.said

    def button(self, title: str) -> dict[str, str]:
        """Return what a button carries."""
        payload = next(each["payload"] for each in self.buttons if title in each["title"])
        values: dict[str, str] = json.loads(payload[payload.index("{") :])
        return values

    def _message(self, text: str, intent: str, pressed: dict[str, str]) -> dict[str, Any]:
        self.said, self.values = [], []
        return {
            "text": text,
            "intent": {"name": intent},
            "entities": [{"entity": name, "value": value} for name, value in pressed.items()],
            "metadata": {"message_id": says(self.deps, self.conversation_id, text), "is_payload": bool(pressed)},
        }

    def _answered(self, message: dict[str, Any]) -> None:
        answers(self.deps, self.conversation_id, message["metadata"]["message_id"])

    def _run(self, action: type[DeskAction], message: dict[str, Any]) -> str | None:
        dispatcher = CollectingDispatcher()
        tracker = Tracker(self.conversation_id, self.slots, message, [], False, None, {}, "")
        events = action(self.deps).handle(Turn(self.deps, dispatcher, tracker, DOMAIN))
        self.slots |= {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        for each in dispatcher.messages:
            self.said.append(each["response"])
            self.values.append(each)
            self.buttons = each["buttons"] or self.buttons
        follow = [event["name"] for event in events if event["event"] == "followup"]
        return str(follow[-1]) if follow else None


def test_a_bare_complaint_is_numbered_then_named_then_told(deps: Deps) -> None:
    chat = Chat(deps, verified(deps, None))
    said = chat.opens(Complain, "我要投诉", "complain_service")
    assert said == ["utter_complaint_taken", "utter_complaint_routes", "utter_ask_case_kind_complaint"]
    assert chat.answers("", "complain_service", **chat.button("威胁")) == [
        "utter_complaint_evidence",
        "utter_case_evidence",
        "utter_ask_case_facts",
    ]
    assert chat.answers("昨天晚上打来的") == ["utter_case_fact_noted", "utter_ask_case_facts_more"]
    assert chat.answers("没有了", "deny") == ["utter_case_facts_done"]


def test_a_threat_told_as_a_fact_brings_110(deps: Deps) -> None:
    chat = Chat(deps, verified(deps, None))
    chat.opens(Complain, "你们态度太差", "complain_service")
    assert "utter_complaint_evidence" in chat.answers("他还威胁我说要弄死我", "complain_harassment")


def test_a_story_told_instead_of_a_kind_is_a_fact(deps: Deps) -> None:
    chat = Chat(deps, verified(deps, None))
    chat.opens(Complain, "我要投诉", "complain_service")
    assert chat.answers("上回约好的回电一直没等到")[-1] == "utter_ask_case_facts"


def test_a_complaint_in_the_middle_of_something_leaves_it_to_go_on(deps: Deps, borrower: str) -> None:
    chat = Chat(deps, verified(deps, borrower), {"requested_slot": "plan_step"})
    said = chat.opens(Complain, "催收员威胁我", "complain_harassment")
    assert said[:2] == ["utter_complaint_evidence", "utter_complaint_taken"]
    assert said[-1] == "utter_case_tell_later"
    assert chat.slots["requested_slot"] == "plan_step"
    assert chat.opens(Complain, "催收员威胁我", "complain_harassment")[1] == "utter_complaint_known"


@pytest.mark.parametrize("text", ["催收员骂我", "天天打电话有意思吗"])
def test_rude_words_and_many_calls_are_no_emergency(deps: Deps, text: str) -> None:
    chat = Chat(deps, verified(deps, None))
    assert "utter_complaint_evidence" not in chat.opens(Complain, text, "complain_harassment")


def test_a_harassment_in_words_that_are_not_known_names_110_after_the_number(deps: Deps) -> None:
    chat = Chat(deps, verified(deps, None))
    said = chat.opens(Complain, "他们说要让我好看", "complain_harassment")
    assert said.index("utter_complaint_taken") < said.index("utter_complaint_evidence")


@pytest.mark.parametrize("text", ["钱我没有，给我分期", "冇錢", "我还不起"])
def test_somebody_without_money_who_is_taken_to_dispute_talks_about_paying(
    deps: Deps, borrower: str, text: str
) -> None:
    a_debt_of(deps, borrower, Owed())
    chat = Chat(deps, verified(deps, borrower))
    assert chat.opens(OpenDispute, "账不对", "dispute_debt") == ["utter_ask_case_kind_dispute"]
    assert chat.opens(OpenDispute, text, "dispute_debt") == []
    assert chat.slots["followed"] == "action_open_plan"
    assert chat.slots["case_step"] is None


def test_the_kinds_of_a_dispute_leave_a_way_to_talk_about_paying(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed())
    chat = Chat(deps, verified(deps, borrower))
    assert chat.opens(OpenDispute, "账不对", "dispute_debt") == ["utter_ask_case_kind_dispute"]
    assert chat.opens(OpenDispute, "", "dispute_debt", **chat.button("想商量怎么还")) == []
    assert chat.slots["followed"] == "action_open_plan"


def test_a_complaint_known_from_another_channel_asks_nothing_here(deps: Deps, borrower: str) -> None:
    a_complaint(deps, verified(deps, borrower, "telegram"), CaseKind.TONE)
    chat = Chat(deps, verified(deps, borrower))
    assert chat.opens(Complain, "你们态度太差", "complain_service")[-1] == "utter_complaint_routes"
    assert "requested_slot" not in chat.slots


def test_a_dispute_asks_reads_back_opens_and_asks_what_happened(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=60))
    a_debt_of(deps, borrower, Owed(days_late=30, creditor="另一家银行"))
    chat = Chat(deps, verified(deps, borrower))
    assert chat.opens(OpenDispute, "我有异议", "dispute_debt") == ["utter_ask_case_debt"]
    assert chat.answers("第二笔") == ["utter_ask_case_kind_dispute"]
    assert chat.answers("", "dispute_debt", **chat.button("金额")) == ["utter_ask_case_yes"]
    assert "另一家银行" in chat.values[-1]["debts"]
    said = chat.answers("对", "affirm")
    assert said[0] == "utter_dispute_opened"
    assert said[-2:] == ["utter_complaint_routes", "utter_ask_case_facts"]
    assert chat.opens(OpenDispute, "我的异议怎么样了", "dispute_debt") == []


def test_a_dispute_that_is_declined_goes_back_to_what_it_interrupted(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    conversation = verified(deps, borrower)
    negotiation.open_negotiation(deps, conversation)
    chat = Chat(deps, conversation, {"requested_slot": "plan_step"})
    assert chat.opens(OpenDispute, "利息算错了", "dispute_debt") == ["utter_ask_case_yes"]
    assert chat.answers("不用了", "deny") == ["utter_dispute_dropped"]
    assert chat.slots["followed"] == "plan_form"
    chat.slots["requested_slot"] = "plan_step"
    chat.opens(OpenDispute, "利息算错了", "dispute_debt")
    assert "utter_dispute_plan_stopped" in chat.answers("是", "affirm")
    chat.answers("没有了", "deny")
    assert chat.slots["followed"] is None


def test_cancelling_drops_the_draft_and_nothing_else(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    conversation = verified(deps, borrower)
    negotiation.open_negotiation(deps, conversation)
    chat = Chat(deps, conversation)
    chat.opens(OpenDispute, "不是我借的", "dispute_debt")
    assert chat.opens(Cancel, "算了", "cancel") == ["utter_dispute_dropped"]
    assert chat.opens(Cancel, "算了", "cancel") == ["utter_cancelled_plan"]


def test_nothing_owed_and_everything_disputed_are_said(deps: Deps, borrower: str) -> None:
    chat = Chat(deps, verified(deps, borrower))
    assert chat.opens(OpenDispute, "不是我借的", "dispute_debt") == ["utter_nothing_owed"]
    a_debt_of(deps, borrower)
    chat.opens(OpenDispute, "不是我借的", "dispute_debt")
    chat.answers("是", "affirm")
    assert chat.opens(OpenDispute, "不是我借的", "dispute_debt") == ["utter_dispute_known"]


def test_progress_tells_the_answer_to_whoever_may_read_it(deps: Deps, borrower: str) -> None:
    conversation = verified(deps, borrower)
    case, boss = a_complaint(deps, conversation), somebody(deps)
    chat = Chat(deps, conversation)
    assert chat.opens(TellCases, "我的投诉怎么样了", "ask_complaint") == [
        "utter_case_progress_received",
        "utter_complaint_routes",
    ]
    case_desk.act(deps, boss, case, CaseAct.REVIEW)
    case_desk.act(deps, boss, case, CaseAct.REJECT, "没有查到您说的通话。")
    assert chat.opens(TellCases, "投诉进度", "ask_complaint")[:2] == [
        "utter_case_progress_rejected",
        "utter_case_letter",
    ]
    assert chat.values[1]["text"] == "没有查到您说的通话。"


def test_asking_where_nothing_was_raised_shows_the_way(deps: Deps, borrower: str) -> None:
    stranger = Chat(deps, verified(deps, None))
    assert stranger.opens(TellCases, "投诉进度", "ask_complaint") == ["utter_case_none_here", "utter_complaint_routes"]
    known = Chat(deps, verified(deps, borrower))
    assert known.opens(TellCases, "投诉进度", "ask_complaint") == ["utter_case_none", "utter_complaint_routes"]
    assert known.opens(TellCases, "怎么投诉", "ask_complaint") == ["utter_complaint_routes"]


def test_a_case_is_taken_back_by_a_press_only(deps: Deps, borrower: str) -> None:
    conversation = verified(deps, borrower)
    case = a_complaint(deps, conversation, CaseKind.SERVICE)
    chat = Chat(deps, conversation)
    assert chat.opens(TellCases, "我要撤回投诉", "ask_complaint") == ["utter_ask_case_withdraw"]
    keep, really = chat.button("先不撤"), chat.button("确定撤回")
    assert chat.opens(TellCases, "", "ask_complaint", **keep) == ["utter_case_kept"]
    assert case_of(deps, case).state == "received"
    assert chat.opens(TellCases, "", "ask_complaint", **really) == ["utter_case_withdrawn_complaint"]
    assert chat.opens(TellCases, "", "ask_complaint", **really) == ["utter_case_gone"]
    assert chat.opens(TellCases, "", "ask_complaint", choice="facts") == ["utter_case_gone"]


def test_every_word_of_a_case_is_in_the_domain() -> None:
    spoken = DOMAIN["responses"]
    assert not [kind for kind in CaseKind if f"utter_part_case_{kind.value}" not in spoken]
