"""Calls that borrowers asked for: the list, arranging one from the conversation, and what became of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.clock import SHANGHAI
from bot.console import PREFIX
from bot.console.reading import CallWished, ConversationId, conversation_page, list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.desk.calls import CallOutcome
from bot.identity.roles import Permission
from bot.outreach.call_times import MOST_ATTEMPTS
from bot.services import call_backs
from bot.services.call_backs import CallMade, Forbidden, NotArranged
from bot.services.operators import OperatorView
from bot.services.reading_rights import readable

UNREADABLE = "unreadable"
"""The reason shown where a time cannot be read."""


def add_routes(router: APIRouter, pages: Pages, on_reply: Callable[[str], None]) -> None:
    """Add the page and the acts; ``on_reply`` is told of the conversation in which a borrower was told.

    Every act ends on the conversation's page. It says why one was refused, with the time as it was typed and, where a
    rule forbids it, times that can be had by one press.
    """
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    caller = ChangeAccess(pages, Permission.REPLY)

    @router.get("/call-backs")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return pages.render(
            "calls.html",
            operator,
            inbox=list_for(pages, request, operator),
            current="",
            calls=call_backs.listing(deps, readable(operator.reader)),
        )

    def refused(request: Request, operator: OperatorView, conversation_id: str, wished: CallWished) -> Response:
        return conversation_page(pages, request, operator, conversation_id, status=409, wished=wished)

    @router.post("/c/{conversation_id}/call-back")
    async def arrange(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(caller)],
        at: Annotated[str, Form(max_length=30)] = "",
    ) -> Response:
        def act() -> CallWished | None:
            try:
                when = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
            except ValueError:
                return CallWished(at, UNREADABLE)
            done = call_backs.arrange_for(deps, operator, conversation_id, when)
            if isinstance(done, Forbidden):
                return CallWished(at, rule=done.rule, times=done.times)
            return CallWished(at, done.value) if isinstance(done, NotArranged) else None

        wished = await run_in_threadpool(act)
        if wished is not None:
            return await run_in_threadpool(refused, request, operator, conversation_id, wished)
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
            return await run_in_threadpool(refused, request, operator, conversation_id, CallWished(refusal=done.value))
        on_reply(conversation_id)
        return RedirectResponse(f"{PREFIX}/c/{conversation_id}", 303)
