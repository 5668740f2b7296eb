"""Measuring the model that is served: the desk's own configuration, guard and data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot.care.crisis import CrisisGuard
from bot.model import ready_model
from bot.nlu_report import floors
from bot.nlu_report.charts import chart_data, draw
from bot.nlu_report.compare import compare
from bot.nlu_report.fallback import FallbackRules
from bot.nlu_report.folder import last_report, write_report
from bot.nlu_report.measure import Desk, Measured, measure
from bot.nlu_report.report import Report
from bot.nlu_report.sets import HELDOUT, YARDSTICK, MeasuringSet
from bot.nlu_report.training import training_texts
from bot.nlu_scores import EvaluationError, Readings, read_all
from bot.settings import Settings

Say = Callable[[str], None]
"""Takes a line about how far the work is."""


def measure_desk(
    settings: Settings, guard: CrisisGuard, sets: Sequence[MeasuringSet], at: datetime, say: Say
) -> Measured:
    """Measure the model that fits the present sources, which is trained first if need be.

    Raises:
        EvaluationError: the model, the configuration or a reading cannot be used.
        bot.model.TrainingFailed: training reported an error.
    """

    def read(texts: Sequence[str]) -> Readings:
        if ready_model(settings) is None:
            say("no model fits the present sources; training one takes two to three minutes")
        say(f"loading the model for {len(texts)} texts")
        return read_all(settings, texts, lambda done, of: say(f"read {done} of {of}"))

    return measure(sets, read, Desk(FallbackRules.load(), guard, training_texts()), at)


def make_report(
    settings: Settings, guard: CrisisGuard, sets: Sequence[MeasuringSet], folder: Path, at: datetime, say: Say
) -> Report:
    """Measure, compare with the report that lies in ``folder``, and write report, page and pictures there.

    Raises:
        EvaluationError: as ``measure_desk``; or the pictures could not be drawn, which leaves report and page in place.
        bot.model.TrainingFailed: training reported an error.
    """
    measured = measure_desk(settings, guard, sets, at, say)
    report = measured.report
    try:
        before = last_report(folder)
    except EvaluationError as error:
        say(f"nothing to compare with: {error}")
        before = None
    if before:
        report = report.model_copy(update={"comparison": compare(before, report)})
    write_report(report, folder)
    say("drawing")
    draw(settings, chart_data(sets, measured), folder)
    return report


def set_floors(report: Report, say: Say, path: Path = floors.FLOORS) -> None:
    """Write floors a margin under a report's figures, for the sets of this repository and the yardstick alone.

    Raises:
        EvaluationError: the present floors cannot be read, so those of a set not measured now would be lost.
    """
    present = floors.load_floors(path) if path.exists() else None
    own = report.model_copy(update={"sets": tuple(one for one in report.sets if one.name in (HELDOUT, YARDSTICK))})
    made = floors.floors_under(own, present)
    was = {held.figure: held.limit for held in floors.check(present, own)} if present else {}
    for held in floors.check(made, own):
        if was.get(held.figure) != held.limit:
            say(f"{held} (was {was.get(held.figure, 'not set')})")
    floors.write_floors(made, path)
