"""The shapes of the lender's interface, for its description in OpenAPI. What is checked, services check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.services.account_fields import DEFAULTS, FIELDS, REQUIRED, AccountRefusal
from bot.services.account_intake import Taken
from bot.services.lender_event_sources import EventKind
from bot.services.payments import FIELDS as PAYMENT_FIELDS
from bot.services.payments import RejectReason

EVENTS = "Events"

_MEANINGS: Mapping[str, str] = {
    "contract_number": "the lender's number of the contract, A-Z a-z 0-9 . _ -",
    "reference": "the debt's own number within the contract, up to 12 characters; borrowers see it",
    "name": "the borrower's name",
    "phone": "mainland mobile number, 11 digits",
    "id_number": "18 characters",
    "creditor": "a creditor the desk knows",
    "product": "a product of this creditor the desk knows",
    "lent_on": "the day the money was lent, YYYY-MM-DD, Asia/Shanghai",
    "due_on": "the oldest unpaid due date",
    "principal_yuan": "what was lent, or with balances_on what of it was still owed",
    "annual_rate": "a fraction a year: 0.1825 is 18.25 %",
    "penalty_annual_rate": "what overdue days bear on top of it",
    "email": "for notices",
    "last_demand_on": "when payment was last demanded; interrupts limitation",
    "day_count": "360 or 365",
    "grace_days": "days after due_on that count as on time",
    "late_fee_rate": "share of a missed minimum payment",
    "late_fee_minimum_yuan": "least late fee",
    "allocation": "what a payment settles first",
    "allocation_after_90_days": "the order from the 91st day past due on, where the contract has one",
    "balances_on": "the day the desk takes over from; interest counts from there",
    "interest_yuan": "interest owed at the beginning of balances_on",
    "penalty_yuan": "penalty interest owed then",
    "fees_yuan": "fees owed then",
    "paid_on": "the day it counts from, Asia/Shanghai",
    "amount_yuan": "such as 1234.50",
    "payment_id": "the payment's number at its source, A-Z a-z 0-9 . _ : / -",
    "source": "who gives the numbers, a-z 0-9 _ -",
}


def _text(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "string", "description": _MEANINGS[name]}
    return {**shape, "default": DEFAULTS[name]} if name in DEFAULTS else shape


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _object(properties: Mapping[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required or properties)}


def _list_of(name: str, of: str) -> dict[str, Any]:
    return _object({name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


_TEXT_OR_NONE = {"type": ["string", "null"]}
_NUMBER = {"type": "integer"}

POSTED: dict[str, Any] = {
    "Account": _object({name: _text(name) for name in FIELDS}, REQUIRED),
    "AccountResult": _object(
        {
            "contract_number": _TEXT_OR_NONE,
            "reference": _TEXT_OR_NONE,
            "outcome": _one_of(*(one.value for one in Taken), "refused"),
            "reason": {"enum": [*(one.value for one in AccountRefusal), None]},
            "field": {"enum": [*FIELDS, None]},
        }
    ),
    "Payment": _object(
        {
            **{name: _text(name) for name in PAYMENT_FIELDS},
            "reference": {"type": "string", "description": "contract_number, or contract_number/reference"},
        }
    ),
    "PaymentResult": _object(
        {
            "payment_id": _TEXT_OR_NONE,
            "outcome": _one_of("booked", "repeated", "rejected"),
            "reason": {"enum": [*(one.value for one in RejectReason), None]},
            "credit_fen": _NUMBER,
        }
    ),
    "Event": _object(
        {
            "seq": _NUMBER,
            "kind": _one_of(*(one.value for one in EventKind)),
            "happened_at": {"type": "string", "format": "date-time"},
            "detail": {"type": "object", "description": "docs/integration.md lists the fields of each kind"},
        }
    ),
    EVENTS: _object(
        {**_list_of("events", "Event")["properties"], "next_after": {**_NUMBER, "description": "for the next call"}}
    ),
    "DeadLetter": _object(
        {
            "id": {"type": "string"},
            "seq": _NUMBER,
            "kind": {"type": "string"},
            "attempts": _NUMBER,
            "error": _TEXT_OR_NONE,
        }
    ),
    "DeadLetters": _list_of("dead_letters", "DeadLetter"),
    "Error": _object({"error": {"type": "string"}}),
}
"""Every shape by its name."""

_ERRORS = {401: "no key that holds", 403: "the key is not for this", 422: "not of this shape"}


def posted(summary: str, item: str, result: str) -> dict[str, Any]:
    """Describe a route that takes a list of items, or one item."""
    one = {"$ref": f"#/components/schemas/{item}"}
    body = {"oneOf": [{"type": "array", "items": one, "minItems": 1, "maxItems": 1000}, one]}
    answer = _list_of("results", result)
    errors = {**_ERRORS, 409: "the same request is being worked on", 413: "more than 1 MiB"}
    key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 200}}
    return {
        "summary": summary,
        "responses": _responses(answer, errors),
        "openapi_extra": {"requestBody": {"required": True, "content": _json(body)}, "parameters": [key]},
    }


def read(summary: str, result: str) -> dict[str, Any]:
    """Describe a route that only reads."""
    pages = [
        {
            "name": "after",
            "in": "query",
            "schema": {"type": "integer", "default": 0},
            "description": "number read last",
        },
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 100, "minimum": 1, "maximum": 1000}},
    ]
    answer = {"$ref": f"#/components/schemas/{result}"}
    return {
        "summary": summary,
        "responses": _responses(answer, _ERRORS),
        "openapi_extra": {"parameters": pages} if result == EVENTS else {},
    }


def _responses(answer: dict[str, Any], errors: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    described: dict[int | str, dict[str, Any]] = {
        200: {"description": "each item in its place", "content": _json(answer)}
    }
    error = {"$ref": "#/components/schemas/Error"}
    described |= {status: {"description": meaning, "content": _json(error)} for status, meaning in errors.items()}
    return described


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
