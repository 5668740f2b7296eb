"""``GET /metrics``: what this gateway has counted, and what waits at the desk, in Prometheus's text format.

What is read from the database is the same at every gateway: rules over it take the maximum, not the sum.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot import metrics
from bot.bearer import bears, unauthorized
from bot.cases.clock import Alarm
from bot.desk.ownership import QueueReason
from bot.services.deps import Deps
from bot.services.desk_gauges import Backlog, DeskGauges, GaugeReader

PATH = "/metrics"

REASONS = (*QueueReason, metrics.OTHER)


def make_router(deps: Deps, engine_is_ready: Callable[[], Awaitable[bool]]) -> APIRouter:
    """Return the route. To be included only where ``DESK_METRICS_KEY`` is set; 401 for a missing or wrong key."""
    router = APIRouter()
    reader, one_at_a_time = GaugeReader(deps), asyncio.Lock()

    @router.get(PATH)
    async def scrape(request: Request) -> Response:
        if not bears(request, deps.settings.metrics_key.get_secret_value()):
            return unauthorized()
        async with one_at_a_time:  # a database that hangs takes one thread, however often it is asked about
            found = await asyncio.to_thread(reader.read)
        page = generate_latest(_Page(found, engine=await engine_is_ready()))
        return Response(page, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return router


class _Page(Collector):
    """One answer: what the process has counted, then what was found."""

    def __init__(self, found: DeskGauges | None, *, engine: bool) -> None:
        self._found = found
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        yield from metrics.REGISTRY.collect()
        yield _gauge("desk_engine_up", "Whether Rasa has a model loaded.", self._engine)
        yield _gauge("desk_database_up", "Whether the database answers.", self._found is not None)
        if self._found is not None:
            yield from _gauges(self._found)


def _gauges(found: DeskGauges) -> Iterator[Metric]:
    yield from _backlogs(
        "desk_conversations_waiting", "Conversations that wait for a person", "reason", found.waiting, REASONS
    )
    yield from _backlog("desk_messages_unanswered", "Messages that the assistant has to answer", found.unanswered)
    yield from _backlogs(
        "desk_outbox_waiting", "Messages that wait to be delivered", "channel", found.outbox, metrics.CHANNELS
    )
    yield from _backlog("desk_notices_undecided", "Notices that are due and not decided", found.undecided)
    yield from _backlog("desk_borrowers_unplanned", "Borrowers whose notices are to be planned", found.unplanned)
    yield from _backlog("desk_events_waiting", "Events that wait for a system of the lender's", found.events)
    yield _gauge("desk_events_given_up", "Events that no system of the lender's took.", found.events_given_up)
    cases = GaugeMetricFamily("desk_cases_open", "Open cases by how near the day of the answer is.", labels=["alarm"])
    for alarm in Alarm:
        cases.add_metric([alarm], found.cases.get(alarm, 0))
    yield cases
    yield _gauge(
        "desk_scheduler_silence_seconds",
        "Seconds since some scheduler finished a round; infinite when none ever has.",
        _seconds(found.scheduler_silence),
    )
    yield _gauge("desk_scheduler_late", "Whether that is too long ago.", found.scheduler_is_late)
    # Not "job": Prometheus puts that label of its own on everything.
    silent = GaugeMetricFamily(
        "desk_job_silence_seconds",
        "Seconds since a job of the scheduler did its work; infinite: never.",
        labels=["task"],
    )
    late = GaugeMetricFamily("desk_job_late", "Whether that is too long ago.", labels=["task"])
    for job, since in found.jobs.items():
        silent.add_metric([job], _seconds(since.silence))
        late.add_metric([job], since.is_late)
    yield silent
    yield late
    schema = GaugeMetricFamily("desk_schema_info", "The revision of the database's schema.", labels=["revision"])
    schema.add_metric([found.revision or "none"], 1)
    yield schema


def _seconds(silence: timedelta | None) -> float:
    return silence.total_seconds() if silence is not None else math.inf


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _backlog(name: str, meaning: str, backlog: Backlog) -> Iterator[Metric]:
    yield _gauge(name, f"{meaning}.", backlog.count)
    yield _gauge(f"{name}_oldest_seconds", f"{meaning}: seconds the oldest has waited.", backlog.oldest_seconds)


def _backlogs(
    name: str, meaning: str, label: str, backlogs: Mapping[str, Backlog], known: tuple[str, ...]
) -> Iterator[Metric]:
    """Two families with a series for each value that is known; what is on no list is put together as ``other``."""
    counts = GaugeMetricFamily(name, f"{meaning}.", labels=[label])
    waits = GaugeMetricFamily(f"{name}_oldest_seconds", f"{meaning}: seconds the oldest has waited.", labels=[label])
    for value in known:
        these = [backlog for name, backlog in backlogs.items() if metrics.listed(name, known) == value]
        counts.add_metric([value], sum(backlog.count for backlog in these))
        waits.add_metric([value], max((backlog.oldest_seconds for backlog in these), default=0.0))
    yield counts
    yield waits
