"""Noticing that somebody's life may be in danger, from normalised text alone.

Two readers, either of which is enough: a lexicon of sayings, and a scorer that knows how such messages look.

The lexicon is data (``data/care/crisis.yml``): plain sayings of danger, sideways ones, and everyday exaggerations that
use the same characters. An exaggeration is struck out of the text before the sayings are looked for, so that
累死了 is nothing while 累死了,不想活了 is a sign. When in doubt the guard errs on the side of a kind answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.care.scorer import DangerScorer


class LexiconError(Exception):
    """The lexicon file cannot be used. The text names file and entry."""


TONE = "tone"
"""The kind of a sign that stands in no single saying."""


@dataclass(frozen=True, slots=True)
class CrisisSign:
    """A sign of danger: the kind of saying (``self_harm``, ``farewell``, ``despair``, ``tone``) and where it stands."""

    kind: str
    start: int
    end: int


class CrisisGuard:
    """Looks for signs of danger in one message."""

    def __init__(
        self, signs: dict[str, re.Pattern[str]], everyday: re.Pattern[str], scorer: DangerScorer | None = None
    ) -> None:
        self._signs = signs
        self._everyday = everyday
        self._scorer = scorer

    @classmethod
    def load(cls, path: Path, scorer: DangerScorer | None = None) -> CrisisGuard:
        """Read the lexicon; without a scorer it reads alone.

        Raises:
            LexiconError: the file is unreadable, a list is empty, or an entry is not a pattern that matches something.
        """
        try:
            raw = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise LexiconError(f"{path.name}: {error}") from None
        if not isinstance(raw, dict) or not isinstance(raw.get("signs"), dict) or not raw["signs"]:
            raise LexiconError(f"{path.name}: needs 'signs' and 'everyday'")
        signs = {str(kind): _joined(path, f"signs.{kind}", entries) for kind, entries in raw["signs"].items()}
        return cls(signs, _joined(path, "everyday", raw.get("everyday")), scorer)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of signs it may find."""
        return frozenset(self._signs) | {TONE}

    def check(self, text: str) -> CrisisSign | None:
        """Return the first sign of danger in normalised text, or None."""
        cleared = self._everyday.sub(lambda match: "○" * len(match.group(0)), text)
        for kind, pattern in self._signs.items():
            if match := pattern.search(cleared):
                return CrisisSign(kind, match.start(), match.end())
        if self._scorer is not None and self._scorer.sounds_like_danger(cleared):
            return CrisisSign(TONE, 0, len(text))
        return None


def _joined(path: Path, name: str, entries: object) -> re.Pattern[str]:
    if not isinstance(entries, list) or not entries:
        raise LexiconError(f"{path.name}: {name}: needs at least one entry")
    for entry in entries:
        if not isinstance(entry, str):
            raise LexiconError(f"{path.name}: {name}: {entry!r}: must be a text")
        try:
            pattern = re.compile(entry)
        except re.error as error:
            raise LexiconError(f"{path.name}: {name}: {entry!r}: {error}") from None
        # It would ring for every message, or strike nothing and hide what stands behind it.
        if pattern.match(""):
            raise LexiconError(f"{path.name}: {name}: {entry!r}: matches the empty text")
    return re.compile("|".join(f"(?:{entry})" for entry in entries))
