"""What the pictures show, as plain data for ``bot.nlu.plot_report``, which has the library for drawing."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bot.model import RUNTIME_PYTHON, rasa_environment
from bot.nlu_report.measure import Measured
from bot.nlu_report.sets import MeasuringSet
from bot.nlu_scores import FALLBACK, EvaluationError, LabelledMessage, Prediction
from bot.settings import ROOT, Settings

PICTURES = ("confusions.png", "confidence.png")

_MOST_LABELS = 24


class BinChart(TypedDict):
    """One bin of the calibration."""

    mean_confidence: float
    right: int
    of: int


class SetChart(TypedDict):
    """One set: a table of confused labels, the calibration, and confidences of right and wrong best labels."""

    name: str
    rows: int
    right: int
    ece: float
    labels: list[str]
    columns: list[str]
    counts: list[list[int]]
    bins: list[BinChart]
    confident_right: list[float]
    confident_wrong: list[float]


class ChartData(TypedDict):
    """All pictures of a report."""

    threshold: float
    sets: list[SetChart]


def chart_data(sets: Sequence[MeasuringSet], measured: Measured) -> ChartData:
    """Return what the pictures show."""
    figures = {one.name: one for one in measured.report.sets}
    charts: list[SetChart] = []
    for one in sets:
        predictions = measured.predictions[one.name]
        labels, columns, counts = confusion_table(one.rows, predictions)
        best = [(read.best, row.label) for row, read in zip(one.rows, predictions, strict=True)]
        own = figures[one.name]
        charts.append(
            SetChart(
                name=one.name,
                rows=own.accuracy.of,
                right=own.accuracy.count,
                ece=own.calibration.ece,
                labels=labels,
                columns=columns,
                counts=counts,
                bins=[
                    BinChart(mean_confidence=b.mean_confidence, right=b.right.count, of=b.right.of)
                    for b in own.calibration.bins
                ],
                confident_right=[round(chance, 4) for (label, chance), gold in best if label == gold],
                confident_wrong=[round(chance, 4) for (label, chance), gold in best if label != gold],
            )
        )
    return ChartData(threshold=measured.report.threshold, sets=charts)


def confusion_table(
    rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]
) -> tuple[list[str], list[str], list[list[int]]]:
    """Return labels, columns and counts of a table of the labels with the most misses.

    The columns are the same labels and whatever else these were read as, the fallback last.
    """
    said = Counter((row.label, read.label) for row, read in zip(rows, predictions, strict=True))
    misses: Counter[str] = Counter()
    for (label, read_as), count in said.items():
        misses[label] += count * (label != read_as)
    worst = [label for label, count in sorted(misses.items(), key=lambda m: (-m[1], m[0])) if count][:_MOST_LABELS]
    labels = sorted(worst)
    others = {read_as for (label, read_as) in said if label in worst} - set(worst) - {FALLBACK}
    columns = [*labels, *sorted(others), FALLBACK]
    return labels, columns, [[said[label, column] for column in columns] for label in labels]


def draw(settings: Settings, data: ChartData, folder: Path) -> None:
    """Write ``PICTURES`` into a folder, in Rasa's environment.

    Raises:
        EvaluationError: drawing failed; the text is the end of what it printed.
    """
    done = subprocess.run(  # noqa: S603  # fixed command, no shell
        [str(RUNTIME_PYTHON), "-m", "bot.nlu.plot_report", str(folder.resolve())],
        input=json.dumps(data),
        cwd=ROOT,
        env=rasa_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EvaluationError(f"the pictures could not be drawn:\n{done.stderr[-2000:]}")
