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
            WordingError: a file is unreadable, an entry is neither a text nor a list of texts, a placeholder is
                malformed, or a name is given twice.
        """
        texts: dict[str, tuple[str, ...]] = {}
        for path in paths:
            for name, value in _read(path).items():
                entries = [entry for entry in _listed(value) if isinstance(entry, str) and entry.strip()]
                if name in texts or not entries or len(entries) != len(_listed(value)):
                    raise WordingError(f"{path.name}: {name}: must be given once, as a text or a list of texts")
                if not all(Template(entry).is_valid() for entry in entries):
                    raise WordingError(f"{path.name}: {name}: a $ must begin a ${{placeholder}} or be doubled")
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


def _read(path: Path) -> dict[str, object]:
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WordingError(f"{path.name}: {error}") from None
    if not isinstance(raw, dict) or not all(isinstance(name, str) for name in raw):
        raise WordingError(f"{path.name}: must hold texts by name")
    return raw


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
