"""The storm itself: it ends, whatever becomes of the desk, and injects what it was asked to."""

from __future__ import annotations

import time

import pytest

from tests.chaos.storm import Storm
from tests.scale.stand import Stand


class GoneStand(Stand):
    """Two of everything of which nothing is left."""

    def __init__(self) -> None:
        self.names = ("gateway 1",)

    def pid(self, name: str) -> int | None:
        return None


def test_a_storm_that_breaks_off_is_over_all_the_same() -> None:
    storm = Storm(GoneStand(), 1, print, frozenset({"kill gateway"}), peace=(0.0, 0.0))
    with pytest.raises(IndexError):
        storm.rage(time.monotonic() + 60)
    assert storm.over.is_set()
    assert storm.done == []
    assert storm.left_out == ["kill gateway"]


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="kill gatway"):
        Storm(GoneStand(), 1, print, frozenset({"kill gatway"}))
