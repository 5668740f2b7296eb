"""How much a sentence sounds like pressure, and which rule it would break; the patterns know words, this the look.

The weights are learned from ``data/outreach/tone_sayings.tsv`` by ``bot.nlu.train_scorer``. Everything here is free of
pydantic, because the trainer runs in the assistant's environment.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.text.alignment import Aligned, unify_characters
from bot.text.character_scorer import CharacterScorer, ScorerError, grams, stored_in

STRUCK = "○"
"""Stands for a character that no reader looks at any more."""

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
# Not the marks that end a clause: patterns use them.
_BETWEEN = re.compile(rf"(?<=[{_HAN}])[^\w,。!?;:、\"“”()《》¥$%\n]+(?=[{_HAN}])|(?<=[{_HAN}])_+(?=[{_HAN}])")
_ONE_CHARACTER = str.maketrans(
    {"你": "您", "妳": "您", "著": "着", "帐": "账", "\n": "。", "‘": "“", "’": "”", "「": "“", "」": "”"}
)
_SENTENCE_END = re.compile(rf"[。!?{STRUCK}]+")
_NUMBER = re.compile(r"\d[\d,.]*")
_NO_WORD = re.compile(r"[^\w]+")
_FEWEST_CHARACTERS = 4


def in_one_spelling(text: str) -> Aligned:
    """Return the text in Simplified, half-width, lower case, 你 as 您, without emoji and what hides characters."""
    aligned = unify_characters(Aligned.of(text))
    aligned = aligned.same_length("".join(map(_plain_letter, aligned.text)).translate(_ONE_CHARACTER))
    return aligned.keep(_is_no_picture).replace(_BETWEEN, "")


def passages(text: str) -> tuple[str, ...]:
    """Return what is read as one: each sentence of a text in one spelling, and each two that follow each other.

    A hint often takes two sentences; a kind sentence in front must not outweigh what comes after it. Numbers read
    alike and punctuation within a sentence is left out, since people set it as they like.
    """
    bare = (_NO_WORD.sub("", _NUMBER.sub("0", part)) for part in _SENTENCE_END.split(text))
    sentences = [part for part in bare if part]
    pairs = [f"{first}。{second}" for first, second in itertools.pairwise(sentences)]
    return tuple(part for part in (*sentences, *pairs) if len(part) >= _FEWEST_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A text sounds forbidden; ``rule`` is the one it most likely breaks, None when that is not clear."""

    rule: str | None


@dataclass(frozen=True, slots=True)
class ToneScorer:
    """One scorer for whether a passage sounds forbidden, and one a rule for what it breaks."""

    forbidden: CharacterScorer
    rules: Mapping[str, CharacterScorer]

    @classmethod
    def load(cls, path: Path) -> ToneScorer:
        """Read the weights.

        Raises:
            ScorerError: the file is unreadable or not what the trainer writes.
        """
        stored = stored_in(path)
        rules = stored.get("rules")
        if not isinstance(rules, dict) or not all(isinstance(one, dict) for one in rules.values()):
            raise ScorerError(f"{path.name}: needs weights by rule")
        return cls(
            CharacterScorer.of(stored, path.name),
            {str(rule): CharacterScorer.of(one, f"{path.name}: {rule}") for rule, one in rules.items()},
        )

    def suspicion(self, text: str) -> Suspicion | None:
        """Return what is wrong with a text in one spelling, or None when no passage reaches the threshold."""
        read = [grams(passage) for passage in passages(text)]
        if not read:
            return None
        score, runs = max(((self.forbidden.score_of(one), one) for one in read), key=lambda pair: pair[0])
        return Suspicion(self._rule(runs)) if score >= self.forbidden.threshold else None

    def _rule(self, runs: frozenset[str]) -> str | None:
        scores = {rule: scorer.score_of(runs) for rule, scorer in self.rules.items()}
        best = max(scores, key=lambda rule: scores[rule], default=None)
        return best if best is not None and scores[best] >= self.rules[best].threshold else None


def _plain_letter(character: str) -> str:
    """Take tone marks off a Latin letter."""
    if character < "\u00c0" or character > "\u1eff":
        return character
    first = unicodedata.normalize("NFD", character)[0]
    return first if first.isascii() else character


def _is_no_picture(character: str) -> bool:
    return character < "\u00a9" or character == STRUCK or unicodedata.category(character) not in ("So", "Sk")
