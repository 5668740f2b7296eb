"""How a transcript is cut for the full-text index: pairs of neighbouring characters, so that any word is found.

Chinese has no spaces, and a dictionary cuts the same characters differently in a question and in a sentence. Pairs do
not depend on where words begin: a text holds what was asked for exactly if it holds its pairs one behind the other.
Pure; why pairs and not words is measured in ``docs/decisions/0013-transcripts-found-by-pairs.md``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.text.scripts import to_simplified

LONGEST_QUERY = 60
"""Characters of a question that are looked for; the rest is left out."""

_LONGEST_WORD = 40
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_RUN = re.compile(rf"(?P<han>[{_HAN}]+)|[^\W_{_HAN}]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One unbroken part of a question: tokens that must stand one behind the other; the last may be a beginning."""

    tokens: tuple[str, ...]
    is_prefix: bool


def fold(text: str) -> str:
    """Bring a text into the one spelling that is indexed and asked in: Simplified, half-width, lower case."""
    return to_simplified(unicodedata.normalize("NFKC", text)).casefold()


def index_tokens(text: str) -> Iterator[str]:
    """Yield the tokens of a text in order.

    Each run of Chinese characters gives its pairs and, last, its last character, so that a single character is found
    as the beginning of a token wherever it stands. Latin words and numbers stay whole.
    """
    for run in _RUN.finditer(fold(text)):
        word = run.group(0)
        if run.group("han"):
            yield from (word[start : start + 2] for start in range(len(word)))
        else:
            yield word[:_LONGEST_WORD]


def query_terms(words: str) -> tuple[Term, ...]:
    """Cut what somebody looks for; a text is found if it holds every term. Empty if there is nothing to look for.

    Latin words and numbers are found by their beginning, Chinese words wherever they stand.
    """
    terms = []
    for run in _RUN.finditer(fold(words[:LONGEST_QUERY])):
        word = run.group(0)
        if run.group("han") and len(word) > 1:
            terms.append(Term(tuple(word[start : start + 2] for start in range(len(word) - 1)), is_prefix=False))
        else:
            terms.append(Term((word[:_LONGEST_WORD],), is_prefix=True))
    return tuple(dict.fromkeys(terms))
