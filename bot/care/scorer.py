"""How much a message sounds like somebody in danger: a weighted sum over its characters.

The lexicon knows sayings; this knows their look. The weights are learned from ``data/care/sayings.tsv`` and from the
training examples of the assistant by ``bot.nlu.train_scorer`` and stored as plain numbers, so that reading needs no
library, no engine and well under a millisecond.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

LONGEST_GRAM = 3
_FEWEST_WORD_CHARACTERS = 2


class ScorerError(Exception):
    """The file of weights cannot be used. The text names the file."""


def grams(text: str) -> frozenset[str]:
    """Return the runs of one to three characters of a normalised text, its beginning and end marked."""
    marked = f"^{text}$"
    runs = (marked[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(marked) - n + 1))
    return frozenset(runs) - {"^", "$"}


@dataclass(frozen=True, slots=True)
class DangerScorer:
    """Weights by run of characters. A score at or above ``threshold`` is a sign."""

    weights: MappingProxyType[str, float]
    intercept: float
    threshold: float

    @classmethod
    def load(cls, path: Path) -> DangerScorer:
        """Read the weights.

        Raises:
            ScorerError: the file is unreadable or not what the trainer writes.
        """
        try:
            stored = json.loads(path.read_text("utf-8"))
            weights = {str(run): float(weight) for run, weight in stored["weights"].items()}
            scorer = cls(MappingProxyType(weights), float(stored["intercept"]), float(stored["threshold"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ScorerError(f"{path.name}: {type(error).__name__}: {error}") from None
        if not scorer.weights:
            raise ScorerError(f"{path.name}: no weights")
        return scorer

    def score(self, text: str) -> float:
        """Return the score of a normalised text; 0 is as likely danger as not for the trainer."""
        runs = grams(text)
        if not runs:
            return self.intercept
        # fsum: the order of a set must not move a message across the threshold.
        return self.intercept + math.fsum(self.weights.get(run, 0.0) for run in runs) / math.sqrt(len(runs))

    def sounds_like_danger(self, text: str) -> bool:
        """Tell whether a normalised text reaches the threshold; signs without words sound like nothing."""
        return sum(map(str.isalnum, text)) >= _FEWEST_WORD_CHARACTERS and self.score(text) >= self.threshold
