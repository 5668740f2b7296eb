"""Planning and claiming notices in bulk on PostgreSQL.

Usage: python bench/reminders.py [--accounts 1000000] [--first 0] [--planners 1] [--notices 4000] [--workers 1 2 4]

Starts a PostgreSQL server of its own that waits for the disk as in service, fills it with accounts, and measures in
one run: planning everybody's notices for the first time (or those of ``--first`` borrowers), how many of them each
night after that looks at, planning them again as after a change, claiming what fell due, and deciding it to the end,
each with several worker processes. Prints tables with ratios against one worker, the resident memory of the planning
process, and the server's plans of the two queries that select the work.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import structlog
from sqlalchemy import Engine, event, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.reminders_accounts import fill
from bot.clock import business_date
from bot.services import notice_planning, reminders
from bot.services.deps import Deps
from bot.store.migrate import upgrade
from tests.builders.desk import SetClock, a_desk
from tests.running.postgres import running_postgres

NIGHT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
"""Half past two in Shanghai on a Tuesday, when whoever has come to a day is planned again."""

MORNING = NIGHT + timedelta(days=2, hours=8)
"""Half past ten, two days later: notices are due."""

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker process does: ``work`` names it, ``most`` is when it has done its share."""

    work: str
    url: str
    at: datetime
    most: int


@dataclass(frozen=True, slots=True)
class Done:
    """How much a worker did in how long, and its resident memory over time in MiB."""

    count: int
    seconds: float
    memory: tuple[float, ...]


