"""Breaking Chinese text into lines: no number is torn apart, no line begins with a full stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_PIECE = re.compile(r"[0-9A-Za-z¥.,:%/+\-_#@&]+|\s+|.", re.DOTALL)
_NEVER_FIRST = frozenset("，。、；：？！）》」』”’…—％·,.;:?!)")
_NEVER_LAST = frozenset("（《「『“‘(¥")

Measure = Callable[[str], float]
"""Returns the width of a text, in any unit."""


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Break a text into lines of at most ``width``, in the unit of ``measure``; line breaks in the text are kept.

    Nothing is lost but white space at the ends of lines. A single piece that is wider than a line is cut through.
    """
    return [line for part in text.split("\n") for line in _wrapped(part, width, measure)]


def _wrapped(text: str, width: float, measure: Measure) -> Iterator[str]:
    line = ""
    for piece in _unbreakable(text):
        if measure((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            yield line.rstrip()
        line = piece.lstrip()
        while measure(line.rstrip()) > width:
            cut = _fitting(line, width, measure)
            yield line[:cut]
            line = line[cut:]
    yield line.rstrip()


def _unbreakable(text: str) -> Iterator[str]:
    """Yield the pieces between which a line may end: marks stay with what they belong to."""
    held = ""
    for piece in _PIECE.findall(text):
        if held and held[-1] not in _NEVER_LAST and piece[0] not in _NEVER_FIRST:
            yield held
            held = ""
        held += piece
    if held:
        yield held


def _fitting(text: str, width: float, measure: Measure) -> int:
    """Return how many characters fit, at least one."""
    count = 1
    while count < len(text) and measure(text[: count + 1]) <= width:
        count += 1
    return count
