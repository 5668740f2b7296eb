"""Our negotiator and its rivals on the same invented debtors: cash, kept plans, and distress caused.

Usage: python bench/negotiator.py [--seeds 20] [--debtors 975] [--first-seed 1] [--picture FILE.svg]

Each debtor tells of money in one of four manners, refuses or accepts, and then lives through the months after it, with
and without the plan, on one stream of incomes and misfortunes. What is measured, over all debtors of a seed:

- deals, person: share with an agreement, and share handed to a person
- RR_cash: cash received within two years over what is owed, 0 without a deal
- kept: of the deals, those of which no payment was missed
- excess L1: days with less than half a month's spending put by that would not have been there without the plan, a deal
- debt left: what is still owed after two years, a waiver counting only while the plan is alive, over what was owed
- above: of the deals, those with an instalment above the true surplus of the month they begin
- CRI, DHI, CCI: the creditor's index (cash and days to a quarter, a half and all of it), the debtor's (days in the two
  hardest tiers, variance of the tier), and their harmonic mean

Prints means over the seeds with bootstrap 95 % intervals, differences to each rival, and whether five wordings of the
same asks lead to the same deals. Writes a picture of the trade-off as SVG.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.debtors import HORIZON_DAYS, Deal, Debtor, Outcome, debtors, lived
from bench.negotiator_ours import Ours, Tone
from bench.negotiator_picture import picture
from bench.negotiator_table import RIVALS, Ask, Negotiator, Refusal, negotiate

ROOT = Path(__file__).resolve().parent.parent
OURS = "ours"
SIDES: Mapping[str, Callable[[], Negotiator]] = {**RIVALS, OURS: Ours}
Row = dict[str, float]
MEASURES = (
    "deals",
    "person",
    "RR_cash",
    "kept",
    "excess L1",
    "debt left",
    "above",
    "rounds",
    "CRI",
    "DHI",
    "CCI",
)


def measured(people: Sequence[Debtor], free: Sequence[Outcome], side: Callable[[], Negotiator]) -> Row:
    """One negotiator with all debtors of a seed."""
    talks = [negotiate(debtor, side()) for debtor in people]
    lives = [lived(d, deal) if deal else alone for d, (deal, _), alone in zip(people, talks, free, strict=True)]
    agreed = [
        (d, deal, life, alone) for d, (deal, _), life, alone in zip(people, talks, lives, free, strict=True) if deal
    ]
    recovered = fmean(life.cash_fen() / d.owed_fen for d, life in zip(people, lives, strict=True))
    waits = [
        fmean(_days(deal, life, share) for (deal, _), life in zip(talks, lives, strict=True)) / HORIZON_DAYS
        for share in (0.25, 0.5, 1)
    ]
    creditor = fmean([recovered, *(1 - wait for wait in waits)])
    debtor_index = fmean(
        [
            1 - fmean(life.tier_days[0] for life in lives) / HORIZON_DAYS,
            1 - fmean(life.tier_days[0] + life.tier_days[1] for life in lives) / HORIZON_DAYS,
            1 - fmean(life.tier_variance for life in lives) / 4,
        ]
    )
    return {
        "deals": len(agreed) / len(people),
        "person": 1 - len(agreed) / len(people),
        "RR_cash": recovered,
        "kept": fmean(not life.missed for _, _, life, _ in agreed),
        "excess L1": fmean(life.tier_days[0] - alone.tier_days[0] for _, _, life, alone in agreed),
        "debt left": fmean(
            _left(d, deal, life) / d.owed_fen for d, (deal, _), life in zip(people, talks, lives, strict=True)
        ),
        "above": fmean(deal.instalment_fen > d.surplus_fen(deal.deferral_months) for d, deal, _, _ in agreed),
        "rounds": fmean(count for _, count in talks),
        "CRI": creditor,
        "DHI": debtor_index,
        "CCI": 2 * creditor * debtor_index / (creditor + debtor_index),
    }


def _days(deal: Deal | None, life: Outcome, share: float) -> int:
    return life.days_to(deal.total_fen * share) if deal else HORIZON_DAYS


def _left(debtor: Debtor, deal: Deal | None, life: Outcome) -> int:
    alive = deal is not None and not life.is_broken
    return max(0, (deal.total_fen if alive and deal else debtor.owed_fen) - life.cash_fen())


def one_seed(task: tuple[int, int]) -> dict[str, Row]:
    """Every negotiator with the debtors of one seed."""
    seed, count = task
    people = debtors(count, seed)
    free = [lived(debtor, None) for debtor in people]
    return {name: measured(people, free, side) for name, side in SIDES.items()}


def interval(values: Sequence[float], chance: Random, draws: int = 2000) -> tuple[float, float]:
    """The bootstrap 95 % interval of the mean."""
    means = sorted(fmean(chance.choices(values, k=len(values))) for _ in range(draws))
    return means[draws // 40], means[draws - draws // 40 - 1]


def wording_differences(people: Sequence[Debtor]) -> int:
    """Debtors for whom five wordings of the same asks, read from text, do not lead to the same offers throughout.

    Each asks for everything in turn, twice over, whatever is offered; the facts handed over without words are the
    sixth way.
    """
    different = 0
    for debtor in people:
        paths = set()
        for tone in (None, *Tone):
            ours = Ours(tone)
            shown = ours.begin(debtor)
            for ask in (*Ask, *Ask) if shown else ():
                ours.answer(Refusal(ask, debtor.named_limit_fen(shown[-1].deferral_months), 1 + debtor.number % 6))
            paths.add(tuple(offer.offer_id for offer in ours.shown))
        different += len(paths) > 1
    return different


def printed(results: Sequence[dict[str, Row]], chance: Random) -> None:
    """The tables."""
    print(f"{'':14}" + "".join(f"{name:>22}" for name in MEASURES))
    for side in SIDES:
        cells = []
        for measure in MEASURES:
            values = [result[side][measure] for result in results]
            low, high = interval(values, chance)
            digits = 1 if measure in ("excess L1", "rounds") else 3
            cells.append(f"{fmean(values):.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]")
        print(f"{side:14}" + "".join(f"{cell:>22}" for cell in cells))
    for name in RIVALS:
        differences = []
        for measure in ("RR_cash", "excess L1", "kept", "debt left", "CCI"):
            values = [result[OURS][measure] - result[name][measure] for result in results]
            low, high = interval(values, chance)
            differences.append(f"{measure} {fmean(values):+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"ours less {name}: " + ", ".join(differences))


def main() -> int:
    """Run, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--debtors", type=int, default=975)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--wordings", type=int, default=200, help="debtors whose asks are put in five wordings")
    parser.add_argument("--picture", type=Path, default=ROOT / "var" / "negotiator.svg")
    options = parser.parse_args()
    tasks = [(seed, options.debtors) for seed in range(options.first_seed, options.first_seed + options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        results = list(pool.map(one_seed, tasks))
    printed(results, Random(0))
    sample = debtors(options.wordings, options.first_seed)
    print(f"five wordings, different offers: {wording_differences(sample)} of {len(sample)} debtors")
    points = {
        side: (fmean(r[side]["excess L1"] for r in results), fmean(r[side]["RR_cash"] for r in results))
        for side in SIDES
    }
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    options.picture.write_text(picture(points), encoding="utf-8")
    print(f"picture: {options.picture}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
