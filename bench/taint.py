"""Nobody but the right party learns anything: generated calls of actions and services on two desks, compared.

Usage: python bench/taint.py [--calls 100000] [--seed 1] [--processes 2]

One desk keeps a borrower's debts, plan, offers and papers; on the other the same borrower owes nothing. In fresh
conversations that are anonymous, bound, lapsed, released, half proved, locked, queued, with a person or somebody
else's, every action and every service behind them is called with random words, buttons and stolen identifiers. A
leak is a figure, a name or a number of the secret in what comes back or can be read afterwards, or any action that
answers differently on the two desks. Prints the count and every leak; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.firewall.calls import Spy
from tests.firewall.secret import secret_desk

CALLS_A_ROUND = 200


def spy(seed: int, rounds: int) -> tuple[int, list[str]]:
    """Make calls from a seed; return how many were made, and the leaks."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        desks = [secret_desk(Path(folder) / name, owes=name == "kept") for name in ("kept", "empty")]
        made = Spy(desks[0], desks[1], random.Random(seed))
        found = [f"{leak.standing.value}: {leak.call}: {leak.why}" for leak in made.leaks(rounds, CALLS_A_ROUND)]
        return made.calls, found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    rounds = -(-asked.calls // (CALLS_A_ROUND * asked.processes))
    began = time.monotonic()
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(spy, range(asked.seed, asked.seed + asked.processes), [rounds] * asked.processes))
    leaks = [leak for _, found in results for leak in found]
    print(f"{sum(made for made, _ in results)} calls in {time.monotonic() - began:.0f} s: {len(leaks)} leaks")
    for leak in leaks[:20]:
        print(leak[:1_000])
    sys.exit(1 if leaks else 0)


if __name__ == "__main__":
    main()
