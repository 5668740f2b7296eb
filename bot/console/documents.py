"""The documents of borrowers, as operators may open them: each time is put on record."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from bot.console.rendering import Pages
from bot.console.session import Access, Kind
from bot.identity.roles import Permission
from bot.services import document_store
from bot.services.operators import OperatorView

DocumentId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the route of a document."""
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)

    @router.get("/documents/{document_id}")
    def document(document_id: DocumentId, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        file = document_store.fetch_as_operator(pages.deps, document_id, operator.reader)
        if file is None:
            return pages.render("refused.html", operator, 404, reason="unknown")
        return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": file.disposition})
