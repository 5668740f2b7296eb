"""Two of everything under load: many web chats while each process is killed in turn, and what one and two pods carry.

Usage: python bench/two_of_everything.py [--chats 200] [--every 40] [--seconds 300] [--throughput 24] [--seed 1]

Starts two gateways, two Rasa, two action servers and two schedulers on loopback with a PostgreSQL of their own that
waits for the disk, no containers. All chats keep a real socket, go to the next gateway after every cut, and send again
what was not confirmed, as the page does. Half of them belong to borrowers who have proved who they are and agree to a
plan. Meanwhile every process is killed with SIGKILL, one after the other, as soon as the one before is back.

Afterwards every message is compared: what each chat said and was shown, and what the database holds. Exit code 1 if
anything was lost, doubled, left unanswered or shown otherwise. ``--throughput`` then lets so many chats talk without a
pause against one pod and against two, for a minute each; 0 leaves that out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.scale.crowd import Crowd, Outcome
from tests.scale.stand import Stand, running_stand

_MIB = 2**20


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def kill_in_turn(stand: Stand, gap: float, stop: threading.Event, killed: list[str]) -> None:
    """Kill every process once, each when all the others are back."""
    for name in stand.names:
        if stop.wait(gap):
            return
        began = time.monotonic()
        if stand.kill(name):
            killed.append(name)
        while not stop.is_set() and not stand.is_ready():
            time.sleep(0.3)
        say(f"  killed {name}; everything ready again after {time.monotonic() - began:.1f} s")


async def hold(
    stand: Stand, chats: int, every: float, seconds: float, seed: int, during: Callable[[], None]
) -> Outcome:
    """Let so many chats talk while something else happens."""
    crowd = Crowd(stand.deps, stand.bases, chats, seed)
    await crowd.open()
    await asyncio.sleep(2.0)
    other = asyncio.create_task(asyncio.to_thread(during))
    end = time.monotonic() + seconds
    outcome = await crowd.talk(every, until=lambda: time.monotonic() > end)
    await other
    return outcome


def disturbed(asked: argparse.Namespace) -> Outcome:
    """The run during which every process dies once."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running_stand(Path(folder)) as stand:
        say(f"{len(stand.names)} processes ready: {', '.join(stand.names)}; load {os.getloadavg()[0]:.1f}")
        stop, killed = threading.Event(), list[str]()
        timer = threading.Timer(asked.seconds, stop.set)
        timer.daemon = True
        timer.start()

        def during() -> None:
            kill_in_turn(stand, asked.gap, stop, killed)

        outcome = asyncio.run(hold(stand, asked.chats, asked.every, asked.seconds, asked.seed, during))
        say(f"killed {len(killed)} of {len(stand.names)}: {', '.join(killed)}; load {os.getloadavg()[0]:.1f}")
        for line in outcome.lines():
            say(line)
        say(f"memory of all processes {memory_of(stand):.0f} MiB")
        return outcome


def carried(pods: int, chats: int, seconds: float, seed: int) -> Outcome:
    """What so many pods carry when everybody goes on as soon as they are answered."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_stand(Path(folder), pods=pods, schedulers=pods) as stand,
    ):
        outcome = asyncio.run(hold(stand, chats, 0.0, seconds, seed, lambda: None))
        say(f"\n{pods} of each, {chats} chats without a pause, load {os.getloadavg()[0]:.1f}")
        for line in outcome.lines():
            say(line)
        return outcome


def memory_of(stand: Stand) -> float:
    """Resident memory of the stand's processes with their children, in MiB."""
    groups = {stand.pid(name) for name in stand.names}
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended in between
            continue
        pages += int(words[21]) if int(words[2]) in groups else 0
    return pages * resource.getpagesize() / _MIB


def main() -> int:
    """Read the options and go."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=200)
    options.add_argument("--every", type=float, default=40.0, help="seconds between one thing said and the next")
    options.add_argument("--seconds", type=float, default=300.0)
    options.add_argument("--gap", type=float, default=5.0, help="seconds of peace before each kill")
    options.add_argument("--throughput", type=int, default=24, help="chats without a pause; 0 leaves it out")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket is a file, here and in the gateways
    say(f"{os.cpu_count()} cores, PostgreSQL waits for the disk")
    outcomes = [disturbed(asked)] if asked.chats else []
    if asked.throughput:
        outcomes += [carried(pods, asked.throughput, 60.0, asked.seed) for pods in (1, 2)]
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
