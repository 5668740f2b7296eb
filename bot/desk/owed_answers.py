"""Rights that somebody must be told of once they speak of them, whoever answers. Pure; the words are data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class OwedAnswerError(ValueError):
    """The file of owed answers cannot be used; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """A right: ``asked`` finds it in what a borrower says, ``told`` in an answer that leads on to it."""

    id: str
    asked: re.Pattern[str]
    told: re.Pattern[str]


def load_owed_answers(path: Path) -> tuple[OwedAnswer, ...]:
    """Read the rights and their words.

    Raises:
        OwedAnswerError: the file is unreadable, a field is missing, or a pattern is malformed or matches anything.
    """
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OwedAnswerError(f"{path.name}: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise OwedAnswerError(f"{path.name}: {wrong}") from None
    return tuple(
        OwedAnswer(name, _pattern(path, name, entry.asked), _pattern(path, name, entry.told))
        for name, entry in file.rights.items()
    )


def _pattern(path: Path, name: str, parts: Sequence[str]) -> re.Pattern[str]:
    try:
        pattern = re.compile("|".join(f"(?:{part})" for part in parts))
    except re.error as error:
        raise OwedAnswerError(f"{path.name}: {name}: {error}") from None
    if pattern.search("") is not None:
        raise OwedAnswerError(f"{path.name}: {name}: matches anything")
    return pattern


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: list[str] = Field(min_length=1)
    told: list[str] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rights: dict[str, _Entry]
