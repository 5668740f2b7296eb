"""What operators do to a conversation: take it (from a colleague too), reply, give it back, place and lift holds.

And the check of what they are typing, before it is sent.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.care.vulnerability import Vulnerability
from bot.console import PREFIX
from bot.console.reading import ConversationId, conversation_page
from bot.console.rendering import Pages
from bot.console.session import ChangeAccess
from bot.identity.roles import Permission
from bot.outreach.gate import HoldKind
from bot.services import assignment, care, handoff
from bot.services.care import LONGEST_REASON, CareDone
from bot.services.handoff import Done, Refusal, Unfitting
from bot.services.operators import OperatorView
from bot.services.reveal import Revealed, RevealReason, reveal

HoldId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def add_routes(router: APIRouter, pages: Pages, on_reply: Callable[[str], None]) -> None:
    """Add the actions. Each ends on the conversation's page, which says so when it was refused."""
    deps = pages.deps
    taker = ChangeAccess(pages, Permission.TAKE_CONVERSATIONS)
    speaker = ChangeAccess(pages, Permission.REPLY)
    assigner = ChangeAccess(pages, Permission.ASSIGN_CONVERSATIONS)
    revealer = ChangeAccess(pages, Permission.REVEAL_DETAILS)
    lifter = ChangeAccess(pages, Permission.LIFT_HOLDS)

    async def answer(
        request: Request,
        operator: OperatorView,
        conversation_id: str,
        outcome: Done | Refusal | Unfitting,
        draft: str = "",
    ) -> Response:
        if not isinstance(outcome, Done):
            refusal = "unfitting" if isinstance(outcome, Unfitting) else outcome.value
            findings = outcome.findings if isinstance(outcome, Unfitting) else ()
            return await run_in_threadpool(
                conversation_page, pages, request, operator, conversation_id, refusal, draft, 409, findings
            )
        on_reply(conversation_id)
        return _back_to(conversation_id)

    @router.post("/c/{conversation_id}/take")
    async def take(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(taker)],
        over: Annotated[Literal["", "yes"], Form()] = "",
    ) -> Response:
        taking = partial(handoff.take, deps, conversation_id, operator.id, over=over == "yes")
        outcome = await run_in_threadpool(taking)
        return await answer(request, operator, conversation_id, outcome)

    @router.post("/c/{conversation_id}/reply")
    async def reply(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(speaker)],
        key: Annotated[UUID, Form()],
        text: Annotated[str, Form()] = "",
    ) -> Response:
        text = text.replace("\r\n", "\n")
        outcome = await run_in_threadpool(handoff.reply, deps, conversation_id, operator.id, text, str(key))
        return await answer(request, operator, conversation_id, outcome, draft=text)

    @router.post("/tone")
    def check_tone(operator: Annotated[OperatorView, Depends(speaker)], text: Annotated[str, Form()] = "") -> Response:
        typed = text[: deps.settings.message_max_characters]
        return pages.render("_findings.html", operator, findings=handoff.unfitting(deps, typed))

    @router.post("/c/{conversation_id}/give-back")
    async def give_back(
        request: Request, conversation_id: ConversationId, operator: Annotated[OperatorView, Depends(taker)]
    ) -> Response:
        outcome = await run_in_threadpool(handoff.give_back, deps, conversation_id, operator.id)
        return await answer(request, operator, conversation_id, outcome)

    @router.post("/c/{conversation_id}/assign")
    async def assign(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(assigner)],
        to: Annotated[str, Form(pattern=r"^(person:[0-9a-f]{32}|team:[^\x00]{0,40})$")],
    ) -> Response:
        kind, _, name = to.partition(":")
        if kind == "person":
            outcome = await run_in_threadpool(assignment.assign_to_person, deps, operator, conversation_id, name)
        else:
            outcome = await run_in_threadpool(assignment.assign_to_team, deps, operator, conversation_id, name or None)
        return await answer(request, operator, conversation_id, outcome)

    @router.post("/c/{conversation_id}/holds/{hold_id}/lift")
    def lift_hold(
        request: Request,
        conversation_id: ConversationId,
        hold_id: HoldId,
        operator: Annotated[OperatorView, Depends(lifter)],
    ) -> Response:
        if handoff.lift_hold(deps, hold_id, operator.id):
            return _back_to(conversation_id)
        return conversation_page(pages, request, operator, conversation_id, "hold_gone", status=409)

    @router.post("/c/{conversation_id}/holds")
    def place_hold(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(speaker)],
        kind: Annotated[HoldKind, Form()],
        reason: Annotated[str, Form(max_length=4 * LONGEST_REASON)] = "",
        last_day: Annotated[Literal[""] | date, Form()] = "",
    ) -> Response:
        done = care.place(deps, operator, conversation_id, kind, reason, last_day or None)
        if isinstance(done, CareDone):
            return _back_to(conversation_id)
        return conversation_page(pages, request, operator, conversation_id, done.value, status=409, reason=reason)

    @router.post("/c/{conversation_id}/reveal")
    def show_details(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(revealer)],
        reason: Annotated[RevealReason, Form()],
    ) -> Response:
        shown = reveal(deps, operator, conversation_id, reason)
        if isinstance(shown, Revealed):
            return conversation_page(pages, request, operator, conversation_id, revealed=shown)
        return conversation_page(pages, request, operator, conversation_id, shown.value, status=409)

    @router.post("/c/{conversation_id}/care")
    def name_vulnerability(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(speaker)],
        kind: Annotated[Vulnerability, Form()],
    ) -> Response:
        done = care.name(deps, operator, conversation_id, kind)
        if isinstance(done, CareDone):
            return _back_to(conversation_id)
        return conversation_page(pages, request, operator, conversation_id, done.value, status=409)


def _back_to(conversation_id: str) -> Response:
    # The fragment tells the page's script that what was typed has arrived and the draft may go.
    return RedirectResponse(f"{PREFIX}/c/{conversation_id}#done", 303)
