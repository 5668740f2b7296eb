"""Spoiling messages the way phones, keyboards and tired people do. Seeded by the row, so that runs can be compared.

Every variant keeps the label: one slip, a wrong character of the same sound, another script or a picture at the end
does not change what is wanted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import yaml
from pydantic import BaseModel, ConfigDict

from bot.nlu_scores import LabelledMessage
from bot.text.scripts import Script, to_script

TYPOS = Path(__file__).with_name("typos.yml")

_SEED = 20261121
_TILDES = "~～"


class _TypoFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    misspellings: dict[str, tuple[str, ...]]
    emoji: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typos:
    """The right spelling with its misspellings, a pattern that finds any right one, and emoji to append."""

    misspellings: Mapping[str, tuple[str, ...]]
    pattern: re.Pattern[str]
    emoji: tuple[str, ...]


@cache
def typos() -> Typos:
    """Read ``TYPOS`` once.

    Raises:
        pydantic.ValidationError: the file is not what this module reads.
    """
    read = _TypoFile.model_validate(yaml.safe_load(TYPOS.read_text("utf-8")))
    longest_first = sorted(read.misspellings, key=len, reverse=True)
    return Typos(read.misspellings, re.compile("|".join(map(re.escape, longest_first))), read.emoji)


def dropped_character(text: str, random: Random) -> str:
    """Leave one letter or digit out; a text that has only one stays."""
    places = _letters(text)
    if len(places) < 2:
        return text
    place = random.choice(places)
    return text[:place] + text[place + 1 :]


def doubled_character(text: str, random: Random) -> str:
    """Type one letter or digit twice."""
    places = _letters(text)
    if not places:
        return text
    place = random.choice(places)
    return text[: place + 1] + text[place:]


def homophones(text: str, random: Random) -> str:
    """Misspell about half of the words that the table knows, at least one; a text without any stays."""
    known = typos()
    found = list(known.pattern.finditer(text))
    if not found:
        return text
    hit = {random.randrange(len(found))} | {place for place in range(len(found)) if random.random() < 0.5}
    parts, last = [], 0
    for place, match in enumerate(found):
        if place in hit:
            parts += [text[last : match.start()], random.choice(known.misspellings[match.group()])]
            last = match.end()
    return "".join([*parts, text[last:]])


def traditional(text: str, random: Random) -> str:
    """Write everything in Traditional script."""
    return to_script(text, Script.HANT)


def unpunctuated(text: str, random: Random) -> str:
    """Leave punctuation and spaces out; a text that is nothing else stays."""
    return "".join(c for c in text if c not in _TILDES and unicodedata.category(c)[0] not in "PZC") or text


def emoji(text: str, random: Random) -> str:
    """Append a picture."""
    return text + random.choice(typos().emoji)


VARIANTS: Mapping[str, Callable[[str, Random], str]] = {
    made.__name__: made for made in (dropped_character, homophones, traditional, unpunctuated, doubled_character, emoji)
}
"""By name, in the order of the report."""


def spoil(name: str, row: LabelledMessage) -> str:
    """Return a row's text in the variant ``name``; the same for the same row, whatever else is measured."""
    # Not a secret: the same spoilt texts must come back in every run.
    return VARIANTS[name](row.text, Random(f"{_SEED} {name} {row.id}"))  # noqa: S311


def _letters(text: str) -> list[int]:
    return [place for place, character in enumerate(text) if character.isalnum()]
