"""Figures of one measuring set, computed from its rows and what the model made of them. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from bot.care.crisis import CrisisGuard
from bot.nlu_report.fallback import FallbackRules, fallback_figures
from bot.nlu_report.guard import guard_figures
from bot.nlu_report.report import Bin, Calibration, Confusion, LabelFigures, SetFigures, Share
from bot.nlu_report.sets import MeasuringSet
from bot.nlu_scores import CALLED_OUT, FALLBACK, LabelledMessage, LabelScore, Prediction, score
from bot.text.normalize import normalize_text

BINS = 10


def set_figures(
    measured: MeasuringSet,
    predictions: Sequence[Prediction],
    rules: FallbackRules,
    guard: CrisisGuard,
    trained_on: frozenset[str],
) -> SetFigures:
    """Compute the figures of one set. ``trained_on`` holds the training examples, normalised."""
    rows = measured.rows
    scored = score(rows, predictions)
    new = [(row, p) for row, p in zip(rows, predictions, strict=True) if normalize_text(row.text) not in trained_on]
    return SetFigures(
        name=measured.name,
        digest=measured.digest,
        accuracy=Share(count=scored.right, of=scored.rows),
        macro_f1=round(scored.macro_f1, 4),
        new=Share(count=sum(row.label == p.label for row, p in new), of=len(new)),
        by_script={name: Share(count=right, of=of) for name, (right, of) in sorted(scored.by_script.items())},
        labels=_labels(scored.labels, rows, predictions),
        confusions=confusions(rows, predictions),
        calibration=calibration(rows, predictions),
        fallback=fallback_figures(rows, predictions, rules),
        best=(_among(1, rows, predictions), _among(2, rows, predictions), _among(3, rows, predictions)),
        guard=guard_figures(guard, rows, predictions),
    )


def confusions(rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> tuple[Confusion, ...]:
    """Return which labels were read as which other ones, the most rows first, among equals those that may hurt.

    A message that was asked about is not confused with anything: it is counted by ``fallback_figures``.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row, read in zip(rows, predictions, strict=True):
        if read.label not in (row.label, FALLBACK):
            found[row.label, read.label].append(row.id)
    made = (Confusion(label=label, read_as=read_as, ids=tuple(ids)) for (label, read_as), ids in found.items())
    return tuple(sorted(made, key=lambda c: (-len(c.ids), c.label not in CALLED_OUT, c.label, c.read_as)))


def calibration(rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> Calibration:
    """Compare the probability of the best label with how often it is right, in ``BINS`` bins of equal width.

    The fallback is left out of account: what it should be set to is read from here.
    """
    members: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for row, read in zip(rows, predictions, strict=True):
        label, chance = read.best
        members[min(int(chance * BINS), BINS - 1)].append((chance, label == row.label))
    bins = []
    gap = 0.0
    for place, inside in enumerate(members):
        right = sum(is_right for _, is_right in inside)
        mean = math.fsum(chance for chance, _ in inside) / len(inside) if inside else 0.0
        gap += abs(math.fsum(chance for chance, _ in inside) - right)
        share = Share(count=right, of=len(inside))
        bins.append(Bin(low=place / BINS, high=(place + 1) / BINS, mean_confidence=round(mean, 4), right=share))
    return Calibration(bins=tuple(bins), ece=round(gap / len(rows), 4) if rows else 0.0)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least ``percent`` of a hundred values do not exceed; 0 for no values."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _labels(
    scores: Sequence[LabelScore], rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]
) -> tuple[LabelFigures, ...]:
    """Return the labels of the set: those where a miss may hurt first, then the rest, the worst recall first."""
    asked = [row.label for row, read in zip(rows, predictions, strict=True) if read.label == FALLBACK]
    own = [one for one in scores if one.gold]
    first = sorted((one for one in own if one.label in CALLED_OUT), key=lambda one: CALLED_OUT.index(one.label))
    rest = sorted((one for one in own if one.label not in CALLED_OUT), key=lambda one: (one.recall, one.label))
    return tuple(
        LabelFigures(
            label=one.label,
            recall=Share(count=one.found, of=one.gold),
            precision=Share(count=one.found, of=one.predicted),
            asked_back=asked.count(one.label),
        )
        for one in (*first, *rest)
    )


def _among(places: int, rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> Share:
    found = sum(
        row.label in [label for label, _ in (read.ranking or (read.best,))[:places]]
        for row, read in zip(rows, predictions, strict=True)
    )
    return Share(count=found, of=len(rows))
