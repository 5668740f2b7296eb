"""Keeping typed text from being taken for a command."""

import re

_BEFORE_WORDS = re.compile(r"^[\s/／\u200b-\u200f\u2060\ufeff\u00ad\x00-\x1f\x7f]+")
"""White space of every kind, slashes, and characters that show nothing."""

NOTHING = "…"
"""Stands for a text that was nothing but slashes and space."""


def defused(text: str) -> str:
    """Take away whatever stands before the first word: the engine reads text that begins with / as an order."""
    return _BEFORE_WORDS.sub("", text) or NOTHING
