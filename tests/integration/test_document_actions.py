"""Asking for documents in the conversation: buttons that offer them, and messages that carry them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

import actions.server as server
from bot.lending.money import format_yuan
from bot.outreach.wish_change import Change
from bot.services import clearance, contact_wishes, documents
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind
from bot.settings import ROOT
from bot.store.tables import Agreement, Document
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import a_borrower

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


def ask(deps: Deps, chat: str, action: str, intent: str, **pressed: str) -> list[dict[str, Any]]:
    """Run an action as Rasa does after some words, or after a button that carries something."""
    message = {
        "text": f"/{intent}{json.dumps(pressed)}" if pressed else "给我看看",
        "intent": {"name": intent},
        "entities": [{"entity": name, "value": value} for name, value in pressed.items()],
        "metadata": {"message_id": "m1", "is_payload": bool(pressed)},
    }
    tracker = {
        "sender_id": chat,
        "slots": {},
        "latest_message": message,
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    call = {"next_action": action, "sender_id": chat, "tracker": tracker, "domain": {"responses": DOMAIN["responses"]}}
    secret = deps.settings.actions_secret.get_secret_value()
    answer = TestClient(server.make_app(deps)).post("/webhook", headers={"x-desk-secret": secret}, json=call)
    responses: list[dict[str, Any]] = answer.json()["responses"]
    return responses


def payloads(response: Mapping[str, Any]) -> list[str]:
    return [button["payload"] for button in response.get("buttons") or []]


def kinds(deps: Deps, responses: list[dict[str, Any]]) -> list[str]:
    """Return the kinds of the documents that some answers carry."""
    ids = [p.removeprefix("document:") for r in responses for p in payloads(r) if p.startswith("document:")]
    with deps.read() as session:
        return [session.get_one(Document, document_id).kind for document_id in ids]


def test_a_breakdown_offers_the_statement_and_the_button_brings_it(deps: Deps, chat: str) -> None:
    answer = ask(deps, chat, "action_tell_breakdown", "ask_breakdown")
    assert '/ask_breakdown{"choice": "statement"}' in payloads(answer[-1])
    told = ask(deps, chat, "action_tell_breakdown", "ask_breakdown", choice="statement")
    assert [response["response"] for response in told] == ["utter_document_statement"]
    assert kinds(deps, told) == [DocumentKind.STATEMENT]


def test_the_plans_status_offers_the_agreement_and_the_button_brings_it(deps: Deps, chat: str) -> None:
    plan = a_plan(deps, chat)
    [status] = ask(deps, chat, "action_tell_plan_status", "ask_plan_status")
    assert payloads(status) == ["/ask_plan_status" + json.dumps({"choice": plan.number})]
    told = ask(deps, chat, "action_tell_plan_status", "ask_plan_status", choice=plan.number)
    assert [response["response"] for response in told] == ["utter_document_agreement", "utter_document_schedule"]
    assert kinds(deps, told) == [DocumentKind.AGREEMENT, DocumentKind.SCHEDULE]


def test_a_yes_whose_answer_was_lost_is_answered_with_what_was_agreed(deps: Deps, chat: str) -> None:
    plan = a_plan(deps, chat)
    told = ask(deps, chat, "action_open_plan", "accept_offer", agree=plan.text_hash)
    assert told[0]["response"] == "utter_agreed"
    assert kinds(deps, told) == [DocumentKind.AGREEMENT, DocumentKind.SCHEDULE]


def test_what_is_said_of_notices_after_an_agreement_is_what_will_come(deps: Deps, chat: str) -> None:
    plan = a_plan(deps, chat)

    def said() -> set[str]:
        told = ask(deps, chat, "action_open_plan", "accept_offer", agree=plan.text_hash)
        return {response["response"] for response in told if response["response"].startswith("utter_reminders")}

    assert said() == {"utter_reminders_planned"}
    contact_wishes.change(deps, chat, Change(per_seven_days=1))
    assert said() == {"utter_reminders_as_set"}
    contact_wishes.opt_out(deps, chat)
    assert said() == {"utter_reminders_stopped"}


def test_another_ones_agreement_is_not_handed_over(deps: Deps, chat: str) -> None:
    plan = a_plan(deps, chat)
    other = verified(deps, a_borrower(deps, "李小红", "13800000002", "110101199002020023"))
    told = ask(deps, other, "action_tell_plan_status", "ask_plan_status", choice=plan.number)
    assert [response["response"] for response in told] == ["utter_document_trouble"]


def test_whoever_has_paid_everything_off_gets_the_letter(deps: Deps, chat: str, debt: str) -> None:
    plan = a_plan(deps, chat)
    a_payment(deps, debt, 2_000_000)
    with deps.begin() as session:
        agreement = session.query(Agreement).filter_by(number=plan.number).one()
        clearance.letter_of_agreement(session, deps, agreement)
        agreement.state = "completed"
    told = ask(deps, chat, "action_tell_plan_status", "ask_plan_status")
    assert [response["response"] for response in told] == ["utter_document_clearance_letter"]
    assert kinds(deps, told) == [DocumentKind.CLEARANCE_LETTER]


def test_whoever_asks_for_the_letter_gets_it_and_hears_of_the_paper_one(deps: Deps, chat: str, debt: str) -> None:
    a_payment(deps, debt, 2_000_000)
    told = ask(deps, chat, "action_tell_clearance", "ask_clearance_letter")
    assert [one["response"] for one in told] == ["utter_document_clearance_letter", "utter_clearance_on_paper"]
    assert kinds(deps, told) == [DocumentKind.CLEARANCE_LETTER]


def test_whoever_asks_too_early_hears_what_is_missing(deps: Deps, chat: str) -> None:
    [told] = ask(deps, chat, "action_tell_clearance", "ask_clearance_letter")
    assert told["response"] == "utter_clearance_still_open"
    plan = a_plan(deps, chat)
    [told] = ask(deps, chat, "action_tell_clearance", "ask_clearance_letter")
    assert told["response"] == "utter_clearance_in_plan"
    assert told["rest"] == format_yuan(plan.total_fen)


def test_an_old_debt_is_named_without_a_figure(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=1240))
    [told] = ask(deps, verified(deps, borrower), "action_tell_clearance", "ask_clearance_letter")
    assert told["response"] == "utter_old_debt_remark"


def test_the_unverified_are_asked_who_they_are_whatever_they_press(deps: Deps) -> None:
    stranger = verified(deps, None)
    for action, intent in (("action_tell_breakdown", "ask_breakdown"), ("action_tell_plan_status", "ask_plan_status")):
        told = ask(deps, stranger, action, intent, choice="statement")
        assert [response["response"] for response in told] == ["utter_verify_first"]


def test_a_document_that_cannot_be_made_is_said_so(deps: Deps, chat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_font(*_: object) -> bytes:
        raise OSError("no font")

    monkeypatch.setattr(documents, "statement_pdf", no_font)
    told = ask(deps, chat, "action_tell_breakdown", "ask_breakdown", choice="statement")
    assert [response["response"] for response in told] == ["utter_document_trouble"]
