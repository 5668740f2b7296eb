"""The words of documents. They live in ``data/templates/documents.yml``, in Simplified script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from string import Template

import yaml

from bot.documents.fonts import printable
from bot.text.scripts import Script, to_script


class DocumentWordsError(Exception):
    """The file of words cannot be used, or a text or a value for it is missing."""


@dataclass(frozen=True, slots=True)
class DocumentWords:
    """Texts by name."""

    texts: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> DocumentWords:
        """Read the words.

        Raises:
            DocumentWordsError: the file is unreadable, or an entry is not a text with well-formed ``${placeholders}``.
        """
        try:
            raw = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise DocumentWordsError(f"{path.name}: {error}") from None
        if not isinstance(raw, dict):
            raise DocumentWordsError(f"{path.name}: must hold texts by name")
        for name, text in raw.items():
            if not isinstance(name, str) or not isinstance(text, str) or not Template(text).is_valid():
                raise DocumentWordsError(f"{path.name}: {name}: must be a text with well-formed placeholders")
        return cls({name: text.strip() for name, text in raw.items()})


@dataclass(frozen=True, slots=True)
class Speech:
    """The words in one reader's script."""

    words: DocumentWords
    script: Script

    def say(self, name: str, /, **values: str) -> str:
        """Return a text with its placeholders filled, in the reader's script; the values are put in as they are.

        Raises:
            DocumentWordsError: the name or a value is missing.
        """
        try:
            text = Template(to_script(self.words.texts[name], self.script)).substitute(values)
        except KeyError as missing:
            raise DocumentWordsError(f"{name}: missing {missing}") from None
        return printable(text, self.script)

    def convert(self, text: str) -> str:
        """Return a text of the desk's own in the reader's script."""
        return printable(to_script(text, self.script), self.script)

    def keep(self, text: str) -> str:
        """Return a name as it is, for converting a person's name would change it."""
        return printable(text, self.script)

    @property
    def characters(self) -> frozenset[str]:
        """Every character of the words in this script: a font cut with them serves the next paper as well."""
        return _characters(tuple(self.words.texts.values()), self.script)

    def day(self, day: date) -> str:
        """Return a day with its year: papers are read years later."""
        return self.say("day", year=str(day.year), month=str(day.month), day=str(day.day))


@lru_cache(maxsize=2 * len(Script))
def _characters(texts: tuple[str, ...], script: Script) -> frozenset[str]:
    return frozenset(printable(to_script("".join(texts), script), script))
