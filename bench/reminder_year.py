"""A simulated year of reminders: nothing outside the rules, nothing twice, nothing lost.

Usage: python bench/reminder_year.py [--people 10000] [--days 365] [--seed 1] [--processes 2] [--database sqlite]

Every process lives through the year with its share of the borrowers on a database of its own (SQLite in memory-backed
storage where there is some, or a PostgreSQL server started for the run). Real services and the real scheduler tick work
on a clock that is moved; people pay, agree, promise, stop, pause, complain and fall silent; schedulers die, work two at
a time, pause for days; the clock is wrong or is put back. Afterwards ``tests/simulation/rules.py`` reads the rows and
applies the table of ``docs/contact-rules.md``. Prints figures and every finding; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
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
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{share.number}] {line}, {time.monotonic() - began:.0f} s", flush=True)

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
            return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Share the people out, and add up what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    began = time.monotonic()
    per_process = -(-options.people // options.processes)
    shares = [
        Share(
            number,
            number * per_process,
            min(per_process, options.people - number * per_process),
            options.days,
            options.seed,
            options.database,
        )
        for number in range(options.processes)
    ]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(live, shares))
    whole = Outcome(
        [finding for outcome in outcomes for finding in outcome.findings],
        options.people,
        options.days,
        sum((outcome.acts for outcome in outcomes), Counter()),
        sum((outcome.went_wrong for outcome in outcomes), Counter()),
        sum((outcome.ended for outcome in outcomes), Counter()),
    )
    print(f"seed {options.seed}, {options.processes} processes, {options.database}, {time.monotonic() - began:.0f} s")
    print("\n".join(whole.lines()))
    return 1 if whole.findings else 0


if __name__ == "__main__":
    sys.exit(main())