def work(job: Job) -> Done:
    """Do one worker's share in a process of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    deps = _desk(job.url, job.at)
    step = {"plan": _plan, "claim": _claim, "decide": _decide}[job.work]
    began, count, memory = time.monotonic(), 0, []
    while count < job.most and (done := step(deps, job.most - count)):
        count += done
        memory.append(_resident_mib())
    seconds = time.monotonic() - began
    deps.database.engine.dispose()
    return Done(count, seconds, tuple(memory))


def _plan(deps: Deps, most: int) -> int:
    return notice_planning.sweep(deps, min(most, PAGE)).borrowers


def _claim(deps: Deps, most: int) -> int:
    return len(reminders._claim(deps, min(most, reminders.BATCH)))


def _decide(deps: Deps, most: int) -> int:
    swept = reminders.sweep(deps, min(most, reminders.BATCH))
    return swept.sent + swept.deferred + swept.refused + swept.superseded


def _desk(url: str, at: datetime) -> Deps:
    return a_desk(Path(tempfile.mkdtemp(prefix="desk-bench-")), SetClock(at), database_url=url)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def side_by_side(kind: str, url: str, at: datetime, workers: int, most: int) -> tuple[int, float, list[Done]]:
    """Let so many workers share the work; returns what was done, in how long from the first to the last."""
    share = -(-most // workers)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(work, [Job(kind, url, at, share)] * workers))
    return sum(each.count for each in done), max(each.seconds for each in done), done


def table(
    title: str, kind: str, url: str, at: datetime, most: int, workers: list[int], reset: Callable[[], None]
) -> None:
    """Measure one kind of work with each number of workers and print a row for each."""
    print(f"\n{title}\n{'workers':>8}{'done':>10}{'seconds':>10}{'a second':>11}{'ratio':>8}")
    first = 0.0
    for number in workers:
        reset()
        count, seconds, _ = side_by_side(kind, url, at, number, most)
        rate = count / seconds if seconds else 0.0
        first = first or rate
        print(f"{number:>8}{count:>10,}{seconds:>10.1f}{rate:>11,.0f}{rate / first if first else 0:>8.2f}", flush=True)


def nights(engine: Engine) -> None:
    """Print how many of those who have something ahead are to be looked at in each of the next nights."""
    ahead = text(
        "SELECT CAST(notices_due_at AT TIME ZONE 'Asia/Shanghai' AS date) "
        "- CAST(:now AT TIME ZONE 'Asia/Shanghai' AS date) AS night, count(*) "
        "FROM borrower WHERE notices_due_at > :now GROUP BY night ORDER BY night"
    )
    with engine.connect() as connection:
        looks = [(int(night), int(count)) for night, count in connection.execute(ahead, {"now": NIGHT})]
    everybody = sum(count for _, count in looks)
    print(f"\nof {everybody:,} with something ahead the next nights look at")
    print(", ".join(f"{night}: {count:,}" for night, count in looks))


def explain(engine: Engine, deps: Deps, title: str, ask: Callable[[], object]) -> None:
    """Print the server's plan of the statement with which work is selected, as the desk itself sends it."""
    seen: list[tuple[str, object]] = []

    def look(_c: object, _k: object, statement: str, parameters: object, _x: object, _m: object) -> None:
        if "SKIP LOCKED" in statement:
            seen.append((statement, parameters))

    event.listen(deps.database.engine, "before_cursor_execute", look)
    ask()
    event.remove(deps.database.engine, "before_cursor_execute", look)
    statement, parameters = seen[0]
    print(f"\n{title}")
    with engine.connect() as connection:
        for line in connection.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {statement}", parameters):  # type: ignore[arg-type]
            print(f"  {line[0]}")
        connection.rollback()


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="borrowers planned for the first time; 0: all")
    parser.add_argument("--planners", type=int, default=1, help="processes that plan for the first time")
    parser.add_argument("--notices", type=int, default=4_000, help="claimed and decided in each measurement")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with running_postgres(durable=True) as url:
        upgrade(url)
        deps, began = _desk(url, NIGHT), time.monotonic()
        engine = deps.database.engine
        fill(deps, engine, options.accounts, business_date(NIGHT), NIGHT)
        print(f"{options.accounts:,} accounts made in {time.monotonic() - began:.0f} s")

        explain(engine, deps, "the planner's page", lambda: notice_planning.sweep(deps, 1))
        everybody = min(options.first or options.accounts, options.accounts)
        count, seconds, planners = side_by_side("plan", url, NIGHT, options.planners, everybody)
        print(f"\nplanned {count:,} borrowers for the first time in {seconds:.0f} s: {count / seconds:,.0f} a second")
        for planner in planners:
            fifths = [planner.memory[len(planner.memory) * part // 5] for part in range(5)] + [planner.memory[-1]]
            print("resident memory, MiB, over the run: " + ", ".join(f"{each:.0f}" for each in fifths), flush=True)
        with engine.connect() as connection:
            [(notices, size)] = connection.execute(
                text("SELECT count(*), pg_size_pretty(pg_database_size(current_database())) FROM reminder")
            )
        print(f"{notices:,} notices planned; the database takes {size}")
        nights(engine)
        with_each_number(engine, url, min(everybody, 20_000), options.notices, options.workers)
    return 0


def with_each_number(engine: Engine, url: str, borrowers: int, notices: int, workers: list[int]) -> None:
    """Measure planning again, claiming and deciding with each number of workers."""

    def again(statement: str) -> Callable[[], None]:
        def reset() -> None:
            with engine.begin() as connection:
                connection.execute(text(statement), {"now": NIGHT, "borrowers": borrowers})

        return reset

    again("ANALYZE borrower, reminder")()
    table(
        f"planning {borrowers:,} borrowers again, as after a change",
        "plan",
        url,
        NIGHT,
        borrowers,
        workers,
        again(
            "UPDATE borrower SET notices_due_at = :now WHERE id IN (SELECT id FROM borrower WHERE EXISTS "
            "(SELECT 1 FROM reminder WHERE reminder.borrower_id = borrower.id) ORDER BY id LIMIT :borrowers)"
        ),
    )
    free = again("UPDATE reminder SET claimed_until = NULL WHERE claimed_until IS NOT NULL")
    morning = _desk(url, MORNING)
    explain(engine, morning, "the claim of what fell due", lambda: reminders._claim(morning, reminders.BATCH))
    table("claiming", "claim", url, MORNING, notices, workers, free)
    free()
    table("deciding to the end", "decide", url, MORNING, notices, workers, lambda: None)


if __name__ == "__main__":
    sys.exit(main())
