"""What a seeded year decides, line by line, to compare before and after a change that must not change a decision.

Usage: python bench/decision_log.py [--people 60] [--days 120] [--seed 3] > log

Nothing goes wrong in this year: where a process dies depends on how many statements it needs, which is what such a
change is about. Run it in two checkouts and ``diff`` the logs. The seconds it took go to standard error.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.store.migrate import upgrade
from tests.builders.desk import SetClock, a_desk
from tests.simulation.log import decision_log
from tests.simulation.year import NOTHING_GOES_WRONG, Year

MEMORY = Path("/dev/shm")


def main() -> int:
    """Live through the year and print what was decided."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    folder = Path(tempfile.mkdtemp(prefix="desk-log-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        url = f"sqlite:///{folder / 'desk.sqlite3'}"
        upgrade(url)
        clock = SetClock()
        deps = a_desk(folder, clock, database_url=url)
        began, worked = time.monotonic(), time.process_time()
        outcome = Year(deps, clock, options.people, options.days, options.seed, NOTHING_GOES_WRONG).run()
        seconds, cpu = time.monotonic() - began, time.process_time() - worked
        print("\n".join(decision_log(deps)))
        print(f"{seconds:.0f} s, {cpu:.0f} s of CPU, findings: {len(outcome.findings)}", file=sys.stderr)
        return 1 if outcome.findings else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
