"""The one shape every finder returns, and the book of characters already read."""

from dataclasses import dataclass
from typing import Generic, TypeVar

P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[P_co]):
    """``payload`` was read at ``start:end`` (half-open) of the text given to the finder.

    ``bare`` marks a number that nothing around it explains (1500): an answer to a question, or no value at all.
    """

    start: int
    end: int
    payload: P_co
    bare: bool = False


class Claims:
    """Characters already spoken for; a set of positions keeps long messages linear."""

    def __init__(self) -> None:
        self._positions: set[int] = set()

    def claim(self, start: int, end: int) -> bool:
        """Take the characters unless one of them is taken; tell whether it worked."""
        if not self.is_free(start, end):
            return False
        self._positions.update(range(start, end))
        return True

    def is_free(self, start: int, end: int) -> bool:
        """Tell whether none of the characters is taken."""
        return self._positions.isdisjoint(range(start, end))
