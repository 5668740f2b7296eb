"""A simulated year of reminders: nothing outside the rules, nothing twice, nothing lost.

Usage: python bench/reminder_year.py [--people 10000] [--days 365] [--seed 1] [--share 200] [--processes 2]
                                     [--minutes 0] [--database sqlite]

The borrowers are lived through in shares, each with a seed and a database of its own (SQLite in memory-backed storage
where there is some, or a PostgreSQL server started for it); so many processes work on shares at a time. After
``--minutes`` no share is begun any more, and the verdict is about those that were lived to the end. Real services and
the real scheduler tick work on a clock that is moved; people pay, agree, promise, stop, pause, complain and fall
silent; schedulers die, work two at a time, pause for days; the clock is wrong or is put back. Afterwards
``tests/simulation/rules.py`` reads the rows and applies the table of ``docs/contact-rules.md``. Prints a line for each
share, then figures and every finding; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.store.migrate import upgrade
from tests.builders.desk import SetClock, a_desk
from tests.running.postgres import running_postgres
from tests.simulation.year import Outcome, Year

MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Share:
    """What one process has to do."""

    number: int
    first: int
    people: int
    days: int
    seed: int
    database: str


@contextmanager
def _database(share: Share, folder: Path) -> Iterator[str]:
    if share.database == "postgresql":
        with running_postgres() as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'desk.sqlite3'}"


def live(share: Share) -> Outcome:
    """Live through the year with one share."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    folder = Path(tempfile.mkdtemp(prefix="desk-year-", dir=MEMORY if MEMORY.is_dir() else None))
    began, worked = time.monotonic(), time.process_time()

    def say(line: str) -> None:
        seconds, cpu = time.monotonic() - began, time.process_time() - worked
        print(f"[{share.number}] {line}, {seconds:.0f} s, {cpu:.0f} s of CPU", flush=True)

    try:
        with _database(share, folder) as url:
            upgrade(url)
            clock = SetClock()
            deps = a_desk(folder, clock, database_url=url)
            year = Year(
                deps, clock, share.people, share.days, share.seed + share.number, first_number=share.first, say=say
            )
            outcome = year.run()
            deps.database.engine.dispose()
            say(f"{share.people} borrowers done, {len(outcome.findings)} findings")
            for finding in outcome.findings:
                print(f"[{share.number}]   {finding}", flush=True)
            return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Share the people out, and add up what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=200, help="borrowers on one database")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=0, help="begin no share after so long; 0: live through all")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    began = time.monotonic()
    shares = [
        Share(
            number,
            first,
            min(options.share, options.people - first),
            options.days,
            options.seed,
            options.database,
        )
        for number, first in enumerate(range(0, options.people, options.share))
    ]
    outcomes = live_through(shares, options.processes, options.minutes * 60)
    whole = Outcome(
        [finding for outcome in outcomes for finding in outcome.findings],
        sum(outcome.people for outcome in outcomes),
        options.days,
        sum((outcome.acts for outcome in outcomes), Counter()),
        sum((outcome.went_wrong for outcome in outcomes), Counter()),
        sum((outcome.ended for outcome in outcomes), Counter()),
    )
    print(
        f"seed {options.seed}, {len(outcomes)} of {len(shares)} shares, {options.processes} processes, "
        f"{options.database}, {time.monotonic() - began:.0f} s"
    )
    print("\n".join(whole.lines()))
    return 1 if whole.findings else 0


def live_through(shares: Sequence[Share], processes: int, seconds: float) -> list[Outcome]:
    """Live through shares, so many at a time, in processes of their own; begin none after some seconds, if not 0."""
    waiting, began = deque(shares), time.monotonic()
    outcomes: list[Outcome] = []
    running: set[Future[Outcome]] = set()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        while running or waiting:
            if seconds and time.monotonic() - began > seconds:
                waiting.clear()
            while waiting and len(running) < processes:
                running.add(pool.submit(live, waiting.popleft()))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            outcomes += [each.result() for each in ended]
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
