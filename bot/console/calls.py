"""Calls that borrowers asked for: the list, arranging one from the conversation, and what became of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.clock import SHANGHAI
from bot.console import PREFIX
from bot.console.reading import ConversationId, list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.desk.calls import CallOutcome
from bot.identity.roles import Permission
from bot.outreach.call_times import MOST_ATTEMPTS
from bot.services import call_backs
from bot.services.call_backs import Arranged, CallMade, Forbidden, NotArranged
from bot.services.operators import OperatorView
from bot.services.reading_rights import readable

UNREADABLE = "unreadable"
"""The reason shown where a time cannot be read."""


def calls_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    refusal: str | None = None,
    forbidden: Forbidden | None = None,
    conversation_id: str = "",
    status: int = 200,
) -> Response:
    """Render the list, with the rule that forbade a time of ``conversation_id`` and the times that can be had."""
    return pages.render(
        "calls.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        calls=call_backs.listing(pages.deps, readable(operator.reader)),
        refusal=refusal,
        rule=forbidden.rule if forbidden is not None else None,
        times=forbidden.times if forbidden is not None else (),
        conversation_id=conversation_id,
    )


def add_routes(router: APIRouter, pages: Pages, on_reply: Callable[[str], None]) -> None:
    """Add the page and the acts; ``on_reply`` is told of the conversation in which a borrower was told."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    caller = ChangeAccess(pages, Permission.REPLY)

    @router.get("/call-backs")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return calls_page(pages, request, operator)

    @router.post("/c/{conversation_id}/call-back")
    async def arrange(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(caller)],
        at: Annotated[str, Form(max_length=30)] = "",
    ) -> Response:
        def act() -> Arranged | Response:
            try:
                when = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
            except ValueError:
                return calls_page(pages, request, operator, UNREADABLE, status=409)
            done = call_backs.arrange_for(deps, operator, conversation_id, when)
            if isinstance(done, Arranged):
                return done
            if isinstance(done, Forbidden):
                return calls_page(pages, request, operator, forbidden=done, conversation_id=conversation_id, status=409)
            return calls_page(pages, request, operator, done.value, status=409)

        outcome = await run_in_threadpool(act)
        if isinstance(outcome, Response):
            return outcome
        on_reply(conversation_id)
        return RedirectResponse(f"{PREFIX}/c/{conversation_id}", 303)

    @router.post("/c/{conversation_id}/call-back/settle")
    async def settle(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(caller)],
        call: Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")],
        attempts: Annotated[int, Form(ge=0, le=MOST_ATTEMPTS)],
        outcome: Annotated[CallOutcome, Form()] = CallOutcome.SPOKEN,
    ) -> Response:
        made = CallMade(call, attempts)
        done = await run_in_threadpool(call_backs.settle, deps, operator, conversation_id, made, outcome)
        if isinstance(done, NotArranged):
            return await run_in_threadpool(calls_page, pages, request, operator, done.value, status=409)
        on_reply(conversation_id)
        return RedirectResponse(f"{PREFIX}/c/{conversation_id}", 303)
