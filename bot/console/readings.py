"""Turns that were read badly: the list, suggesting, correcting, and the training data that comes of it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from bot.clock import local
from bot.console import PREFIX
from bot.console.reading import ConversationId, list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.desk.teaching import Teaching
from bot.identity.roles import Permission
from bot.services import nlu_inbox
from bot.services.nlu_inbox import LONGEST_TEXT, NotCorrected, ReadingState, ReadingView
from bot.services.operators import OperatorView
from bot.services.training_data import known_intents

TurnId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_Intent = Annotated[str, Form(max_length=60)]
_Text = Annotated[str, Form(max_length=4 * LONGEST_TEXT)]


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed for a turn and refused; given back with the refusal."""

    turn_id: str
    intent: str
    text: str | None = None


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the pages and the acts. Each act ends on the list it was done from."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    speaker = ChangeAccess(pages, Permission.REPLY)
    teacher = ChangeAccess(pages, Permission.CORRECT_READINGS)

    def list_page(
        request: Request,
        operator: OperatorView,
        state: ReadingState,
        refusal: NotCorrected | None = None,
        draft: Draft | None = None,
        taught: Teaching | None = None,
        status: int = 200,
    ) -> Response:
        return pages.render(
            "readings.html",
            operator,
            status,
            inbox=list_for(pages, request, operator),
            current="",
            state=state,
            rows=nlu_inbox.listing(deps, operator, state),
            counts=nlu_inbox.counts(deps, operator),
            intents=known_intents(deps),
            longest=LONGEST_TEXT,
            refusal=refusal,
            draft=draft,
            taught=taught,
        )

    def answer(
        request: Request,
        operator: OperatorView,
        state: ReadingState,
        done: ReadingView | NotCorrected,
        draft: Draft | None = None,
    ) -> Response:
        if isinstance(done, NotCorrected):
            return list_page(request, operator, state, done, draft, status=409)
        return RedirectResponse(f"{PREFIX}/readings?state={state.value}", 303)

    @router.get("/readings")
    def show_list(
        request: Request,
        operator: Annotated[OperatorView, Depends(reader)],
        state: Annotated[ReadingState, Query()] = ReadingState.OPEN,
    ) -> Response:
        return list_page(request, operator, state)

    @router.post("/readings/{turn_id}/suggest")
    def suggest(
        request: Request,
        turn_id: TurnId,
        operator: Annotated[OperatorView, Depends(speaker)],
        intent: _Intent = "",
        state: Annotated[ReadingState, Form()] = ReadingState.OPEN,
    ) -> Response:
        done = nlu_inbox.suggest(deps, operator, turn_id, intent)
        return answer(request, operator, state, done, Draft(turn_id, intent))

    @router.post("/readings/{turn_id}/correct")
    def correct(
        request: Request,
        turn_id: TurnId,
        operator: Annotated[OperatorView, Depends(teacher)],
        intent: _Intent = "",
        text: _Text = "",
        state: Annotated[ReadingState, Form()] = ReadingState.OPEN,
    ) -> Response:
        done = nlu_inbox.correct(deps, operator, turn_id, intent, text)
        return answer(request, operator, state, done, Draft(turn_id, intent, text))

    @router.post("/readings/{turn_id}/discard")
    def discard(
        request: Request,
        turn_id: TurnId,
        operator: Annotated[OperatorView, Depends(teacher)],
        state: Annotated[ReadingState, Form()] = ReadingState.OPEN,
    ) -> Response:
        return answer(request, operator, state, nlu_inbox.discard(deps, operator, turn_id))

    @router.post("/readings/export")
    def export(request: Request, operator: Annotated[OperatorView, Depends(teacher)]) -> Response:
        taught = nlu_inbox.export(deps, operator)
        if not taught.taken:
            return list_page(request, operator, ReadingState.CORRECTED, taught=taught, status=409)
        name = f"reviewed-{local(deps.now()):%Y%m%d-%H%M%S}.yml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(taught.as_yaml(), media_type="application/yaml", headers=headers)

    @router.post("/c/{conversation_id}/misread")
    def report(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(speaker)],
        seq: Annotated[int, Form(ge=1, le=10_000_000)] = 1,
        intent: _Intent = "",
    ) -> Response:
        done = nlu_inbox.report(deps, operator, conversation_id, seq, intent)
        if isinstance(done, NotCorrected):
            return list_page(request, operator, ReadingState.OPEN, done, status=409)
        return RedirectResponse(f"{PREFIX}/c/{conversation_id}/replay?seq={seq}", 303)
