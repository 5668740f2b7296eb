"""Addresses below the console's that are none of its pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.rendering import Pages
from bot.console.session import Access, Kind
from bot.services.operators import OperatorView


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Answer whatever is left with a page. The last to be added: it would hide every route after it."""
    reader = Access(pages, None, Kind.PAGE)

    @router.get("/{address:path}")
    def nowhere(address: str, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        if address.endswith("/"):
            return RedirectResponse(f"{PREFIX}/{address.rstrip('/')}", 307)
        return pages.render("refused.html", operator, 404, reason="no_page")
