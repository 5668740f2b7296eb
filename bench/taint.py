"""Nobody but the right party learns anything: generated calls of actions and services on two desks, compared.

Usage: python bench/taint.py [--calls 100000] [--seed 1] [--processes 2]

One desk keeps a borrower's debts, plan, offers and papers; on the other the same borrower owes nothing. In fresh
conversations that are anonymous, bound, lapsed, released, half proved, locked, queued, with a person or somebody
else's, every action and every service behind them is called with random words, buttons and stolen identifiers. A
leak is a figure, a name or a number of the secret in what comes back or can be read afterwards, or any action that
answers differently on the two desks. Prints the count as it goes, which stands
also if it is stopped, and every leak; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.firewall.calls import Spy
from tests.firewall.secret import SecretDesk, secret_desk

CALLS_A_ROUND = 200
ROUNDS_A_TASK = 5
TASKS_ON_A_DESK = 10
"""After these the desks are made anew: what the second borrower has said piles up, and is copied out at every call."""

_desks: list[SecretDesk] = []
"""Of this process: made once, since making them takes as long as some thousand calls."""


def make_desks(folder: str) -> None:
    """Make the two desks of a process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    mine = Path(folder) / str(os.getpid())
    _desks.extend(secret_desk(mine / name, owes=name == "kept") for name in ("kept", "empty"))


def spy(task: tuple[int, int]) -> tuple[int, float, list[str]]:
    """Make the calls of a task, by its seed and number; return how many, the CPU seconds they took, and the leaks."""
    seed, number = task
    began = time.process_time()
    made = Spy(_desks[0], _desks[1], random.Random(f"{seed}:{number}"))
    leaks = made.leaks(ROUNDS_A_TASK, CALLS_A_ROUND, first=number * ROUNDS_A_TASK)
    found = [f"{leak.standing.value}: {leak.call}: {leak.why}" for leak in leaks]
    return made.calls, time.process_time() - began, found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    tasks = [(asked.seed, number) for number in range(-(-asked.calls // (CALLS_A_ROUND * ROUNDS_A_TASK)))]
    calls, cpu_seconds, leaks, began = 0, 0.0, list[str](), time.monotonic()
    memory, at_once = Path("/dev/shm"), TASKS_ON_A_DESK * asked.processes
    for first in range(0, len(tasks), at_once):
        with (
            tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
            ProcessPoolExecutor(asked.processes, get_context("spawn"), make_desks, (folder,)) as pool,
        ):
            for done in as_completed([pool.submit(spy, task) for task in tasks[first : first + at_once]]):
                made, took, found = done.result()
                calls, cpu_seconds, leaks = calls + made, cpu_seconds + took, leaks + found
                elapsed = time.monotonic() - began
                print(f"{calls} calls in {elapsed:.0f} s, {cpu_seconds:.0f} s of CPU: {len(leaks)} leaks", flush=True)
    for leak in leaks[:20]:
        print(leak[:1_000])
    sys.exit(1 if leaks else 0)


if __name__ == "__main__":
    main()
