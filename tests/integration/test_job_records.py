"""Which of the scheduler's jobs have fallen silent, and that the work of the day is done once, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot import scheduler
from bot.outreach.gate import HoldKind
from bot.services import heartbeats, holds, job_records, retention_records
from bot.services.deps import Deps
from bot.services.job_records import DAILY, SHORTEST_SILENCE, TURN, Job, JobSilence
from bot.services.one_by_one import attempted
from bot.services.retention import Retained
from tests.builders.desk import SetClock, a_borrower

YEAR = timedelta(days=366)
NIGHT = datetime(2026, 11, 21, 20, 20, tzinfo=UTC)
"""Twenty past four in Shanghai."""


def silences(deps: Deps) -> dict[Job, JobSilence]:
    with deps.read() as session:
        return dict(job_records.silences(session, deps))


def late(deps: Deps) -> set[Job]:
    return {job for job, found in silences(deps).items() if found.is_late}


@pytest.fixture
def nights(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When retention was run."""
    runs: list[datetime] = []

    def run(given: Deps) -> Retained:
        runs.append(given.now())
        return Retained()

    monkeypatch.setattr(scheduler.retention, "run", run)
    return runs


def test_every_job_that_the_scheduler_does_is_watched_and_every_one_watched_is_done() -> None:
    assert [job for job, _ in (*scheduler.EVERY_ROUND, *scheduler.EVERY_DAY)] == list(Job)
    assert {job for job, _ in scheduler.EVERY_DAY} == DAILY
    works = [work for _, work in (*scheduler.EVERY_ROUND, *scheduler.EVERY_DAY)]
    assert len(set(works)) == len(works)


def test_after_a_round_and_the_work_of_the_day_no_job_is_late(deps: Deps) -> None:
    assert late(deps) == set(Job), "none has ever been done"
    scheduler.tick(deps)
    assert late(deps) == DAILY
    scheduler.retain(deps)
    assert late(deps) == set()


def test_a_job_that_fails_round_after_round_is_late_and_no_other_is(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    scheduler.tick(deps)
    scheduler.retain(deps)
    monkeypatch.setattr(scheduler.case_sweep, "sweep", fail)
    clock.move(SHORTEST_SILENCE)
    scheduler.tick(deps)
    assert late(deps) == set()
    clock.move(timedelta(seconds=5))
    scheduler.tick(deps)
    assert late(deps) == {Job.CASE_SWEEP}
    assert silences(deps)[Job.CASE_SWEEP].silence == SHORTEST_SILENCE + timedelta(seconds=5)
    monkeypatch.undo()
    scheduler.tick(deps)
    assert late(deps) == set()


def test_a_job_that_cannot_handle_one_row_is_late_though_it_handles_the_others(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_fails(_deps: Deps) -> None:
        attempted(lambda: 1 // 0, "call_not_seen_to", call="1")
        attempted(lambda: None, "call_not_seen_to", call="2")

    works = tuple((job, one_fails if job is Job.CALL_SWEEP else work) for job, work in scheduler.EVERY_ROUND)
    monkeypatch.setattr(scheduler, "EVERY_ROUND", works)
    scheduler.retain(deps)
    scheduler.tick(deps)
    assert late(deps) == {Job.CALL_SWEEP}


def test_the_work_of_the_day_is_done_once_a_night_and_made_up_for_when_nobody_was_there(
    deps: Deps, clock: SetClock, nights: list[datetime]
) -> None:
    scheduler.retain(deps)  # a new desk has never done it
    made = [clock.now()]
    for moment in (
        NIGHT - timedelta(minutes=1),
        NIGHT,
        NIGHT + timedelta(minutes=5),
        NIGHT + timedelta(hours=30),  # no scheduler ran at twenty past four
        NIGHT + timedelta(hours=31),
        NIGHT + timedelta(days=2),
    ):
        clock.instant = moment
        scheduler.retain(deps)
    made += [NIGHT, NIGHT + timedelta(hours=30), NIGHT + timedelta(days=2)]
    assert nights == made


def test_of_the_work_of_the_day_only_what_failed_is_tried_again(
    deps: Deps, clock: SetClock, nights: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_deps: Deps) -> int:
        raise OSError

    monkeypatch.setattr(scheduler.api_requests, "forget_old", away)
    with capture_logs() as logged:
        scheduler.retain(deps)
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["lender_retention_failed"]
    assert late(deps) & DAILY == {Job.LENDER_RETENTION}
    monkeypatch.setattr(scheduler.api_requests, "forget_old", lambda _deps: 0)
    scheduler.retain(deps)
    assert late(deps) & DAILY == set()
    assert len(nights) == 1


def test_a_clock_that_was_put_back_leaves_no_night_out(deps: Deps, clock: SetClock, nights: list[datetime]) -> None:
    clock.move(timedelta(days=40))
    scheduler.retain(deps)
    clock.move(timedelta(days=-40))
    scheduler.retain(deps)
    assert len(nights) == 2


def test_while_one_scheduler_does_the_work_of_the_day_another_leaves_it(
    deps: Deps, clock: SetClock, nights: list[datetime]
) -> None:
    assert job_records.take_turn(deps, Job.RETENTION)
    assert not job_records.take_turn(deps, Job.RETENTION)
    scheduler.retain(deps)
    assert nights == []
    clock.move(TURN)  # it was killed
    scheduler.retain(deps)
    assert nights == [clock.now()]
    assert job_records.take_turn(deps, Job.RETENTION), "whoever has ended lets the next one begin"


def test_two_runs_at_once_count_each_row_once(deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    borrower = a_borrower(deps)
    with deps.begin() as session:
        for kind in (HoldKind.PERSON, HoldKind.COMPLAINT, HoldKind.PAUSE):
            holds.place(session, deps.now(), kind, borrower_id=borrower, until=deps.now() + timedelta(days=1))
    clock.move(6 * YEAR)
    found = retention_records._of_nobody_who_owes
    others: list[int] = []

    def meanwhile(session: Session, given: Deps, rows: list[tuple[str, str | None]]) -> list[str]:
        gone = found(session, given, rows)
        monkeypatch.undo()
        others.append(retention_records.holds(given))
        return gone

    monkeypatch.setattr(retention_records, "_of_nobody_who_owes", meanwhile)
    assert retention_records.holds(deps) == 0
    assert others == [3]


def test_several_kinds_of_work_are_recorded_at_once(deps: Deps, clock: SetClock) -> None:
    heartbeats.beat(deps, heartbeats.SCHEDULER, *job_records.names([Job.CASE_SWEEP, Job.AUDIT_SEAL]))
    clock.move(timedelta(seconds=7))
    heartbeats.beat(deps, heartbeats.SCHEDULER, *job_records.names([Job.CASE_SWEEP]))
    found = silences(deps)
    assert (found[Job.CASE_SWEEP].silence, found[Job.AUDIT_SEAL].silence) == (timedelta(0), timedelta(seconds=7))
    assert found[Job.PLAN_SWEEP].silence is None
