"""Many borrowers straight through the services, on a moved clock: what became of them, and what must not happen.

Usage: python bench/simulate.py [--people 200] [--days 30] [--seed 1] [--share 500] [--processes 2] [--replay 1]
                                [--minutes 60]
       python bench/simulate.py --dialogue [--people 1000] [--seed 1] [--at-once 8] [--picture FILE.svg]

The people, their acts and the faults are those of ``bench/reminder_year.py``. Prints how many came to a plan or paid
(with Wilson intervals at 95 %), and counts messages outside the contact rules, fen that went astray, facts told to
strangers, and runs that did not come out the same when they were made again: ``--replay`` is the share of shares that
are lived through twice, without faults, and compared line by line. Exit code 1 if anything was found.

With ``--dialogue`` they talk instead: one conversation each through a running desk of their own, real Rasa, actions and
gateway, over the page's own line, as ten personas in turn (``tests/simulation/personas.py``). Printed are plans, turns
to them and hand-overs by persona, leaks and harms, and whether the same facts in other words came to the same plan.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.store.migrate import upgrade
from tests.builders.desk import SetClock, a_desk
from tests.running.desk import running_desk
from tests.simulation.dialogue import Life
from tests.simulation.dialogue import simulate as simulate_talks
from tests.simulation.log import decision_log
from tests.simulation.picture import picture
from tests.simulation.verdict import Verdict, judge
from tests.simulation.year import NOTHING_GOES_WRONG, Chances, Year

MEMORY = Path("/dev/shm")


class Options(argparse.Namespace):
    """The parameters."""

    people: int
    days: int
    seed: int
    share: int
    processes: int
    replay: float
    minutes: float
    dialogue: bool
    at_once: int
    picture: Path | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one process has to do."""

    first: int
    people: int
    days: int
    seed: int
    is_replayed: bool


def live(part: Part) -> Verdict:
    """Live through one part, twice where it is to be compared with itself."""
    with _in_silence():
        verdict, first = _lived(part, Chances() if not part.is_replayed else NOTHING_GOES_WRONG)
        if part.is_replayed:
            _, again = _lived(part, NOTHING_GOES_WRONG)
            verdict.checked["decisions compared"] += len(first)
            verdict.broken["replay"] += sorted(set(first).symmetric_difference(again))
    return verdict


@contextmanager
def _in_silence() -> Iterator[None]:
    """Log nothing: the faults of these lives are meant."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _lived(part: Part, chances: Chances) -> tuple[Verdict, list[str]]:
    folder = Path(tempfile.mkdtemp(prefix="desk-simulate-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        url = f"sqlite:///{folder / 'desk.sqlite3'}"
        upgrade(url)
        clock = SetClock()
        deps = a_desk(folder, clock, database_url=url)
        year = Year(deps, clock, part.people, part.days, part.seed + part.first, chances, first_number=part.first)
        outcome = year.run()
        with deps.read() as session:
            verdict = judge(session, deps.vault)
        verdict.broken["contact rules"] += [str(finding) for finding in outcome.findings]
        log = decision_log(deps)
        deps.database.engine.dispose()
        return verdict, log
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def simulate(options: Options) -> tuple[int, Verdict]:
    """Live through everybody, so many at a time, in processes of their own; how many that were, and what of them.

    No share but the first is begun after the given minutes, so a long run ends in time with the figures of those who
    have lived. Each share has a seed of its own: other shares are other people.
    """
    share = min(options.share, -(-options.people // options.processes))
    chance, until = Random(options.seed), time.monotonic() + options.minutes * 60
    parts = (
        Part(first, min(share, options.people - first), options.days, options.seed, chance.random() < options.replay)
        for first in range(0, options.people, share)
    )
    whole, lived, last_said = Verdict(), 0, time.monotonic()
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        lives = {pool.submit(live, part): part for part in islice(parts, options.processes)}
        while lives:
            for done in wait(lives, return_when=FIRST_COMPLETED).done:
                whole.add(done.result())
                lived += lives.pop(done).people
                if time.monotonic() < until:
                    lives |= {pool.submit(live, part): part for part in islice(parts, 1)}
            if time.monotonic() - last_said > 60:
                found, last_said = sum(len(lines) for lines in whole.broken.values()), time.monotonic()
                print(f"  {lived} have lived, found {found}, load {os.getloadavg()[0]:.1f}", flush=True)
    return lived, whole


def talk_through(people: int, seed: int, at_once: int, drawn: Path | None) -> int:
    """Let everybody talk with a running desk; returns the exit code."""
    done: list[Life] = []

    def progress(life: Life) -> None:
        done.append(life)
        if len(done) % 50 == 0:
            wrong = sum(len(each.wrong) for each in done)
            print(f"  {len(done)} of {people} have talked, found {wrong}, load {os.getloadavg()[0]:.1f}", flush=True)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running_desk(Path(folder)) as desk:
        verdict = asyncio.run(simulate_talks(desk.deps, (desk.base,), people, seed, at_once, progress))
        with desk.deps.read() as session:
            books = judge(session, desk.deps.vault)
    print("\n".join([f"seed {seed}, {at_once} at once, load {os.getloadavg()[0]:.1f}", *verdict.lines()]))
    if drawn is not None:
        title = f"What became of {people} simulated borrowers who talked with the desk"
        drawn.write_text(picture(title, ("came to a plan", "with a person at the end"), verdict.shares()), "utf-8")
    astray = [line for lines in books.broken.values() for line in lines]
    print(f"agreements {books.checked['agreements']}, fen errors and leaks on record: {len(astray)}")
    return 1 if verdict.wrong or astray else 0


def main() -> int:
    """Simulate and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=500, help="borrowers on one database")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--replay", type=float, default=1.0, help="share that is lived through twice")
    parser.add_argument("--dialogue", action="store_true", help="let them talk with a running desk")
    parser.add_argument("--at-once", type=int, default=8, help="so many talk at the same time")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no more shares after so long")
    parser.add_argument("--picture", type=Path, help="with --dialogue: draw what became of them into this SVG")
    options = parser.parse_args(namespace=Options())
    if options.dialogue:
        return talk_through(options.people, options.seed, options.at_once, options.picture)
    began = time.monotonic()
    lived, verdict = simulate(options)
    how = f"{options.days} days, seed {options.seed}, {options.processes} processes, shares of at most {options.share}"
    print(f"{lived} borrowers, {how}, {time.monotonic() - began:.0f} s")
    print("\n".join(verdict.lines()))
    return 1 if any(verdict.broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
