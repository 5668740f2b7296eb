"""Kill -9 of scheduler and gateway at random moments of planning, deciding, sending and recording.

Usage: python bench/kill_reminders.py [--runs 100] [--people 12] [--seed 1] [--database sqlite|postgresql|both]
                                      [--patience 60]

Each run is a desk of its own on an empty database with Telegram's double on loopback: a notice and an answer for each
borrower, one or two kills, and then peace. Prints what everybody got: nothing may be lost, and no notice may be seen
twice. A notice whose attempt was cut off between "I send it now" and "it is sent" is never sent again; it is counted as
unknown, and operators see it as such (``docs/decisions/0010-delivery-without-doubles.md``). Exit code 1 for anything
lost or doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from sqlalchemy import create_engine, make_url, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.store.migrate import upgrade
from tests.running.killing import Fates, Moment, Morning, SlowTelegram
from tests.running.postgres import running_postgres


def run_all(database: str, runs: int, people: int, seed: int, patience: float, template: str) -> Fates:
    """Make so many runs on one kind of database; ``template`` is a URL with the schema and nothing in it."""
    whole = Fates()
    for number in range(runs):
        chance = Random(f"{seed}:{database}:{number}")
        folder = Path(tempfile.mkdtemp(prefix="desk-kill-"))
        try:
            with _copy(template, folder, number) as url, SlowTelegram() as server:
                server.slowness = chance.choice((0.0, 0.05, 0.3))
                moments = chance.sample(tuple(Moment), chance.randint(1, 2))
                whole.add(Morning(folder, url, server, people, chance, patience).run(moments))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if number % 10 == 9:
            print(f"{database}: {number + 1} runs, lost {whole.lost}, doubled {whole.doubled}", flush=True)
    return whole


@contextlib.contextmanager
def _copy(template: str, folder: Path, number: int) -> Iterator[str]:
    url = make_url(template)
    if url.get_backend_name() == "sqlite":
        assert url.database is not None
        yield f"sqlite:///{shutil.copy(url.database, folder / 'desk.sqlite3')}"
        return
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = f"run_{number}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE desk"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@contextlib.contextmanager
def _template(database: str) -> Iterator[str]:
    if database == "postgresql":
        with running_postgres() as url:
            upgrade(url)
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="desk-kill-") as folder:
        url = f"sqlite:///{Path(folder) / 'template.sqlite3'}"
        upgrade(url)
        yield url


def main() -> int:
    """Run on each kind of database and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a desk; more on a busy machine")
    options = parser.parse_args()
    os.environ["NO_PROXY"] = "127.0.0.1"
    bad = False
    for database in ("sqlite", "postgresql") if options.database == "both" else (options.database,):
        began = time.monotonic()
        with _template(database) as template:
            fates = run_all(database, options.runs, options.people, options.seed, options.patience, template)
        print(f"{database}, seed {options.seed}, {time.monotonic() - began:.0f} s")
        print("\n".join(fates.lines()))
        bad = bad or bool(fates.lost or fates.doubled or fates.answers_lost or fates.broken)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
