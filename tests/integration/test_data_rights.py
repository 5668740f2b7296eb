"""A copy of one's data, requests about it, and how a plan was decided, against both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect

from bot.clock import business_date
from bot.documents.export_chain import VerifiedExport, verify_export
from bot.services import data_export, data_rights, identity, negotiation
from bot.services.accounts import NotVerified
from bot.services.data_rights import Explanation
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind, fetch
from bot.services.documents import NotMade
from bot.store.base import Base
from bot.store.tables import Conversation, Message
from bot.workout.offer import NoOfferReason, OfferReason
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import SetClock, a_borrower, a_conversation

ABOUT_NOBODY = {
    "api_client": "systems of the lender",
    "api_key": "keys of the lender's systems",
    "api_request": "answers to the lender's systems, for a few days, so that a repeated request is answered alike",
    "audit_checkpoint": "the chain over the audit log",
    "audit_link": "the chain over the audit log",
    "button": "quick replies, one use each; their titles stand in the messages",
    "creditor": "the lender's own",
    "heartbeat": "work of the desk",
    "lender_event": "tells the lender, by reference, what happened in records that are copied",
    "lender_event_mark": "work of the desk",
    "message_document": "joins what is copied",
    "operator": "persons at the desk",
    "operator_login": "persons at the desk",
    "operator_session": "persons at the desk",
    "outbox": "work of the desk; what was written is in the messages",
    "payment_import": "files of the lender",
    "payment_upload": "files of the lender, before they are booked",
    "product": "the lender's own",
    "rule_archive": "the desk's own rules and words, as they once were",
    "code_letter": "a code that is on its way to the borrower's phone, gone within minutes",
    "verification_challenge": "codes as keyed hashes",
    "nlu_turn": "single messages to learn from, without whatever names anybody",
    "quality_review": "judges how the desk worked; names persons at the desk",
    "search_entry": "what finds the words of messages, which are copied",
    "talk_check": "which conversations the desk has gone through",
    "talk_finding": "faults of the desk's own answers",
    "web_session": "keyed hashes of cookies",
    "webhook": "addresses of the lender's systems",
    "webhook_delivery": "work of the desk",
    "sender_code": "keyed hashes of codes that prove the desk, not the borrower",
    "sender_check": "keyed hashes of addresses, for ten minutes; of nobody in particular",
}


def copied(deps: Deps, chat: str) -> dict[str, list[dict[str, Any]]]:
    """Make the copy, check it, and return its records by kind."""
    made = data_export.copy_of_data(deps, chat)
    assert not isinstance(made, NotMade), made
    file = fetch(deps, chat, made.id)
    assert file is not None
    assert isinstance(verify_export(file.content, deps.vault.public_key()), VerifiedExport)
    found: dict[str, list[dict[str, Any]]] = {}
    for record in json.loads(file.content)["records"]:
        found.setdefault(record["kind"], []).append(record["content"])
    return found


def test_the_copy_holds_data_offers_messages_decisions(deps: Deps, borrower: str) -> None:
    debt_id = a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    plan = a_plan(deps, chat)
    found = copied(deps, chat)
    assert found["person"][0] == {
        "name": "王小明",
        "phone": "13800000001",
        "id_number_last_four": "0014",
        "email": None,
        "since": deps.now().isoformat(),
    }
    assert [each["id"] for each in found["debt"]] == [debt_id]
    assert found["agreement"][0]["text"] == plan.text
    assert {each["policy_code"] for each in (offer["terms"] for offer in found["offer"])} == {"consumer_loan_relief"}
    assert "在吗" in [each["text"] for each in found["message"]]
    assert "negotiation_opened" in [each["event"] for each in found["audit_entry"]]
    assert found["negotiation"][0]["monthly_income_fen"] == 600_000


def test_nothing_of_anybody_else_is_in_it(deps: Deps, clock: SetClock, borrower: str) -> None:
    other = a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    a_debt_of(deps, other)
    chat = a_conversation(deps)
    with deps.begin() as session:
        session.add(Message(conversation_id=chat, seq=2, author="borrower", text="孙兰的话", created_at=clock.now()))
        session.get_one(Conversation, chat).last_seq = 2
        identity.bind(session, deps, chat, other)
    clock.move(timedelta(minutes=1))
    with deps.begin() as session:
        identity.bind(session, deps, chat, borrower)
    found = copied(deps, chat)
    assert "debt" not in found
    text = json.dumps(found, ensure_ascii=False)
    for theirs in ("孙兰", "13800000002", other):
        assert theirs not in text


def test_no_secret_of_the_desk_is_in_it(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    a_plan(deps, chat)
    found = copied(deps, chat)
    columns = {f"{kind}.{name}" for kind, rows in found.items() for row in rows for name in row}
    assert not {name for name in columns if name.endswith(("_sealed", ".operator_id"))}
    assert not columns & set(data_export.LEFT_OUT)


def test_every_table_is_copied_or_is_about_nobody(deps: Deps, borrower: str) -> None:
    with deps.read() as session:
        tables = {table.__tablename__ for table, _ in data_export._mine(session, borrower)}
    every = {mapper.local_table.name for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    assert every - tables - {"borrower"} == set(ABOUT_NOBODY)


def test_every_column_left_out_is_there() -> None:
    every = {
        f"{mapper.local_table.name}.{column.key}"  # type: ignore[attr-defined]
        for mapper in Base.registry.mappers
        for column in inspect(mapper.class_).column_attrs
    }
    assert set(data_export.LEFT_OUT) <= every


@pytest.mark.parametrize("standing", ["nobody", "bound", "lapsed"])
def test_only_the_right_party_gets_copy_or_explanation(
    deps: Deps, clock: SetClock, borrower: str, standing: str
) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, None if standing == "nobody" else borrower)
    if standing == "bound":
        identity.lapse(deps, chat)
    clock.move(timedelta(minutes=31 if standing == "lapsed" else 0))
    assert data_export.copy_of_data(deps, chat) is NotMade.NOT_VERIFIED
    assert data_rights.explain_decision(deps, chat) == NotVerified()


def test_a_copy_opens_for_its_borrower_alone(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    made = data_export.copy_of_data(deps, chat)
    assert not isinstance(made, NotMade)
    other = a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    assert fetch(deps, verified(deps, other), made.id) is None
    file = fetch(deps, chat, made.id)
    assert file is not None
    assert (file.kind, file.media_type) == (DocumentKind.DATA_EXPORT, "application/json")
    assert file.disposition.startswith("attachment")


def test_offers_are_explained_by_rule_facts_and_reason(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    assert data_rights.explain_decision(deps, chat) is None
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    found = data_rights.explain_decision(deps, chat)
    assert isinstance(found, Explanation)
    assert (found.policy_code, found.monthly_income_fen) == ("consumer_loan_relief", 600_000)
    assert found.policy_version == deps.policies["consumer_loan_relief"].version
    assert isinstance(found.outcome, tuple)
    assert OfferReason.SHORTEST in found.outcome
    assert found.owed_fen > 1_200_000


def test_a_refusal_is_explained_by_its_reason(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=300_000, essential_fen=300_000)
    found = data_rights.explain_decision(deps, chat)
    assert isinstance(found, Explanation)
    assert (found.outcome, found.decided_on) == (NoOfferReason.NO_SURPLUS, business_date(deps.now()))
    assert found.owed_fen > 1_200_000
