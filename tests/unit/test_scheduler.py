"""How the scheduler ticks: one round at a time, missed rounds become one, in Shanghai's zone, and silence is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from bot import scheduler
from bot.clock import SHANGHAI
from bot.services import heartbeats
from bot.services.deps import Deps
from tests.builders.desk import NOON, SetClock, a_desk


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock) -> Iterator[Deps]:
    made = a_desk(tmp_path, clock)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def ticking(deps: Deps) -> Iterator[BackgroundScheduler]:
    made = BackgroundScheduler(timezone=SHANGHAI)
    scheduler.schedule(made, deps)
    made.start(paused=True)
    yield made
    made.shutdown(wait=False)


def events(given: list[dict[str, object]]) -> list[object]:
    return [entry["event"] for entry in given]


def test_one_round_runs_at_a_time_and_missed_ones_become_one(ticking: BackgroundScheduler, deps: Deps) -> None:
    job = ticking.get_job("tick")
    assert (job.coalesce, job.max_instances) == (True, 1)
    assert job.misfire_grace_time == scheduler.MISFIRE_GRACE_SECONDS
    assert job.trigger.interval == timedelta(seconds=deps.settings.scheduler_tick_seconds)
    assert job.trigger.timezone == SHANGHAI


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (JobExecutionEvent(EVENT_JOB_MISSED, "tick", "default", NOON), "scheduler_late"),
        (JobSubmissionEvent(EVENT_JOB_MAX_INSTANCES, "tick", "default", [NOON]), "scheduler_busy"),
    ],
)
def test_a_round_left_out_is_said_in_the_log(
    ticking: BackgroundScheduler, event: JobExecutionEvent | JobSubmissionEvent, said: str
) -> None:
    with capture_logs() as logged:
        ticking._dispatch_event(event)
    assert events(logged) == [said]


def test_a_round_after_a_long_silence_says_so_once(deps: Deps, clock: SetClock) -> None:
    with capture_logs() as first:
        scheduler.tick(deps)
    clock.move(heartbeats.longest_silence(deps) + timedelta(seconds=5))
    with capture_logs() as late:
        scheduler.tick(deps)
    with capture_logs() as after:
        scheduler.tick(deps)
    assert [events(logged).count("scheduler_late") for logged in (first, late, after)] == [0, 1, 0]


def test_work_that_fails_keeps_no_other_work_from_being_done(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_deps: Deps, _limit: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(scheduler.notice_planning, "sweep", fail)
    with capture_logs() as logged:
        scheduler.tick(deps)
    assert "notice_planning_failed" in events(logged)
    assert not heartbeats.scheduler_health(deps).is_late
