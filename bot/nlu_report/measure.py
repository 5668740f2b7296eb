"""One measurement: every text read once, with one loading of the model, and all figures computed from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.care.crisis import CrisisGuard
from bot.nlu_report.fallback import FallbackRules
from bot.nlu_report.figures import percentile, set_figures
from bot.nlu_report.guard import noticed
from bot.nlu_report.report import ModelFacts, Report, Robustness, Share, VariantFigures
from bot.nlu_report.sets import HELDOUT, MeasuringSet
from bot.nlu_report.variants import VARIANTS, spoil
from bot.nlu_scores import LabelledMessage, Prediction, Readings

Reader = Callable[[Sequence[str]], Readings]
"""Reads texts with the trained model, in order."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What of the desk takes part besides the model: fallback, crisis guard, and the texts the model has learned."""

    rules: FallbackRules
    guard: CrisisGuard
    trained_on: frozenset[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """The report, and each set's predictions in the order of its rows, for the pictures."""

    report: Report
    predictions: Mapping[str, tuple[Prediction, ...]]


def measure(sets: Sequence[MeasuringSet], read: Reader, desk: Desk, at: datetime) -> Measured:
    """Read the sets and the spoilt texts, and compute every figure. Robustness is measured on the held-out set, or on
    the first one where that is not among them.

    Raises:
        bot.nlu_scores.EvaluationError: the model could not be read.
        ValueError: there is no set.
    """
    if not sets:
        raise ValueError("nothing to measure")
    spoilt_set = next((one for one in sets if one.name == HELDOUT), sets[0])
    spoilt = {name: [replace(row, text=spoil(name, row)) for row in spoilt_set.rows] for name in VARIANTS}
    plain = [row.text for one in sets for row in one.rows]
    # A text that a variant leaves as it was is read only once.
    texts = list(dict.fromkeys([*plain, *(row.text for rows in spoilt.values() for row in rows)]))
    readings = read(texts)
    by_text = dict(zip(texts, readings.predictions, strict=True))
    predictions = {one.name: tuple(by_text[row.text] for row in one.rows) for one in sets}
    report = Report(
        measured_at=at,
        model=_facts(readings, [by_text[text].seconds for text in plain]),
        threshold=desk.rules.threshold,
        sets=tuple(set_figures(one, predictions[one.name], desk.rules, desk.guard, desk.trained_on) for one in sets),
        robustness=Robustness(
            set_name=spoilt_set.name,
            right=_right(spoilt_set.rows, predictions[spoilt_set.name]),
            noticed=noticed(desk.guard, spoilt_set.rows, predictions[spoilt_set.name]),
            variants=tuple(_variant(name, spoilt_set.rows, rows, by_text, desk) for name, rows in spoilt.items()),
        ),
    )
    return Measured(report, predictions)


def _variant(
    name: str,
    plain: Sequence[LabelledMessage],
    spoilt: Sequence[LabelledMessage],
    by_text: Mapping[str, Prediction],
    desk: Desk,
) -> VariantFigures:
    changed = [(before, after) for before, after in zip(plain, spoilt, strict=True) if before.text != after.text]
    return VariantFigures(
        name=name,
        right=_right(spoilt, [by_text[row.text] for row in spoilt]),
        right_changed=_right([after for _, after in changed], [by_text[after.text] for _, after in changed]),
        right_changed_plain=_right([before for before, _ in changed], [by_text[before.text] for before, _ in changed]),
        noticed=noticed(desk.guard, spoilt, [by_text[row.text] for row in spoilt]),
    )


def _right(rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> Share:
    right = sum(row.label == read.label for row, read in zip(rows, predictions, strict=True))
    return Share(count=right, of=len(rows))


def _facts(readings: Readings, seconds: Sequence[float]) -> ModelFacts:
    return ModelFacts(
        fingerprint=readings.model.fingerprint,
        file_bytes=readings.model.path.stat().st_size,
        load_seconds=round(readings.load_seconds, 2),
        first_seconds=round(readings.first_seconds, 2),
        messages=len(seconds),
        p50_ms=round(percentile(seconds, 50) * 1000, 1),
        p95_ms=round(percentile(seconds, 95) * 1000, 1),
    )
