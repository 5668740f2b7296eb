"""The gateway: one ASGI application for the borrowers' channels and the operators' console.

Every message in either direction passes through it and is stored before anything else happens to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from bot.channels import (
    lender_api,
    metrics_api,
    payments_api,
    sender_page,
    stop_page,
    telegram_link,
    vouching_api,
    web,
    web_evidence,
)
from bot.channels.code_delivery import CodeDelivery
from bot.channels.delivery import PushChannel
from bot.channels.email_outbound import email_channel
from bot.channels.rasa_client import RasaClient
from bot.channels.sms import sms_channel
from bot.channels.telegram import TelegramChannel
from bot.channels.turns import TurnRunner
from bot.channels.web_live import LiveConversations
from bot.channels.webhook_sender import WebhookSender
from bot.console.app import make_router as make_console_router
from bot.logs import RequestIds
from bot.services import health as health_service
from bot.services import rule_archive
from bot.services.deps import Deps
from bot.settings import ROOT

log = structlog.get_logger()

DIST = ROOT / "widget" / "dist"


def make_app(deps: Deps, stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    """Put the application together. Nothing runs before its lifespan starts.

    ``stopping`` tells that the server is about to end, so that open event streams let go of it.
    """
    settings = deps.settings
    rasa = RasaClient(settings.rasa_url, settings.rasa_secret.get_secret_value(), settings.rasa_timeout_seconds)
    live = LiveConversations(deps)

    def changed(conversation_id: str) -> None:
        live.changed(conversation_id)
        if telegram is not None:
            telegram.nudge()
        codes.nudge()  # after every answer: that there was a code to send must not be seen from outside

    def typing(conversation_id: str, on: bool) -> None:
        live.typing(conversation_id, on)
        if telegram is not None:
            telegram.typing(conversation_id, on)

    turns = TurnRunner(deps, rasa, on_typing=typing, on_change=changed)
    telegram = TelegramChannel(deps, turns.wake) if settings.telegram_bot_token.get_secret_value() else None
    codes = CodeDelivery(deps)
    pushing: list[CodeDelivery | PushChannel] = [codes, *_one_way_channels(deps)]
    events = WebhookSender(deps)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(_keep_rules, deps)
        live.start()
        turns.start()
        events.start()
        if telegram is not None:
            await telegram.start()
        for channel in pushing:
            await channel.start()
        yield
        await events.stop()
        for channel in pushing:
            await channel.stop()
        if telegram is not None:
            await telegram.stop()
        await turns.stop()
        await live.stop()
        await rasa.close()

    app = FastAPI(title="borrower desk", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.include_router(web.make_router(deps, live, turns.wake, DIST))
    app.include_router(web_evidence.make_router(deps, live.changed))
    app.include_router(make_console_router(deps, changed, stopping))
    app.include_router(stop_page.make_router(deps))
    app.include_router(sender_page.make_router(deps, telegram))
    if telegram is not None:
        app.include_router(telegram_link.make_router(deps, telegram))
        if (updates := telegram.router()) is not None:
            app.include_router(updates)
    _add_routes_for_systems(app, deps, rasa)
    app.mount("/static", StaticFiles(directory=DIST), name="static")

    _add_probes(app, deps, rasa)
    app.add_middleware(RequestIds)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, __: RequestValidationError) -> JSONResponse:
        # No page of ours asks like that. What was sent is not repeated: it may be a secret, markup, or beyond JSON.
        return JSONResponse({"error": "unreadable"}, status_code=422)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"error": "internal"}, status_code=500)

    return app


def _add_routes_for_systems(app: FastAPI, deps: Deps, rasa: RasaClient) -> None:
    """Add what the lender's other systems call, each where its key is set."""
    settings = deps.settings
    app.include_router(lender_api.make_router(deps))
    if settings.vouch_key.get_secret_value():
        app.include_router(vouching_api.make_router(deps))
    if settings.payments_key.get_secret_value():
        app.include_router(payments_api.make_router(deps))
    if settings.metrics_key.get_secret_value():
        app.include_router(metrics_api.make_router(deps, rasa.is_ready))


def _keep_rules(deps: Deps) -> None:
    """Keep the rules that turns are decided by from now on; that this was not possible keeps nobody waiting."""
    try:
        rule_archive.keep(deps)
    except SQLAlchemyError as error:
        log.error("rules_not_kept", kind=type(error).__name__)


def _add_probes(app: FastAPI, deps: Deps, rasa: RasaClient) -> None:
    """Add what load balancers and supervisors ask: alive, ready for visitors, able to answer a first turn."""

    @app.get("/health")
    async def health() -> dict[str, bool | str]:
        return {"status": "ok", "engine": await rasa.is_ready()}

    @app.get("/health/live")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready")
    def ready() -> JSONResponse:
        found = health_service.readiness(deps)
        return JSONResponse(asdict(found), status_code=200 if found.is_ready else 503)

    @app.get("/health/started")
    async def started() -> JSONResponse:
        found = await asyncio.to_thread(health_service.readiness, deps)
        engine = await rasa.is_ready()
        return JSONResponse({**asdict(found), "engine": engine}, status_code=200 if found.is_ready and engine else 503)


def _one_way_channels(deps: Deps) -> list[PushChannel]:
    """The channels for notices that are set up: e-mail, text messages."""
    channels = []
    if deps.settings.smtp_host:
        channels.append(email_channel(deps))
    if deps.settings.sms_webhook_url:
        channels.append(sms_channel(deps))
    return channels
