"""How much a text looks like those of one kind: a weighted sum over its characters.

Word lists know sayings; this knows their look. The weights are learned by ``bot.nlu.train_scorer`` and stored as plain
numbers, so that reading needs no library, no engine and well under a millisecond.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

LONGEST_GRAM = 3


class ScorerError(Exception):
    """The file of weights cannot be used. The text names the file."""


def grams(text: str) -> frozenset[str]:
    """Return the runs of one to three characters of a normalised text, its beginning and end marked."""
    marked = f"^{text}$"
    runs = (marked[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(marked) - n + 1))
    return frozenset(runs) - {"^", "$"}


@dataclass(frozen=True, slots=True)
class CharacterScorer:
    """Weights by run of characters. A score at or above ``threshold`` is a sign of the kind."""

    weights: Mapping[str, float]
    intercept: float
    threshold: float

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the weights.

        Raises:
            ScorerError: the file is unreadable or not what the trainer writes.
        """
        return cls.of(stored_in(path), path.name)

    @classmethod
    def of(cls, stored: Mapping[str, object], name: str) -> Self:
        """Make a scorer of what was stored under ``name``.

        Raises:
            ScorerError: it is not what the trainer writes.
        """
        weights, intercept, threshold = (stored.get(key) for key in ("weights", "intercept", "threshold"))
        if not isinstance(weights, dict) or not weights:
            raise ScorerError(f"{name}: no weights")
        if not all(isinstance(run, str) and _is_number(weight) for run, weight in weights.items()):
            raise ScorerError(f"{name}: a weight is not a number")
        if not isinstance(intercept, int | float) or not isinstance(threshold, int | float):
            raise ScorerError(f"{name}: needs an intercept and a threshold")
        return cls(MappingProxyType(weights), float(intercept), float(threshold))

    def score(self, text: str) -> float:
        """Return the score of a normalised text; 0 is as likely of the kind as not for the trainer."""
        return self.score_of(grams(text))

    def score_of(self, runs: frozenset[str]) -> float:
        """Return the score of the ``grams`` of a text; several scorers can share them."""
        if not runs:
            return self.intercept
        # fsum: the order of a set must not move a text across the threshold.
        return self.intercept + math.fsum(self.weights.get(run, 0.0) for run in runs) / math.sqrt(len(runs))


def stored_in(path: Path) -> Mapping[str, object]:
    """Return the object that a file of weights holds.

    Raises:
        ScorerError: the file is unreadable or holds something else.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScorerError(f"{path.name}: {type(error).__name__}: {error}") from None
    if not isinstance(stored, dict):
        raise ScorerError(f"{path.name}: not an object")
    return stored


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
