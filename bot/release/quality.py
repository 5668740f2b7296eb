"""How well a model reads, kept with it on the shelf."""

from __future__ import annotations

from pathlib import Path

from bot.model import Model
from bot.nlu_report.sets import HELDOUT, default_files
from bot.nlu_scores import CALLED_OUT, NluReport, read_all, read_messages, score
from bot.release.shelf import Quality
from bot.settings import Settings


def heldout_file() -> Path | None:
    """Return the file of held-out messages; an installed desk has none."""
    path = default_files(None).get(HELDOUT)
    return path if path is not None and path.exists() else None


def measure(settings: Settings, model: Model, file: Path) -> Quality:
    """Read labelled messages with a model, once.

    Raises:
        bot.nlu_scores.EvaluationError: the file or the model cannot be used.
    """
    rows = read_messages(file)
    return quality_of(score(rows, read_all(settings, [row.text for row in rows], model=model).predictions))


def quality_of(report: NluReport) -> Quality:
    """Return what of a measurement is kept with a model."""
    recall = {label.label: round(label.recall, 4) for label in report.labels if label.label in CALLED_OUT}
    return Quality(rows=report.rows, right=report.right, macro_f1=round(report.macro_f1, 4), recall=recall)
