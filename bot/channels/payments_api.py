"""``POST /api/payments``: the lender's system reports payments as they arrive.

One JSON object or a list of at most ``MOST_ITEMS``, with the fields of ``bot.services.payments``, all as JSON strings.
Each is booked by itself and answered in its place; sending the same again changes nothing. An answer names no field's
value but ``payment_id``, and an error nothing at all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.requests import Request

from bot.bearer import bears, unauthorized
from bot.services import payments
from bot.services.deps import Deps
from bot.services.payments import Booked, Rejected

MOST_ITEMS = 1000
MOST_BYTES = 1_048_576


def make_router(deps: Deps) -> APIRouter:
    """Return the route. To be included only where ``DESK_PAYMENTS_KEY`` is set.

    401 for a missing or wrong key, 413 for more than ``MOST_BYTES``, 422 for a body that is not JSON of that shape.
    """
    router = APIRouter()

    @router.post("/api/payments")
    async def take(request: Request) -> JSONResponse:
        if not bears(request, deps.settings.payments_key.get_secret_value()):
            return unauthorized()
        posted = await posted_items(request)
        if isinstance(posted, JSONResponse):
            return posted
        results = [await asyncio.to_thread(booked, deps, item) for item in posted.items]
        return JSONResponse({"results": results}, headers={"Cache-Control": "no-store"})

    return router


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted: the body as it came, and the items in it."""

    body: bytes
    items: list[Mapping[str, object]]


async def posted_items(request: Request) -> Posted | JSONResponse:
    """Read the items of a request; an answer in their place says why there are none: 413 or 422."""
    body = await _body_of(request)
    if body is None:
        return error(413, "too_large")
    items = _items_of(body)
    return error(422, "unreadable") if items is None else Posted(body, items)


def error(status: int, code: str) -> JSONResponse:
    """Return a refusal of a whole request."""
    return JSONResponse({"error": code}, status_code=status)


async def _body_of(request: Request) -> bytes | None:
    """Read the body up to the limit, whatever length was announced; None beyond it."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MOST_BYTES:
            return None
    return bytes(received)


def _items_of(body: bytes) -> list[Mapping[str, object]] | None:
    """Return the JSON objects of a body, one or a list of at most ``MOST_ITEMS``; None for anything else."""
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    listed: list[object] = parsed if isinstance(parsed, list) else [parsed]
    items: list[Mapping[str, object]] = [item for item in listed if isinstance(item, dict)]
    return items if len(items) == len(listed) and 0 < len(items) <= MOST_ITEMS else None


def booked(deps: Deps, item: Mapping[str, object]) -> dict[str, str | int | None]:
    """Book one payment and return what came of it."""
    read = payments.read_payment(item)
    if isinstance(read, Rejected):
        return _result(None, "rejected", reason=read.reason.value)
    outcome = payments.receive(deps, read)
    if isinstance(outcome, Rejected):
        return _result(read.payment_id, "rejected", reason=outcome.reason.value)
    if isinstance(outcome, Booked):
        return _result(read.payment_id, "booked", credit_fen=outcome.credit_fen)
    return _result(read.payment_id, "repeated")


def _result(
    payment_id: str | None, outcome: str, *, reason: str | None = None, credit_fen: int = 0
) -> dict[str, str | int | None]:
    return {"payment_id": payment_id, "outcome": outcome, "reason": reason, "credit_fen": credit_fen}
