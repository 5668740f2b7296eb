"""Keeping typed text from being taken for a command."""

import re

from bot.text.normalize import normalize_text

_BEFORE_WORDS = re.compile(r"^[\s/／\u200b-\u200f\u2060\ufeff\u00ad\x00-\x1f\x7f]+")
"""White space of every kind, slashes, and characters that show nothing."""

_ORDER = re.compile(r"[a-z][a-z0-9_/]*\s*(\{.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
"""What follows the slash of an order: the name of an intent or action, and perhaps values."""

NOTHING = "…"
"""Stands for a text without words for the desk: slashes and space, or an order to the engine."""


def defused(text: str) -> str:
    """Take away whatever stands before the first word: the engine reads text that begins with / as an order.

    An order that was typed says nothing either. Only its slash taken away, /affirm would still read as a yes.
    """
    words = _BEFORE_WORDS.sub("", text)
    before = text[: len(text) - len(words)]
    is_order = ("/" in before or "／" in before) and _ORDER.fullmatch(words.strip())
    return NOTHING if is_order or not words else words


def read_by_engine(text: str) -> str:
    """Return what the engine reads of a message: plain words, but the order of a button letter by letter.

    A button carries the hash of what it agrees to; taking repeated letters together would make it another hash.
    """
    return text if text.startswith("/") else normalize_text(text) or text
