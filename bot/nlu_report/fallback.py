"""What happens to a message the model is not sure about, as the desk is configured: threshold and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.nlu_report.report import FallbackFigures, Share
from bot.nlu_scores import FALLBACK, EvaluationError, LabelledMessage, Prediction
from bot.settings import ROOT

OFFERED = 3
"""How many meanings ``action_clarify`` offers."""

ALWAYS_OFFERED = "request_human"
"""The last button, whatever was meant."""

_MEANING = "utter_part_meaning_"


@dataclass(frozen=True, slots=True)
class FallbackRules:
    """Probability below which a message is asked about, and the labels that have words to be offered by."""

    threshold: float
    offerable: frozenset[str]

    @classmethod
    def load(cls, root: Path = ROOT) -> FallbackRules:
        """Read them from ``config.yml`` and ``domain.yml``.

        Raises:
            EvaluationError: the pipeline has no fallback.
        """
        config = yaml.safe_load((root / "config.yml").read_text("utf-8"))
        steps = [step for step in config["pipeline"] if step["name"] == "FallbackClassifier"]
        if not steps:
            raise EvaluationError("config.yml: the pipeline has no FallbackClassifier")
        domain = yaml.safe_load((root / "domain.yml").read_text("utf-8"))
        meanings = (name.removeprefix(_MEANING) for name in domain["responses"] if name.startswith(_MEANING))
        return cls(float(steps[0]["threshold"]), frozenset(meanings))

    def offers(self, prediction: Prediction) -> tuple[str, ...]:
        """Return the labels that the buttons of a message not understood stand for."""
        named = (label for label, _ in prediction.ranking if label.replace("/", "_") in self.offerable)
        return (*list(named)[:OFFERED], ALWAYS_OFFERED)


def fallback_figures(
    rows: Sequence[LabelledMessage], predictions: Sequence[Prediction], rules: FallbackRules
) -> FallbackFigures:
    """Count the messages below the threshold, what they would have been read as, and what was offered for them."""
    below = [(row, read) for row, read in zip(rows, predictions, strict=True) if read.label == FALLBACK]
    wrong = sum(read.best[0] != row.label for row, read in below)
    offered = sum(row.label in rules.offers(read) for row, read in below)
    return FallbackFigures(
        below=Share(count=len(below), of=len(rows)),
        would_be_wrong=Share(count=wrong, of=len(below)),
        right_offered=Share(count=offered, of=len(below)),
    )
