"""Case numbers: digits only, so that they can be read out in any dialect and typed on any keyboard.

Eight digits are drawn, two check them (ISO 7064 MOD 97-10): one digit heard wrong, or two that changed places, make no
other number. A number tells nothing of the person, the day or how many cases there are, and opens nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LOWEST, _DRAWN = 10_000_000, 90_000_000
_FOUND = re.compile(r"(?<!\d)(\d{4})[ -]?(\d{4})[ -]?(\d{2})(?!\d)")


def new_number(draw: Callable[[int], int]) -> str:
    """Return a number as ``1234-5678-90``; ``draw(n)`` returns a random number from 0 to n - 1."""
    digits = str(_LOWEST + draw(_DRAWN))
    return f"{digits[:4]}-{digits[4:]}-{_check(digits)}"


def read_number(text: str) -> str | None:
    """Return the first case number in a text, as it is written on record; None where none checks out."""
    for first, second, check in _FOUND.findall(text):
        if first[0] != "0" and _check(first + second) == check:
            return f"{first}-{second}-{check}"
    return None


def _check(digits: str) -> str:
    return f"{98 - int(digits) * 100 % 97:02d}"
