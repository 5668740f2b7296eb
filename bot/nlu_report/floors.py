"""Floors: figures below which a change of data, code or configuration must not go. Kept in ``data/nlu_floors.yml``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.nlu_report.report import Report, SetFigures, Share
from bot.nlu_scores import CALLED_OUT, EvaluationError
from bot.settings import ROOT

FLOORS = ROOT / "data" / "nlu_floors.yml"

MARGIN = 0.015
"""How far under the measured figure a floor is set, as a share."""

MARGIN_ROWS = 2
"""How many rows fewer a label may lose."""

_HEADER = """\
# Figures of the trained model that tests/nlu/test_floors.py holds. Written by `bot nlu-report --set-floors`: shares lie
# 1.5 points under the figure measured then, recalls of single labels two rows, the ceiling 1.5 points above it.
"""


class SetFloors(BaseModel):
    """The floors of one set, shares from 0 to 1. ``noticed`` is distress seen by crisis guard or classifier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float = Field(ge=0, le=1)
    macro_f1: float = Field(ge=0, le=1)
    ece_ceiling: float = Field(ge=0, le=1)
    noticed: float = Field(ge=0, le=1)
    recalls: dict[str, float]
    robustness: dict[str, float] = {}


class Floors(BaseModel):
    """Floors by set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: dict[str, SetFloors]


@dataclass(frozen=True, slots=True)
class Held:
    """A figure with its floor, or its ceiling. ``measured`` is None when the report does not have the figure."""

    figure: str
    measured: float | None
    limit: float
    is_ceiling: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the figure is where it has to be."""
        if self.measured is None:
            return False
        return self.measured <= self.limit if self.is_ceiling else self.measured >= self.limit

    def __str__(self) -> str:
        kind = "ceiling" if self.is_ceiling else "floor"
        return f"{self.figure}: {'not measured' if self.measured is None else self.measured}, {kind} {self.limit}"


def load_floors(path: Path = FLOORS) -> Floors:
    """Read the floors.

    Raises:
        EvaluationError: the file cannot be read or is not what ``write_floors`` writes.
    """
    try:
        return Floors.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise EvaluationError(f"{path.name}: {error}") from None


def write_floors(floors: Floors, path: Path = FLOORS) -> None:
    """Write the floors whole or not at all."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(_HEADER + yaml.safe_dump(floors.model_dump(), sort_keys=False), "utf-8")
    draft.replace(path)


def floors_under(report: Report, present: Floors | None = None) -> Floors:
    """Return floors a margin under a report's figures; sets that it did not measure keep their present ones."""
    made = {one.name: _under(one, report) for one in report.sets}
    return Floors(sets={**(present.sets if present else {}), **made})


def check(floors: Floors, report: Report) -> Iterator[Held]:
    """Yield every figure that has a floor, for the sets that were measured."""
    for one in report.sets:
        if floor := floors.sets.get(one.name):
            yield from _check_set(floor, one, report)


def _check_set(floor: SetFloors, one: SetFigures, report: Report) -> Iterator[Held]:
    yield Held(f"{one.name} accuracy", one.accuracy.rate, floor.accuracy)
    yield Held(f"{one.name} macro_f1", one.macro_f1, floor.macro_f1)
    yield Held(f"{one.name} ece", one.calibration.ece, floor.ece_ceiling, is_ceiling=True)
    yield Held(f"{one.name} noticed", one.guard.noticed.rate, floor.noticed)
    recalls = {label.label: label.recall.rate for label in one.labels}
    for label, limit in floor.recalls.items():
        yield Held(f"{one.name} recall of {label}", recalls.get(label), limit)
    spoilt = _spoilt(one, report)
    for variant, limit in floor.robustness.items():
        yield Held(f"{one.name} {variant}", spoilt.get(variant), limit)


def _under(one: SetFigures, report: Report) -> SetFloors:
    return SetFloors(
        accuracy=_down(one.accuracy.rate - MARGIN),
        macro_f1=_down(one.macro_f1 - MARGIN),
        ece_ceiling=_up(one.calibration.ece + MARGIN),
        noticed=_rows_down(one.guard.noticed),
        recalls={label.label: _rows_down(label.recall) for label in one.labels if label.label in CALLED_OUT},
        robustness={name: _down(rate - MARGIN) for name, rate in _spoilt(one, report).items()},
    )


def _spoilt(one: SetFigures, report: Report) -> dict[str, float]:
    if report.robustness.set_name != one.name:
        return {}
    return {variant.name: variant.right.rate for variant in report.robustness.variants}


def _rows_down(recall: Share) -> float:
    return _down((recall.count - MARGIN_ROWS) / recall.of) if recall.of else 0.0


def _down(share: float) -> float:
    """Round down to three places: a floor must not lie above the figure it was set from."""
    return max(0.0, math.floor(share * 1000 + 1e-6) / 1000)


def _up(share: float) -> float:
    return min(1.0, math.ceil(share * 1000 - 1e-6) / 1000)
