"""How much a message sounds like somebody in danger; the lexicon (``bot.care.crisis``) knows sayings, this their look.

The weights come from ``data/care/sayings.tsv`` and from the training examples of the assistant
(``bot.nlu.train_scorer``).
"""

from __future__ import annotations

from bot.text.character_scorer import CharacterScorer

_FEWEST_WORD_CHARACTERS = 2


class DangerScorer(CharacterScorer):
    """A score at or above the threshold is a sign of danger."""

    __slots__ = ()

    def sounds_like_danger(self, text: str) -> bool:
        """Tell whether a normalised text reaches the threshold; signs without words sound like nothing."""
        return sum(map(str.isalnum, text)) >= _FEWEST_WORD_CHARACTERS and self.score(text) >= self.threshold
