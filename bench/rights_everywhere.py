"""Every right invoked at every place of every flow, in sentences, over the running desk.

Usage: python bench/rights_everywhere.py [--at-once 4] [--places claim,code] [--rights stop,delete] [--sentence 1]

Starts a desk of its own (real Rasa, actions, gateway, scheduler; SQLite) on free loopback ports. Each cell is a place
and a right, held in both sentences of the right unless one is named, each by a borrower of their own with the debts and
the plan that the place needs, on a page of their own; the table and what must come of a cell are those of
``tests/rights``. Prints the count as it goes, each time a right was not heard with all that was said, and the mean
seconds; exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.rights.hearing import CELLS, Cell, named
from tests.rights.running import hold
from tests.running.desk import RunningDesk, running_desk

A_LINE = 62


def chosen(cells: tuple[Cell, ...], places: str, rights: str) -> list[Cell]:
    """Return the cells of some places and rights, separated by commas; all where none is named.

    Raises:
        SystemExit: a name is unknown.
    """
    wanted_places, wanted_rights = ({name for name in each.split(",") if name} for each in (places, rights))
    known = {place.name for _, place in cells} | {right.name for right, _ in cells}
    if unknown := (wanted_places | wanted_rights) - known:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}")
    return [
        (right, place)
        for right, place in cells
        if (not wanted_places or place.name in wanted_places) and (not wanted_rights or right.name in wanted_rights)
    ]


def timed(desk: RunningDesk, cell: Cell, text: str) -> tuple[str, float]:
    """Go through one cell; returns what was wrong, empty if nothing, and the seconds it took."""
    began = time.monotonic()
    try:
        hold(desk, *cell, text)
    except Exception as error:  # noqa: BLE001  # whatever went wrong is the cell's
        return f"{type(error).__name__}: {error}", time.monotonic() - began
    return "", time.monotonic() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--at-once", type=int, default=4)
    options.add_argument("--places", default="")
    options.add_argument("--rights", default="")
    options.add_argument(
        "--sentence", type=int, choices=(1, 2), help="only the first, or only the second of each right"
    )
    asked = options.parse_args()
    cells = chosen(CELLS, asked.places, asked.rights)
    wanted = (asked.sentence - 1,) if asked.sentence else (0, 1)
    held = [(cell, number) for number in wanted for cell in cells]
    seconds, failed, began = list[float](), list[str](), time.monotonic()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_desk(Path(folder)) as desk,
        ThreadPoolExecutor(asked.at_once) as pool,
    ):
        under_way = {
            pool.submit(timed, desk, cell, cell[0].sentences[number]): f"{named(cell)}-{number + 1}"
            for cell, number in held
        }
        for done, future in enumerate(as_completed(under_way), start=1):
            wrong, took = future.result()
            seconds.append(took)
            if wrong:
                failed.append(under_way[future])
                print(f"\n{failed[-1]}: {wrong}\n", flush=True)
            if done % A_LINE == 0 or done == len(held):
                elapsed, load = time.monotonic() - began, os.getloadavg()[0]
                print(f"{done} of {len(held)} in {elapsed:.0f} s, load {load:.1f}: {len(failed)} failed", flush=True)
    print(f"{len(cells)} cells, {len(held)} times, {asked.at_once} at once: {mean(seconds):.2f} s each")
    print(f"not heard: {', '.join(failed) or 'none'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
