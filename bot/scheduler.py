"""The scheduler: APScheduler only ticks; what is due lies in tables and is claimed there.

Several schedulers may run: each claim is made in its own transaction, and each notice is written once by its key.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler

from bot.clock import SHANGHAI
from bot.services import approval_news, handoff, payment_traces, promise_judging, reminders, servicing
from bot.services.deps import Deps

log = structlog.get_logger()


def tick(deps: Deps) -> None:
    """Do what has fallen due. A failure is logged and the next tick tries again; the claim has an end."""
    _attempt("requeue_abandoned", _requeue, deps)
    _attempt("plan_sweep", _service, deps)
    _attempt("promise_sweep", _judge_promises, deps)
    _attempt("approval_news", _tell_outcomes, deps)
    _attempt("reminder_sweep", _sweep, deps)


def _attempt(name: str, work: Callable[[Deps], None], deps: Deps) -> None:
    """Do one kind of work; what fails in it must not keep the others from being done."""
    try:
        work(deps)
    except Exception as error:
        log.error(f"{name}_failed", kind=type(error).__name__, exc_info=error)


def _requeue(deps: Deps) -> None:
    if count := handoff.requeue_abandoned(deps):
        log.info("conversations_requeued", count=count)


def _service(deps: Deps) -> None:
    swept = servicing.sweep(deps)
    traces = payment_traces.ask_persons(deps)
    if swept.looked_at or traces:
        log.info(
            "plans_swept",
            looked_at=swept.looked_at,
            persons_asked=swept.persons_asked,
            ended=swept.ended,
            traces_passed_on=traces,
        )


def _judge_promises(deps: Deps) -> None:
    judged = promise_judging.sweep(deps)
    if any((judged.kept, judged.partly_kept, judged.broken)):
        log.info("promises_judged", kept=judged.kept, partly_kept=judged.partly_kept, broken=judged.broken)


def _tell_outcomes(deps: Deps) -> None:
    told = approval_news.sweep(deps)
    if told.expired or told.written:
        log.info("approvals_swept", expired=told.expired, written=told.written)


def _sweep(deps: Deps) -> None:
    swept = reminders.sweep(deps)
    if any((swept.sent, swept.deferred, swept.refused, swept.superseded)):
        log.info(
            "reminders_swept",
            sent=swept.sent,
            deferred=swept.deferred,
            refused=swept.refused,
            superseded=swept.superseded,
        )


def run(deps: Deps) -> None:
    """Tick until told to stop."""
    scheduler = BlockingScheduler(timezone=SHANGHAI)
    scheduler.add_job(
        tick,
        "interval",
        args=[deps],
        seconds=deps.settings.scheduler_tick_seconds,
        id="tick",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("scheduler_started", tick_seconds=deps.settings.scheduler_tick_seconds)
    scheduler.start()
