"""``make chaos``: everything goes wrong, bounded in time; prints what was injected, what was checked, what was found.

Settings, all from the environment: ``CHAOS_SECONDS`` (300) in which faults may begin, ``CHAOS_CHATS`` (24) that go on
talking meanwhile, ``CHAOS_EVERY`` (8) seconds from one thing said to the next, ``CHAOS_SEED`` (by chance, printed),
``CHAOS_FAULTS`` (all) names separated by commas, ``CHAOS_DRILLS`` (1; 0 leaves the drills out).

First a storm over two of everything with real chats, then the drills: faults that need no running desk, each of them a
test. Exit code 1 if anything was lost, doubled, left unanswered, or a drill failed.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.drills import DRILLS
from tests.chaos.storm import Storm
from tests.scale.crowd import Crowd, Outcome
from tests.scale.stand import Stand, running_stand


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # this is the command's output


async def under_way(stand: Stand, storm: Storm, seconds: float, seed: int) -> Outcome:
    """Let everybody talk as long as the storm lasts."""
    crowd = Crowd(stand.deps, stand.bases, int(os.environ.get("CHAOS_CHATS", "24")), seed % 1_000)
    await crowd.open()
    raging = asyncio.create_task(asyncio.to_thread(storm.rage, time.monotonic() + seconds))
    outcome = await crowd.talk(float(os.environ.get("CHAOS_EVERY", "8")), until=storm.over.is_set)
    await raging
    return outcome


def weather(seconds: float, seed: int) -> list[str]:
    """The storm; returns what was lost or doubled."""
    wanted = frozenset(each.strip() for each in os.environ.get("CHAOS_FAULTS", "").split(",") if each.strip())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running_stand(Path(folder)) as stand:
        say(f"two of everything is ready: {', '.join(stand.names)}; load {os.getloadavg()[0]:.1f}")
        storm = Storm(stand, seed, say, wanted)
        outcome = asyncio.run(under_way(stand, storm, seconds, seed))
    for line in outcome.lines():
        say(line)
    if storm.left_out:
        say(f"no time was left for: {', '.join(storm.left_out)}")
    return outcome.wrong if storm.done else [*outcome.wrong, "nothing was injected"]


def drills() -> list[str]:
    """Run the drills; returns those that failed."""
    failed = []
    for drill in DRILLS:
        done = subprocess.run(  # fixed command, no shell
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *drill.tests],
            capture_output=True,
            text=True,
            check=False,
        )
        last = (done.stdout.strip().splitlines() or ["nothing was run"])[-1]
        say(f"injected {drill.fault}; checked: {drill.checked}: {last}")
        if done.returncode or " passed" not in last:  # what was skipped has checked nothing
            failed.append(drill.fault)
            say(done.stdout[-3000:])
    return failed


def main() -> int:
    """Do both."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
    seconds = float(os.environ.get("CHAOS_SECONDS", "300"))
    say(f"seed {seed}; faults may begin for {seconds:.0f} s")
    wrong = weather(seconds, seed) if seconds else []
    failed = drills() if os.environ.get("CHAOS_DRILLS", "1") != "0" else []
    say("Redis: the desk has none (docs/decisions/0015-one-database-no-broker.md)")
    say(f"lost or doubled {len(wrong)}, drills failed {len(failed)}: {', '.join(failed) or 'none'}")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
