"""The action server: an ASGI application that Rasa calls on loopback, behind a shared secret.

Error bodies carry no data: the executor's own server would echo the whole request.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from structlog.contextvars import bound_contextvars

from actions.base import DeskAction, VerifiedAction
from actions.cases import AfterCase, AskCaseStep, Complain, OpenDispute, TellCases, ValidateCaseForm
from actions.clearance import TellClearance
from actions.contact import Cancel, Clarify, PassOn, RequestHuman
from actions.contact_wishes import SetReminder, StopContact
from actions.data_rights import AnswerDataRequest, CopyData, ExplainDecision
from actions.debt import (
    CheckPayment,
    TellBalance,
    TellBreakdown,
    TellCreditor,
    TellDueDate,
    TellMinimumPayment,
    TellRepaymentChannel,
)
from actions.figures import ExplainFigure, QuotePayoff, TellWaiting
from actions.identity import (
    AfterVerification,
    AskIdentityStep,
    ContinueCase,
    MeetStranger,
    MeetThirdParty,
    StartVerification,
    ValidateVerifyForm,
)
from actions.plainly import SayPlainly
from actions.plan import AfterPlan, AskPlanStep, OpenPlan, TellPlanStatus, ValidatePlanForm
from actions.promise import AfterPromise, AskPromiseStep, NotePromise, ValidatePromiseForm
from actions.replan import MissedInstalment, ModifyPlan
from actions.rights import AnswerRight
from actions.safety import Comfort
from actions.sender import ProveSender
from bot import metrics
from bot.bearer import bears, unauthorized
from bot.logs import RequestIds
from bot.services import documents
from bot.services.deps import Deps
from bot.services.health import readiness
from bot.settings import SettingsError

log = structlog.get_logger()

ACTIONS: tuple[type[DeskAction], ...] = (
    AfterCase,
    AfterPlan,
    AfterPromise,
    AfterVerification,
    AnswerDataRequest,
    AnswerRight,
    AskCaseStep,
    AskIdentityStep,
    ContinueCase,
    AskPlanStep,
    AskPromiseStep,
    Cancel,
    CheckPayment,
    Clarify,
    Comfort,
    Complain,
    CopyData,
    ExplainDecision,
    ExplainFigure,
    MeetStranger,
    MeetThirdParty,
    MissedInstalment,
    ModifyPlan,
    NotePromise,
    OpenDispute,
    OpenPlan,
    PassOn,
    ProveSender,
    QuotePayoff,
    RequestHuman,
    SayPlainly,
    SetReminder,
    StartVerification,
    StopContact,
    TellBalance,
    TellBreakdown,
    TellCases,
    TellClearance,
    TellCreditor,
    TellDueDate,
    TellMinimumPayment,
    TellPlanStatus,
    TellRepaymentChannel,
    TellWaiting,
    ValidateCaseForm,
    ValidatePlanForm,
    ValidatePromiseForm,
    ValidateVerifyForm,
)
"""Every custom action of ``domain.yml``; a test holds the two lists together."""

__all__ = ["ACTIONS", "TROUBLE", "DeskAction", "VerifiedAction", "make_app"]

TROUBLE = "utter_trouble"
"""Said when an action failed. Rasa itself would go on without a word."""


def make_app(deps: Deps) -> FastAPI:
    """Return the application that runs the actions.

    Raises:
        SettingsError: there is no secret to check callers by.
    """
    logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
    executor = ActionExecutor()
    for action in ACTIONS:
        executor.register_action(action(deps))
    secret = deps.settings.actions_secret.get_secret_value().encode()
    if not secret:
        raise SettingsError("DESK_ACTIONS_SECRET: must be set")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(documents.warm_up, deps))
        yield
        await warming

    app = FastAPI(title="borrower desk actions", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready")
    def ready() -> JSONResponse:
        found = readiness(deps)
        return JSONResponse(asdict(found), status_code=200 if found.is_ready else 503)

    app.add_middleware(RequestIds)
    if metrics_key := deps.settings.metrics_key.get_secret_value():
        _add_metrics(app, metrics_key)

    @app.post("/webhook")
    async def webhook(request: Request) -> JSONResponse:
        if not hmac.compare_digest(request.headers.get("x-desk-secret", "").encode(), secret):
            return JSONResponse({"error": "forbidden"}, status_code=403)
        call = await request.json()
        name = str(call.get("next_action"))
        try:
            with bound_contextvars(conversation=str(call.get("sender_id"))):
                result = await executor.run(call)
        except ActionExecutionRejection:
            return JSONResponse({"error": "rejected", "action_name": name}, status_code=400)
        except ActionNotFoundException:
            return JSONResponse({"error": "unknown action", "action_name": name}, status_code=404)
        except Exception as error:  # whatever went wrong, the borrower must hear that it did
            log.error(
                "action_failed",
                action=name,
                conversation=str(call.get("sender_id")),
                kind=type(error).__name__,
                exc_info=error,
            )
            return JSONResponse({"events": [], "responses": [{"response": TROUBLE}]})
        return JSONResponse(result.model_dump() if result else {})

    return app


def _add_metrics(app: FastAPI, key: str) -> None:
    """Add what this process has counted, for whoever has the key; what waits at the desk is told by the gateway."""

    @app.get("/metrics")
    def scrape(request: Request) -> Response:
        if not bears(request, key):
            return unauthorized()
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)
