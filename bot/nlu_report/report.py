"""The report as data: what ``report.json`` holds. Counts stand beside every rate.

Rates are shares from 0 to 1; differences are later minus earlier.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field


class Figures(BaseModel):
    """Base of the parts: frozen; fields that another version wrote are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Share(Figures):
    """``count`` out of ``of``."""

    count: int
    of: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float:
        """The share, rounded to four places; 0 when there is nothing to share."""
        return round(self.count / self.of, 4) if self.of else 0.0


class LabelFigures(Figures):
    """One label: ``recall`` of its rows, ``precision`` of the times it was said, ``asked_back`` below the threshold."""

    label: str
    recall: Share
    precision: Share
    asked_back: int


class Confusion(Figures):
    """Rows of one label that were read as another one, by their ids."""

    label: str
    read_as: str
    ids: tuple[str, ...]


class Bin(Figures):
    """Messages whose best label has a probability between ``low`` and ``high``, and how many of them are right."""

    low: float
    high: float
    mean_confidence: float
    right: Share


class Calibration(Figures):
    """Ten bins; ``ece`` is the mean gap between confidence and share right, weighted by messages."""

    bins: tuple[Bin, ...]
    ece: float


class FallbackFigures(Figures):
    """Messages below the threshold; of these, whose best label was wrong, and for which a button had the right one."""

    below: Share
    would_be_wrong: Share
    right_offered: Share


class GuardFigures(Figures):
    """The crisis guard on one set. ``by_reader`` counts its signs, on any row, by their kind.

    ``noticed`` is what somebody in distress gets: guard or classifier. ``false_alarms`` are the guard's on other rows,
    ``false_alarm_labels`` their labels.
    """

    guard: Share
    classifier: Share
    noticed: Share
    missed_ids: tuple[str, ...]
    false_alarms: Share
    noticed_falsely: Share
    false_alarm_labels: dict[str, int]
    by_reader: dict[str, int]


class SetFigures(Figures):
    """One measuring set. ``new`` leaves out rows that, normalised, are training examples; ``best`` counts rows whose
    label is among the likeliest one, two and three.
    """

    name: str
    digest: str
    accuracy: Share
    macro_f1: float
    new: Share
    by_script: dict[str, Share]
    labels: tuple[LabelFigures, ...]
    confusions: tuple[Confusion, ...]
    calibration: Calibration
    fallback: FallbackFigures
    best: tuple[Share, Share, Share]
    guard: GuardFigures


class VariantFigures(Figures):
    """One way of spoiling messages: ``right`` of all rows; of the rows it changed, right spoilt and right plain."""

    name: str
    right: Share
    right_changed: Share
    right_changed_plain: Share
    noticed: Share


class Robustness(Figures):
    """A set spoilt in several ways, beside the same set as it is."""

    set_name: str
    right: Share
    noticed: Share
    variants: tuple[VariantFigures, ...]


class ModelFacts(Figures):
    """The model and its speed on this machine, one thread; percentiles over the plain messages."""

    fingerprint: str
    file_bytes: int
    load_seconds: float
    first_seconds: float
    messages: int
    p50_ms: float
    p95_ms: float


class Moved(Figures):
    """A label whose recall changed."""

    label: str
    before: Share
    after: Share


class SetChange(Figures):
    """What changed on one set; ``same_rows`` is false when the file itself is another one."""

    name: str
    same_rows: bool
    accuracy: float
    macro_f1: float
    ece: float
    below_threshold: float
    noticed: float
    false_alarms: float
    moved: tuple[Moved, ...]


class Comparison(Figures):
    """Differences to the previous report; sets and variants that only one of the two has are left out."""

    previous_at: datetime
    previous_model: str
    sets: tuple[SetChange, ...]
    robustness: dict[str, float]


class Report(Figures):
    """Everything that was measured in one run. ``threshold`` is the fallback's."""

    version: Literal[1] = 1
    measured_at: datetime
    model: ModelFacts
    threshold: float
    sets: tuple[SetFigures, ...]
    robustness: Robustness
    comparison: Comparison | None = None
