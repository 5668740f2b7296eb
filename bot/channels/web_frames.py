"""What the page sends over its line, frame by frame, read from whatever anybody sends."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

FRAME_LIMIT = 64_000
"""Characters of one frame."""
LONGEST_KEY = 64

_MOST_SEQ = 2**31 - 1
"""More than any conversation has messages, and as much as the database's number holds."""
_STORABLE = r"^[^\x00]*$"
"""PostgreSQL stores every character but U+0000."""
Key = Annotated[str, Field(min_length=8, max_length=LONGEST_KEY, pattern=_STORABLE)]
Seq = Annotated[int, Field(ge=0, le=_MOST_SEQ)]


class Hello(BaseModel):
    """First frame: the highest ``seq`` the page already shows."""

    type: Literal["hello"]
    after: Seq


class Say(BaseModel):
    """Something typed; ``key`` makes sending it again harmless."""

    type: Literal["say"]
    key: Key
    text: str


class Press(BaseModel):
    """A quick reply pressed."""

    type: Literal["press"]
    key: Key
    token: str = Field(max_length=100, pattern=_STORABLE)


class Seen(BaseModel):
    """The page has shown everything up to ``seq``."""

    type: Literal["seen"]
    seq: Seq


Frame = Annotated[Hello | Say | Press | Seen, Field(discriminator="type")]
FRAME: TypeAdapter[Hello | Say | Press | Seen] = TypeAdapter(Frame)
"""Reads a frame; raises ``pydantic.ValidationError`` for anything else."""


def key_of(text: str | None) -> str | None:
    """Find the client's key in a frame that could not be read, so that it is not sent for ever."""
    try:
        raw = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    key = raw.get("key") if isinstance(raw, dict) else None
    return key if isinstance(key, str) and len(key) <= LONGEST_KEY and _can_be_sent(key) else None


def _can_be_sent(text: str) -> bool:
    """Half of a surrogate pair can be written in JSON, and then be sent to nobody."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
