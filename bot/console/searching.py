"""Looking through transcripts: the search with its filters, a conversation replayed step by step, and the export.

What is looked for may be a name. It is sent in a form and stands in addresses sealed, so that no proxy's log and no
browser's history has it.
"""

from dataclasses import asdict, fields, replace
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode

from cryptography.exceptions import InvalidTag
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from bot.console import PREFIX
from bot.console.reading import ConversationId, list_for
from bot.console.rendering import Pages
from bot.console.session import STORABLE, Access, ChangeAccess, Kind
from bot.desk.fulltext import LONGEST_QUERY
from bot.identity.roles import Permission
from bot.services import search, talk_paper, transcript_export
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.replay import replay
from bot.services.search import SearchPage, TalkOutcome, Wanted
from bot.services.training_data import known_intents
from bot.services.transcript_export import FileKind, NotExported

_SEALED_FOR = "search_words"
_LONGEST_SEALED = 1_000
_FILTERS = tuple(field.name for field in fields(Wanted) if field.name != "words")

# An empty field of a form is no choice.
_OrNone = BeforeValidator(lambda given: given or None)
_Day = Annotated[date | None, _OrNone]
_Outcome = Annotated[TalkOutcome | None, _OrNone]
_Yes = Literal["", "yes"]
_Author = Literal["", "borrower", "bot", "operator", "notice"]


def _filters(
    since: Annotated[_Day, Query()] = None,
    until: Annotated[_Day, Query()] = None,
    channel: Annotated[str, Query(max_length=20, pattern=STORABLE)] = "",
    author: Annotated[_Author, Query()] = "",
    intent: Annotated[str, Query(max_length=60, pattern=STORABLE)] = "",
    low_confidence: Annotated[_Yes, Query()] = "",
    fallback: Annotated[_Yes, Query()] = "",
    outcome: Annotated[_Outcome, Query()] = None,
    product: Annotated[str, Query(max_length=30, pattern=STORABLE)] = "",
    complaint: Annotated[_Yes, Query()] = "",
    distress: Annotated[_Yes, Query()] = "",
) -> Wanted:
    return Wanted(
        since=since,
        until=until,
        channel=channel,
        author=author,
        intent=intent,
        low_confidence=low_confidence == "yes",
        fallback=fallback == "yes",
        outcome=outcome,
        product=product,
        complaint=complaint == "yes",
        distress=distress == "yes",
    )


def address_of(deps: Deps, wanted: Wanted) -> str:
    """Write down what is looked for as the query of an address; the words are sealed in it."""
    given = {name: "yes" if value is True else value for name, value in asdict(wanted).items() if value}
    words = given.pop("words", None)
    return urlencode(given if words is None else {"asked": deps.vault.seal(_SEALED_FOR, str(words)), **given})


def _opened(deps: Deps, asked: str) -> str:
    """Return the words of an address; none for one that the desk did not make."""
    try:
        return deps.vault.unseal(_SEALED_FOR, asked) if asked else ""
    except InvalidTag:
        return ""


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the search, the replay and the export."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    asker = ChangeAccess(pages, Permission.READ_CONVERSATIONS)
    carrier = Access(pages, Permission.EXPORT_TRANSCRIPTS, Kind.PAGE)
    exporter = ChangeAccess(pages, Permission.EXPORT_TRANSCRIPTS)

    def in_address(
        filters: Annotated[Wanted, Depends(_filters)],
        asked: Annotated[str, Query(max_length=_LONGEST_SEALED)] = "",
    ) -> Wanted:
        return replace(filters, words=_opened(deps, asked))

    def search_page(
        request: Request,
        operator: OperatorView,
        wanted: Wanted,
        found: SearchPage | None,
        refusal: NotExported | None = None,
        status: int = 200,
    ) -> Response:
        return pages.render(
            "search.html",
            operator,
            status,
            inbox=list_for(pages, request, operator),
            current="",
            wanted=wanted,
            found=found,
            address=address_of(deps, wanted),
            intents=(search.FALLBACK_INTENT, *known_intents(deps)),
            products=search.products(deps),
            outcomes=tuple(TalkOutcome),
            authors=tuple(Author),
            longest=LONGEST_QUERY,
            refusal=refusal,
            most=transcript_export.MOST_ROWS,
        )

    @router.get("/search")
    def show_search(
        request: Request,
        operator: Annotated[OperatorView, Depends(reader)],
        wanted: Annotated[Wanted, Depends(in_address)],
        cursor: Annotated[str, Query(max_length=100)] = "",
    ) -> Response:
        # Opening the page looks for nothing yet, and puts nothing on record.
        found = search.search(deps, operator, wanted, cursor) if wanted != Wanted() else None
        return search_page(request, operator, wanted, found)

    @router.post("/search")
    async def ask(
        request: Request,
        operator: Annotated[OperatorView, Depends(asker)],
        words: Annotated[str, Form(max_length=LONGEST_QUERY)] = "",
    ) -> Response:
        """Lead to the address of what the form asks for, where the filters are judged."""
        form = await request.form()
        chosen = {name: form.get(name) for name in _FILTERS}
        filters = urlencode({name: value for name, value in chosen.items() if isinstance(value, str) and value})
        query = "&".join(part for part in (address_of(deps, Wanted(words=words.strip())), filters) if part)
        return RedirectResponse(f"{PREFIX}/search?{query}" if query else f"{PREFIX}/search", 303)

    @router.post("/search/export")
    def export(
        request: Request,
        operator: Annotated[OperatorView, Depends(exporter)],
        wanted: Annotated[Wanted, Depends(in_address)],
        kind: Annotated[FileKind, Form()] = FileKind.CSV,
    ) -> Response:
        made = transcript_export.export(deps, operator, wanted, kind)
        if isinstance(made, NotExported):
            return search_page(request, operator, wanted, None, made, 409)
        disposition = f'attachment; filename="{made.name}"'
        return Response(made.content, media_type=made.media_type, headers={"Content-Disposition": disposition})

    @router.get("/c/{conversation_id}/transcript.pdf")
    def as_paper(conversation_id: ConversationId, operator: Annotated[OperatorView, Depends(carrier)]) -> Response:
        made = talk_paper.as_pdf(deps, operator, conversation_id)
        if made is None:
            return pages.render("refused.html", operator, 404, reason="unknown")
        disposition = f'attachment; filename="{made.name}"'
        return Response(made.content, media_type=made.media_type, headers={"Content-Disposition": disposition})

    @router.get("/c/{conversation_id}/replay")
    def show_replay(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(reader)],
        step: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        seq: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> Response:
        found = replay(deps, operator, conversation_id)
        if found is None or not found.steps:
            return pages.render("refused.html", operator, 404, reason="unknown")
        number = found.step_of(seq) if seq else min(step or 1, len(found.steps))
        return pages.render(
            "replay.html",
            operator,
            200,
            inbox=list_for(pages, request, operator),
            current="",
            row=found.row,
            replay=found,
            number=number,
            seq=seq,
            intents=known_intents(deps),
        )
