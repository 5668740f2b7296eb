"""The scheduler: APScheduler only ticks; what is due lies in tables and is claimed there.

Several schedulers may run: each claim is made in its own transaction, and each notice is written once by its key. A
round that finds the one before still at work is left out; rounds missed while the process stood still become one.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime, time, timedelta
from types import FrameType

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from bot.clock import SHANGHAI, local
from bot.services import (
    api_requests,
    approval_news,
    audit_chain,
    call_backs,
    case_sweep,
    crisis_follow_up,
    handoff,
    heartbeats,
    job_records,
    lender_events,
    notice_news,
    notice_planning,
    one_by_one,
    payment_traces,
    promise_judging,
    reminders,
    retention,
    search_index,
    servicing,
    talk_checking,
    webhooks,
)
from bot.services.deps import Deps
from bot.services.job_records import Job

MISFIRE_GRACE_SECONDS = 30
"""A round that could not begin for so long is left out: the next one, due by then, looks at the same tables."""

PLANNED_AT_ONCE = 1_000
"""Borrowers planned again in one round, so that what falls due need not wait for a long one to end."""

RETAINED_AT = time(4, 20)
"""From when on, Asia/Shanghai, the work of the day is due: few people write then."""

DAY_LOOKED_AT_SECONDS = 300
"""How often it is looked whether the work of the day is still to be done: at its time no scheduler may have run."""

log = structlog.get_logger()


def tick(deps: Deps) -> None:
    """Do what has fallen due. A failure is logged and the next tick tries again; the claim has an end."""
    _attempt("heartbeat", _notice_silence, deps)
    done = [job for job, work in EVERY_ROUND if _attempt(job, work, deps)]
    _attempt("heartbeat", lambda deps: heartbeats.beat(deps, heartbeats.SCHEDULER, *job_records.names(done)), deps)


def retain(deps: Deps) -> None:
    """Do the work of the day that has not been done since it fell due: delete what has been kept long enough.

    Of several schedulers one does it. What failed is tried again the next time that is looked.
    """
    _attempt("day", _do_work_of_the_day, deps)


def _do_work_of_the_day(deps: Deps) -> None:
    since = due_since(deps.now())
    if not job_records.due(deps, since) or not job_records.take_turn(deps, Job.RETENTION):
        return
    try:
        due = job_records.due(deps, since)
        if done := [job for job, work in EVERY_DAY if job in due and _attempt(job, work, deps)]:
            heartbeats.beat(deps, *job_records.names(done))
    finally:
        job_records.end_turn(deps, Job.RETENTION)


def due_since(now: datetime) -> datetime:
    """Return when the work of the day fell due the last time before an instant (both aware)."""
    today = datetime.combine(local(now).date(), RETAINED_AT, SHANGHAI)
    return today if today <= now else today - timedelta(days=1)


def _attempt(name: str, work: Callable[[Deps], object], deps: Deps) -> bool:
    """Do one kind of work; what fails in it must not keep the others from being done.

    False if it failed, be it with one row only: whoever looks at when a job last did its work should see that.
    """
    try:
        with one_by_one.failures() as failed:
            work(deps)
    except Exception as error:
        log.error(f"{name}_failed", kind=type(error).__name__, exc_info=error)
        return False
    finally:
        _beat_here(deps)
    return not failed


def _beat_here(deps: Deps) -> None:
    """Say to probes that this process goes on, whatever became of the work: one that hangs does not get here."""
    try:
        heartbeats.beat_here(deps)
    except OSError as error:
        log.warning("beat_not_written", kind=type(error).__name__)


def _notice_silence(deps: Deps) -> None:
    """Say in the log that rounds have been missed, by any scheduler: the machine slept, or none was running."""
    health = heartbeats.scheduler_health(deps)
    if health.is_late and health.last_beat_at is not None:
        log.warning("scheduler_late", silent_seconds=int((deps.now() - health.last_beat_at).total_seconds()))


def _plan(deps: Deps) -> None:
    done = notice_planning.sweep(deps, PLANNED_AT_ONCE)
    if done.planned or done.superseded:
        log.info("notices_planned", borrowers=done.borrowers, planned=done.planned, superseded=done.superseded)


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


def _tell_calls(deps: Deps) -> None:
    if count := call_backs.sweep(deps):
        log.info("calls_swept", count=count)


def _watch_cases(deps: Deps) -> None:
    swept = case_sweep.sweep(deps)
    if swept.alarmed or swept.lapsed:
        log.info("cases_swept", alarmed=swept.alarmed, lapsed=swept.lapsed)


def _tell_lender(deps: Deps) -> None:
    events, deliveries = lender_events.sweep(deps), webhooks.prepare(deps)
    if events or deliveries:
        log.info("lender_events_written", events=events, deliveries=deliveries)


def _index(deps: Deps) -> None:
    if count := search_index.index_new(deps):
        log.info("messages_indexed", count=count)


def _check_talks(deps: Deps) -> None:
    if flaws := talk_checking.sweep(deps):
        log.info("talks_checked", flaws=flaws)


def _look_after(deps: Deps) -> None:
    if alarmed := crisis_follow_up.sweep(deps):
        log.info("distress_swept", alarmed=alarmed)


def _retain(deps: Deps) -> None:
    log.info("retention_run", **retention.run(deps).counts())


def _retain_for_lender(deps: Deps) -> None:
    events, requests = lender_events.forget_old(deps), api_requests.forget_old(deps)
    log.info("lender_retention_run", events=events, requests=requests)


def _anchor(deps: Deps) -> None:
    """Link what is still without; put the end of the chain where writers of the database do not reach: in the log."""
    audit_chain.seal(deps, everywhere=True)
    end = audit_chain.end(deps)
    log.info("audit_anchor", anchor=end.to_text())


def _sweep(deps: Deps) -> None:
    swept = reminders.sweep(deps)
    if swept != reminders.Swept():
        log.info(
            "reminders_swept",
            sent=swept.sent,
            deferred=swept.deferred,
            refused=swept.refused,
            superseded=swept.superseded,
            failed=swept.failed,
        )


EVERY_ROUND: tuple[tuple[Job, Callable[[Deps], object]], ...] = (
    (Job.REQUEUE_ABANDONED, _requeue),
    (Job.PLAN_SWEEP, _service),
    (Job.PROMISE_SWEEP, _judge_promises),
    (Job.APPROVAL_NEWS, _tell_outcomes),
    (Job.CALL_SWEEP, _tell_calls),
    (Job.CASE_SWEEP, _watch_cases),
    (Job.DISTRESS_SWEEP, _look_after),
    (Job.NOTICE_NEWS, notice_news.take_in),
    (Job.NOTICE_PLANNING, _plan),
    (Job.REMINDER_SWEEP, _sweep),
    (Job.LENDER_EVENTS, _tell_lender),
    (Job.AUDIT_SEAL, audit_chain.seal),
    (Job.SEARCH_INDEX, _index),
    (Job.TALK_CHECKS, _check_talks),
)
"""What a round does, in this order: what is heard of comes before what is planned, and that before what is sent."""

EVERY_DAY: tuple[tuple[Job, Callable[[Deps], object]], ...] = (
    (Job.RETENTION, _retain),
    (Job.LENDER_RETENTION, _retain_for_lender),
    (Job.AUDIT_ANCHOR, _anchor),
)


def schedule(scheduler: BaseScheduler, deps: Deps) -> None:
    """Have a scheduler tick: one round at a time, so far apart as the settings say."""
    scheduler.add_job(
        tick,
        "interval",
        args=[deps],
        seconds=deps.settings.scheduler_tick_seconds,
        id="tick",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=MISFIRE_GRACE_SECONDS,
    )
    scheduler.add_job(
        retain,
        "interval",
        args=[deps],
        seconds=DAY_LOOKED_AT_SECONDS,
        id="retention",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=MISFIRE_GRACE_SECONDS,
    )
    scheduler.add_listener(_say_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)


def _say_missed(event: JobExecutionEvent | JobSubmissionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.warning("scheduler_late", job=event.job_id)
    else:
        log.info("scheduler_busy", job=event.job_id)


def run(deps: Deps) -> None:
    """Tick until told to stop."""
    scheduler = BlockingScheduler(timezone=SHANGHAI)
    schedule(scheduler, deps)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _beat_here(deps)
    log.info("scheduler_started", tick_seconds=deps.settings.scheduler_tick_seconds)
    scheduler.start()
