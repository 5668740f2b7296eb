"""What the chat says to third parties and to wishes about data, as the dialogue engine would be told to say it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import DeskAction, Turn
from actions.data_rights import AnswerDataRequest, CopyData, ExplainDecision
from actions.identity import MeetStranger, MeetThirdParty
from bot.services import negotiation
from bot.services.deps import Deps
from bot.settings import ROOT
from tests.builders.accounts import a_debt_of, verified
from tests.builders.desk import SetClock, a_borrower, a_conversation, a_desk

DOMAIN: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock) -> Deps:
    """One database is enough: the services behind are tested on both."""
    return a_desk(tmp_path, clock)


def told(
    deps: Deps, chat: str, action: type[DeskAction], text: str, choice: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run an action after some words, or after a button; return the messages and the events."""
    message = {
        "text": text,
        "intent": {"name": "ask_data_source"},
        "entities": [{"entity": "choice", "value": choice}] if choice else [],
        "metadata": {"message_id": "m1", "is_payload": choice is not None},
    }
    dispatcher = CollectingDispatcher()
    turn = Turn(deps, dispatcher, Tracker(chat, {}, message, [], False, None, {}, None), DOMAIN)
    return dispatcher.messages, action(deps).handle(turn)


@pytest.mark.parametrize(("is_payload", "carried"), [(True, "o1"), (False, None)])
def test_what_chooses_an_offer_is_taken_from_a_button_and_never_from_what_somebody_types(
    deps: Deps, is_payload: bool, carried: str | None
) -> None:
    message = {
        "text": '/accept_offer{"offer": "o1"}',
        "intent": {"name": "accept_offer"},
        "entities": [{"entity": "offer", "value": "o1"}],
        "metadata": {"message_id": "m1", "is_payload": is_payload},
    }
    turn = Turn(deps, CollectingDispatcher(), Tracker("c", {}, message, [], False, None, {}, None), DOMAIN)
    assert turn.pressed("offer") == carried
    assert turn.carries_choice is is_payload


def responses(messages: list[dict[str, Any]]) -> list[str]:
    return [message["response"] for message in messages]


def shown(message: dict[str, Any]) -> str:
    """Fill a response's text in; every placeholder must have its value."""
    return str(DOMAIN["responses"][message["response"]][0]["text"]).format(**message)


@pytest.mark.parametrize(
    ("said", "said_back"),
    [
        ("我是他老婆", ["relative"]),
        ("我是他同事", ["colleague"]),
        ("我是担保人", ["guarantor"]),
        ("我是代理律师", ["lawyer"]),
        ("他去世了", ["reports_death", "reports_death_next"]),
        ("他去世了,有遗产", ["heir", "heir_next"]),
        ("替人问一下", ["other"]),
    ],
)
def test_each_third_party_hears_their_own_words_and_no_fact(deps: Deps, said: str, said_back: list[str]) -> None:
    messages, _ = told(deps, a_conversation(deps), MeetThirdParty, said)
    assert responses(messages) == [f"utter_third_party_{name}" for name in said_back]
    assert all("不能说" in shown(each) or "不能确认" in shown(each) for each in messages[-1:])


@pytest.mark.parametrize(
    ("said", "response"), [("打错了", "utter_wrong_person"), ("这个号码换人了", "utter_number_changed")]
)
def test_a_stranger_is_let_go(deps: Deps, said: str, response: str) -> None:
    assert responses(told(deps, a_conversation(deps), MeetStranger, said)[0]) == [response]


@pytest.mark.parametrize(("said", "choice"), [("我的地址填错了", None), ("/ask_data_source", "correct")])
def test_a_correction_is_on_record_with_a_day(deps: Deps, said: str, choice: str | None) -> None:
    (message,), _ = told(deps, a_conversation(deps), AnswerDataRequest, said, choice)
    assert message["response"] == "utter_data_correct"
    assert message["day"] in shown(message)


def test_a_deletion_names_the_lawful_limit(deps: Deps) -> None:
    (message,), _ = told(deps, a_conversation(deps), AnswerDataRequest, "把我的资料删掉")
    assert "至少 5 年" in shown(message)


def test_a_copy_leads_to_identity_and_then_to_the_file(deps: Deps) -> None:
    for action in (AnswerDataRequest, CopyData):
        messages, events = told(deps, a_conversation(deps), action, "导出我的数据")
        assert responses(messages) == ["utter_verify_first"]
        assert [event["value"] for event in events if event["event"] == "slot"] == ["action_copy_data"]
    (message,), events = told(deps, verified(deps, a_borrower(deps)), AnswerDataRequest, "导出我的数据")
    assert not events, "answered in this very turn, so that an open form asks its question again"
    assert message["response"] == "utter_document_data_export"
    assert message["buttons"][0]["payload"].startswith("document:")


def test_an_explanation_says_rule_facts_outcome_and_the_way_to_a_person(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    assert responses(told(deps, chat, ExplainDecision, "怎么算的")[0]) == ["utter_data_explain_none"]
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    messages, _ = told(deps, chat, ExplainDecision, "怎么算的")
    said = " ".join(shown(each) for each in messages)
    assert all(words in said for words in ("consumer_loan_relief", "¥6,000.00", "¥3,500.00", "最早还清的", "同事"))
    negotiation.end(deps, chat)
    clock.move(timedelta(minutes=1))
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=300_000, essential_fen=300_000)
    refused = " ".join(shown(each) for each in told(deps, chat, ExplainDecision, "怎么算的")[0])
    assert "没有算出合适的方案" in refused


def test_every_button_leads_to_an_answer() -> None:
    wanted = [
        json.loads(button["payload"].removeprefix("/ask_data_source"))["choice"]
        for button in DOMAIN["responses"]["utter_data_source"][0]["buttons"]
    ]
    assert wanted == ["copy", "correct", "delete", "explain"]
