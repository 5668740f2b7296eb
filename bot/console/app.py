"""Puts the console together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from bot.console import (
    PREFIX,
    acting,
    approvals,
    assets,
    calls,
    cases,
    documents,
    events,
    live,
    nowhere,
    offering,
    operators,
    payments,
    quality,
    reading,
    readings,
    reports,
    searching,
    session,
)
from bot.console.rendering import ConsoleRoute, Pages
from bot.services.deps import Deps

_LARGEST_BODY = 64_000_000
"""Bytes; a form is read before it is known who sends it. Files a little too large are still refused in words."""


def make_router(deps: Deps, on_reply: Callable[[str], None], stopping: Callable[[], bool] = lambda: False) -> APIRouter:
    """Build the console, for ``app.include_router``; every path starts with ``/console``.

    ``on_reply(conversation_id)`` is called on the event loop after anything that the borrower should see or the bot
    should go on with. ``stopping()`` is asked about once a second while a page is open: when it says that the server
    is going down, live streams end, so that a graceful shutdown does not wait for them.
    """
    feed = live.LiveFeed(deps, stopping)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        feed.close()

    router = APIRouter(
        prefix=PREFIX,
        route_class=ConsoleRoute,
        include_in_schema=False,
        lifespan=lifespan,
        max_body_size=_LARGEST_BODY,
    )
    pages = Pages(deps)
    assets.add_routes(router)
    session.add_routes(router, pages)
    reading.add_routes(router, pages)
    acting.add_routes(router, pages, on_reply)
    offering.add_routes(router, pages, on_reply)
    approvals.add_routes(router, pages, on_reply)
    calls.add_routes(router, pages, on_reply)
    documents.add_routes(router, pages)
    payments.add_routes(router, pages)
    cases.add_routes(router, pages)
    searching.add_routes(router, pages)
    readings.add_routes(router, pages)
    quality.add_routes(router, pages)
    reports.add_routes(router, pages)
    operators.add_routes(router, pages)
    events.add_routes(router, pages)
    live.add_routes(router, pages, feed)
    nowhere.add_routes(router, pages)
    return router
