"""Rewriting text while remembering where each character came from."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bot.text.scripts import to_simplified

Span = tuple[int, int]

_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u20e3\u3164\uffa0\ufffc\ufffd")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Aligned:
    """Text under way with, for each character, its span in the original."""

    text: str
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, text: str) -> "Aligned":
        """Start from the original text, each character standing for itself."""
        return cls(text, tuple((i, i + 1) for i in range(len(text))))

    def replace(
        self,
        pattern: re.Pattern[str],
        replacement: str | Callable[[re.Match[str]], str],
    ) -> "Aligned":
        """Substitute like ``re.sub``; a replacement of equal length is aligned character by character."""
        match = pattern.search(self.text)
        if match is None:
            return self
        pieces: list[str] = []
        spans: list[Span] = []
        last = 0
        for match in pattern.finditer(self.text):
            start, end = match.span()
            new = replacement if isinstance(replacement, str) else replacement(match)
            pieces += self.text[last:start], new
            spans += self.spans[last:start]
            if len(new) == end - start:
                spans += self.spans[start:end]
            elif start < end:
                spans += [(self.spans[start][0], self.spans[end - 1][1])] * len(new)
            last = end
        pieces.append(self.text[last:])
        spans += self.spans[last:]
        return Aligned("".join(pieces), tuple(spans))

    def same_length(self, text: str) -> "Aligned":
        """Take over a rewriting that kept every character in its place."""
        return Aligned(text, self.spans)

    def keep(self, wanted: Callable[[str], bool]) -> "Aligned":
        """Drop the characters that are not wanted."""
        if all(map(wanted, self.text)):
            return self
        pairs = [(c, s) for c, s in zip(self.text, self.spans, strict=True) if wanted(c)]
        return Aligned("".join(c for c, _ in pairs), tuple(s for _, s in pairs))


def unify_characters(aligned: Aligned) -> Aligned:
    """Write each character in one way: NFKC, invisible ones out, lower-case Latin, Simplified script.

    Words and numbers are untouched, so values can be read from the result.
    """
    aligned = _compatibility_forms(aligned).keep(_is_visible)
    aligned = aligned.same_length(aligned.text.translate(_LOWER))
    simplified = to_simplified(aligned.text)
    if len(simplified) != len(aligned.text):
        simplified = "".join(to_simplified(c)[:1] or c for c in aligned.text)
    return aligned.same_length(simplified)


def _compatibility_forms(aligned: Aligned) -> Aligned:
    """NFKC, one base character with its combining marks at a time, so that spans stay narrow."""
    text = aligned.text
    if unicodedata.is_normalized("NFKC", text):
        return aligned
    pieces: list[str] = []
    spans: list[Span] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _joins_previous(text[end]):
            end += 1
        new = unicodedata.normalize("NFKC", text[start:end])
        pieces.append(new)
        if len(new) == end - start:
            spans += aligned.spans[start:end]
        else:
            spans += [(aligned.spans[start][0], aligned.spans[end - 1][1])] * len(new)
        start = end
    return Aligned("".join(pieces), tuple(spans))


def _joins_previous(character: str) -> bool:
    if character < "\u0300":
        return False
    return unicodedata.combining(character) != 0 or "\u1160" <= character <= "\u11ff" or character in "\uff9e\uff9f"


def _is_visible(character: str) -> bool:
    if character in "\t\n\r":
        return True
    if character in _INVISIBLE_LETTERS or "\ufe00" <= character <= "\ufe0f":
        return False
    if "\U000e0100" <= character <= "\U000e01ef":
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
