"""Handing documents to the borrower: a message that carries one, and the buttons that ask for one."""

from __future__ import annotations

import json

from actions.base import Button, Turn
from bot.services import documents
from bot.services.conversations import document_payload
from bot.services.document_store import DocumentView
from bot.services.documents import NotMade

_STATEMENT = "statement"


def hand_over(turn: Turn, document: DocumentView) -> None:
    """Say what it is, and let the message carry it."""
    turn.say(f"utter_document_{document.kind.value}", [Button(document.title, document_payload(document.id))])


def hand_over_agreement(turn: Turn, number: str) -> None:
    """Hand over an agreement, and its schedule as a picture. That they cannot be made changes nothing agreed."""
    made = documents.agreement(turn.deps, turn.conversation_id, number)
    if isinstance(made, NotMade):
        turn.say("utter_document_trouble")
        return
    for document in made:
        hand_over(turn, document)


def hand_over_statement(turn: Turn) -> None:
    """Hand over the statement of today."""
    made = documents.statement(turn.deps, turn.conversation_id)
    if made is NotMade.NOTHING_OWED:
        turn.say("utter_nothing_owed")
    elif isinstance(made, NotMade):
        turn.say("utter_document_trouble")
    else:
        hand_over(turn, made)


def statement_button(turn: Turn) -> Button:
    """Return the button that asks for the statement."""
    payload = "/ask_breakdown" + json.dumps({"choice": _STATEMENT})
    return Button(turn.phrase("utter_document_part_statement_button"), payload)


def wants_statement(turn: Turn) -> bool:
    """Whether that button was pressed."""
    return turn.intent == "ask_breakdown" and turn.pressed("choice") == _STATEMENT


def agreement_button(turn: Turn, number: str) -> Button:
    """Return the button that asks for an agreement."""
    payload = "/ask_plan_status" + json.dumps({"choice": number})
    return Button(turn.phrase("utter_document_part_agreement_button"), payload)


def wanted_agreement(turn: Turn) -> str | None:
    """Return the number of the agreement whose button was pressed, if one was."""
    return turn.pressed("choice") if turn.intent == "ask_plan_status" else None
