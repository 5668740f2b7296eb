"""Replies that operators start from, by stage of a conversation. Pure.

Each is read by the tone gate when the file is loaded: what must not be said cannot be offered either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Stage(StrEnum):
    """Where a conversation stands, in the order in which it goes."""

    GREETING = "greeting"
    IDENTITY = "identity"
    EXPLAINING = "explaining"
    HARDSHIP = "hardship"
    PLAN = "plan"
    COMPLAINT = "complaint"
    SAFETY = "safety"
    CLOSING = "closing"


class CannedError(ValueError):
    """The file of replies cannot be used; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A reply to start from: what the list shows, and the text that goes into the box."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class CannedReplies:
    """Replies by stage, in the order of the file."""

    by_stage: Mapping[Stage, tuple[CannedReply, ...]]

    @classmethod
    def load(cls, path: Path, rules_broken: Callable[[str], Sequence[str]]) -> CannedReplies:
        """Read the file; ``rules_broken`` returns the ids of the rules of tone that a text breaks.

        Raises:
            CannedError: the file is unreadable, a stage is missing or unknown, a text is too long or breaks a rule.
        """
        try:
            file = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CannedError(f"{path.name}: {error}") from None
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise CannedError(f"{path.name}: {wrong}") from None
        for stage in Stage:
            if stage not in file.replies:
                raise CannedError(f"{path.name}: {stage.value}: missing")
            for reply in file.replies[stage]:
                if broken := rules_broken(reply.text):
                    raise CannedError(f"{path.name}: {stage.value}: {reply.title}: breaks {', '.join(broken)}")
        return cls({stage: tuple(CannedReply(one.title, one.text) for one in file.replies[stage]) for stage in Stage})


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=20)
    text: str = Field(min_length=1, max_length=500)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    replies: dict[Stage, list[_Reply]]
