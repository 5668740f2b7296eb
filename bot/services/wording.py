"""Fixed words for borrowers that must be there even when the dialogue engine is not. They live in data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml


class WordingError(Exception):
    """A file of words cannot be used, or a text or a value for it is missing."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Texts by name; some names hold several messages, sent one after the other."""

    texts: dict[str, tuple[str, ...]]

    @classmethod
    def load(cls, *paths: Path) -> Wording:
        """Read the files of words.

        Raises:
            WordingError: an entry is neither a text nor a list of texts, or a name is given twice.
        """
        texts: dict[str, tuple[str, ...]] = {}
        for path in paths:
            for name, value in yaml.safe_load(path.read_text("utf-8")).items():
                entries = value if isinstance(value, list) else [value]
                if name in texts or not all(isinstance(entry, str) and entry.strip() for entry in entries):
                    raise WordingError(f"{path.name}: {name}: must be given once, as a text or a list of texts")
                texts[name] = tuple(entry.strip() for entry in entries)
        return cls(texts)

    def all(self, name: str, **values: str) -> tuple[str, ...]:
        """Return every message of a name with its ``${placeholders}`` filled.

        Raises:
            WordingError: the name or a value is missing.
        """
        try:
            return tuple(Template(text).substitute(values) for text in self.texts[name])
        except KeyError as missing:
            raise WordingError(f"{name}: missing {missing}") from None

    def one(self, name: str, **values: str) -> str:
        """Return the only or first message of a name."""
        return self.all(name, **values)[0]
