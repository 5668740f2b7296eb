"""What the lender's systems are told: how each address stands, what was given up, sending it again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.identity.roles import Permission
from bot.services import webhooks
from bot.services.operators import OperatorView

_MOST_SHOWN = 200


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the page and its act."""
    deps = pages.deps
    reader = Access(pages, Permission.RESEND_EVENTS, Kind.PAGE)
    changer = ChangeAccess(pages, Permission.RESEND_EVENTS)

    @router.get("/events")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return pages.render(
            "events.html",
            operator,
            inbox=list_for(pages, request, operator),
            current="",
            addresses=webhooks.listing(deps),
            letters=webhooks.dead_letters(deps, _MOST_SHOWN),
            most=_MOST_SHOWN,
        )

    @router.post("/events/again")
    def again(
        operator: Annotated[OperatorView, Depends(changer)],
        delivery: Annotated[str, Form(pattern=r"^([0-9a-f]{32})?$")] = "",
    ) -> Response:
        """Send one again, or all without one. What a colleague has sent again meanwhile is on its way already."""
        webhooks.send_again(deps, [delivery] if delivery else None, operator.id)
        return RedirectResponse(f"{PREFIX}/events", 303)
