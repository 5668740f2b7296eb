"""The routes for the lender's core system: accounts and payments in, events out. ``docs/integration.md`` explains them.

Every route asks for a key with a scope. What is posted is a list whose items stand by themselves: each is taken whole,
or refused with a reason, and answered in its place. With an ``Idempotency-Key`` the whole request is worked on once.
An answer repeats nothing of what was sent but the numbers that name its items.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.requests import Request

from bot.bearer import bearer_of, unauthorized
from bot.channels.lender_schema import EVENTS, POSTED, posted, read
from bot.channels.payments_api import MOST_BYTES, MOST_ITEMS, booked, error, posted_items
from bot.clock import business_date
from bot.services import account_intake, api_clients, api_requests, lender_events, webhooks
from bot.services.account_fields import Refused, read_account
from bot.services.api_clients import Caller, Scope
from bot.services.api_requests import Answered, Begun, InProgress
from bot.services.deps import Deps

VERSION = "1.0.0"
PREFIX = "/api/v1"
_KEY_HEADER = "idempotency-key"
_LONGEST_KEY = 200

Item = Mapping[str, object]
Answer = dict[str, str | int | None]


def make_router(deps: Deps) -> APIRouter:
    """Return the routes. Without any client nobody gets in."""
    router = APIRouter(prefix=PREFIX)

    @router.post("/accounts", **posted("Take accounts", "Account", "AccountResult"))
    async def accounts(request: Request) -> JSONResponse:
        """Take people, contracts and debts; the same again changes nothing, new contact data are taken over."""
        return await _post(deps, request, Scope.ACCOUNTS_WRITE, lambda item: _take_account(deps, item))

    @router.post("/payments", **posted("Take payments", "Payment", "PaymentResult"))
    async def payments(request: Request) -> JSONResponse:
        """Book payments, each once for its source and number."""
        return await _post(deps, request, Scope.PAYMENTS_WRITE, lambda item: booked(deps, item))

    @router.get("/events", **read("Read events", EVENTS))
    async def events(request: Request) -> JSONResponse:
        """Return outcomes and contacts after a number, in order."""
        caller = await _caller(deps, request, Scope.EVENTS_READ)
        if isinstance(caller, JSONResponse):
            return caller
        after, most = (_number(request.query_params.get(name, default)) for name, default in _PAGE.items())
        if after is None or most is None or not 1 <= most <= lender_events.MOST_AT_ONCE:
            return error(422, "unreadable")
        found = await asyncio.to_thread(lender_events.feed, deps, after, most)
        next_after = found[-1].seq if found else after
        return _answer({"events": [one.to_json() for one in found], "next_after": next_after})

    @router.get("/dead-letters", **read("Read undelivered events", "DeadLetters"))
    async def dead_letters(request: Request) -> JSONResponse:
        """Return events that a webhook did not take, the oldest first."""
        caller = await _caller(deps, request, Scope.EVENTS_READ)
        if isinstance(caller, JSONResponse):
            return caller
        found = await asyncio.to_thread(webhooks.dead_letters, deps)
        letters = [
            {"id": one.delivery_id, "seq": one.seq, "kind": one.kind, "attempts": one.attempts, "error": one.last_error}
            for one in found
        ]
        return _answer({"dead_letters": letters})

    return router


def openapi(deps: Deps) -> dict[str, Any]:
    """Return the description of these routes for other people's programs, OpenAPI 3.1."""
    app = FastAPI()
    app.include_router(make_router(deps))
    described = get_openapi(
        title="Borrower desk: interface for the lender's core system",
        version=VERSION,
        routes=app.routes,
        description="Accounts and payments in, outcomes and contacts out. docs/integration.md is the guide.",
    )
    described["components"] = {
        "schemas": POSTED,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "desk_<id>_<secret>"}},
    }
    described["security"] = [{"key": []}]
    return described


_PAGE = {"after": "0", "limit": "100"}


async def _post(deps: Deps, request: Request, scope: Scope, take: Callable[[Item], Answer]) -> JSONResponse:
    caller = await _caller(deps, request, scope)
    if isinstance(caller, JSONResponse):
        return caller
    came = await posted_items(request)
    if isinstance(came, JSONResponse):
        return came

    def work() -> dict[str, Any]:
        return {"results": [take(item) for item in came.items]}

    key = request.headers.get(_KEY_HEADER)
    if key is None:
        return _answer(await asyncio.to_thread(work))
    if not key or len(key) > _LONGEST_KEY:
        return error(422, "bad_idempotency_key")
    return await asyncio.to_thread(_once, deps, caller, f"{request.url.path}\n{key}", came.body, work)


def _once(deps: Deps, caller: Caller, key: str, body: bytes, work: Callable[[], dict[str, Any]]) -> JSONResponse:
    """Work on a request unless its key is known. Items are safe to repeat, should the process die before the answer."""
    begun = api_requests.begin(deps, caller.client_id, key, body)
    if isinstance(begun, Answered):
        return _answer(begun.answer, begun.status)
    if isinstance(begun, InProgress):
        return error(409, "in_progress")
    if not isinstance(begun, Begun):
        return error(422, "key_used_for_other_request")
    try:
        answer = work()
    except Exception:
        api_requests.drop(deps, begun)
        raise
    api_requests.finish(deps, begun, 200, answer)
    return _answer(answer)


async def _caller(deps: Deps, request: Request, scope: Scope) -> Caller | JSONResponse:
    caller = await asyncio.to_thread(api_clients.authenticate, deps, bearer_of(request))
    if caller is None:
        return unauthorized()
    return caller if scope in caller.scopes else error(403, "forbidden")


def _take_account(deps: Deps, item: Item) -> Answer:
    read_one = read_account(item, business_date(deps.now()))
    if isinstance(read_one, Refused):
        return _account_answer(None, None, read_one)
    outcome = account_intake.receive(deps, read_one)
    refused = outcome if isinstance(outcome, Refused) else None
    answer = _account_answer(read_one.contract_number, read_one.reference, refused)
    return answer if isinstance(outcome, Refused) else {**answer, "outcome": outcome.value}


def _account_answer(contract_number: str | None, reference: str | None, refused: Refused | None) -> Answer:
    return {
        "contract_number": contract_number,
        "reference": reference,
        "outcome": "refused",
        "reason": refused.reason.value if refused is not None else None,
        "field": refused.field if refused is not None else None,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _answer(content: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})


__all__ = ["MOST_BYTES", "MOST_ITEMS", "PREFIX", "VERSION", "make_router", "openapi"]


def openapi_text(deps: Deps) -> str:
    """Return the description as it is kept in ``docs/openapi.json``."""
    return json.dumps(openapi(deps), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
