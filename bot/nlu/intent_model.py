"""The statistics behind the intent classifier, free of Rasa: features, training, probabilities, storing.

Features are TF-IDF over character n-grams and, beside them, sentence vectors. A linear support vector machine scores
every label; one temperature, fitted on scores that the machine gave to examples it had not seen, turns scores into
probabilities. Figures behind these choices: ``docs/nlu.md``.

A model is stored as plain JSON and arrays of numbers: nothing in the files can run, and they are read in a second.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.nlu.sentence_encoder import Vectors, sentence_encoder

_SEED = 7
_ABOUT = "intents.json"
_NUMBERS = "intents.npz"
_TEMPERATURES = (0.01, 5.0)

SAFETY = frozenset(
    {"express_distress", "wrong_person", "third_party_inquiry", "stop_contact", "request_human", "dispute_debt"}
)
"""Labels that are worse to miss than to hear where nobody said them."""

Scores = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]


class ModelFileError(Exception):
    """The files are not a model as this module writes it. The text says what is wrong."""


class TooFewExamples(Exception):
    """A label has fewer examples than calibration needs. The text names it."""


@dataclass(frozen=True, slots=True)
class IntentSettings:
    """What the model is made of.

    ``vector_weight`` scales the sentence vectors against the character features, each of length one.
    ``sentence_encoder`` empty leaves them out. One of ``calibration_parts`` equal parts of the examples is kept from a
    second machine, for the temperature to be fitted on. ``safety_margin`` is added to the scores of the labels in
    ``SAFETY``: between one of them and another label, doubt speaks for safety.
    """

    max_ngram: int = 3
    regularization: float = 1.0
    sentence_encoder: str = "usem3"
    vector_weight: float = 0.7
    calibration_parts: int = 3
    safety_margin: float = 0.05


@dataclass(frozen=True, slots=True)
class _Machine:
    """What a trained support vector machine is when it only reads: one column of weights for each label.

    Features come as float32 too: with equal types the product copies none of the weights.
    """

    labels: tuple[str, ...]
    weights: Weights
    intercepts: Scores

    @classmethod
    def of(cls, trained: LinearSVC) -> _Machine:
        labels = tuple(str(label) for label in trained.classes_)
        weights, intercepts = trained.coef_, trained.intercept_
        if len(labels) == 2:  # The library keeps one row for two labels.
            weights, intercepts = np.vstack([-weights, weights]), np.hstack([-intercepts, intercepts])
        return cls(labels, np.ascontiguousarray(weights.T, np.float32), intercepts)

    def scores(self, features: scipy.sparse.csr_matrix) -> Scores:
        scores: Scores = features.astype(np.float32) @ self.weights + self.intercepts
        return scores


class IntentModel:
    """A trained model. ``labels`` are in the order of the columns of ``probabilities``."""

    def __init__(
        self, settings: IntentSettings, vectorizer: TfidfVectorizer, machine: _Machine, temperature: float
    ) -> None:
        self.settings = settings
        self.temperature = temperature
        self.labels = machine.labels
        self._vectorizer = vectorizer
        self._machine = machine
        self._margins = np.array([settings.safety_margin if label in SAFETY else 0.0 for label in self.labels])

    @classmethod
    def train(
        cls, texts: Sequence[str], labels: Sequence[str], settings: IntentSettings, weights: Sequence[float] = ()
    ) -> IntentModel:
        """Learn from normalised texts and their labels; ``weights`` say how much each counts, all the same without.

        Raises:
            TooFewExamples: a label has fewer examples than there are parts.
        """
        rare = sorted(name for name, count in Counter(labels).items() if count < settings.calibration_parts)
        if rare:
            raise TooFewExamples(f"too few training examples to calibrate: {rare}")
        vectors = _vectors(texts, settings)
        gold = np.array(labels)
        counts = np.array(weights) if weights else np.ones(len(texts))
        vectorizer = _vectorizer(settings).fit(texts)
        machine = _machine(settings).fit(
            _joined(vectorizer.transform(texts), vectors, settings), gold, sample_weight=counts
        )
        unseen, right = _unseen_scores(texts, gold, vectors, counts, settings)
        temperature = _temperature(unseen, np.searchsorted(machine.classes_, right))
        return cls(settings, vectorizer, _Machine.of(machine), temperature)

    def probabilities(self, texts: Sequence[str]) -> Scores:
        """Return one row for each normalised text, one column for each label; rows add up to 1."""
        characters = self._vectorizer.transform(texts)
        scores = self._machine.scores(_joined(characters, _vectors(texts, self.settings), self.settings))
        # Signs alone, or not one known character: whatever the vectors say of such a text, nothing is known about it.
        wordless = np.array([not any(map(str.isalnum, text)) for text in texts], dtype=bool)
        scores[wordless | (np.diff(characters.indptr) == 0)] = -self._margins
        chances: Scores = softmax((scores + self._margins) / self.temperature, axis=1)
        return chances

    def save(self, folder: Path) -> None:
        """Write the model into a folder."""
        grams = self._vectorizer.vocabulary_
        about = {
            "settings": asdict(self.settings),
            "temperature": self.temperature,
            "labels": self.labels,
            "grams": sorted(grams, key=grams.__getitem__),
        }
        (folder / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), "utf-8")
        machine = self._machine
        np.savez(folder / _NUMBERS, idf=self._vectorizer.idf_, weights=machine.weights, intercepts=machine.intercepts)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read a model back.

        Raises:
            ModelFileError: the files are missing, or are not such a model.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text("utf-8"))
            settings = IntentSettings(**about["settings"])
            with np.load(folder / _NUMBERS, allow_pickle=False) as numbers:
                vectorizer = _vectorizer(settings, {gram: column for column, gram in enumerate(about["grams"])})
                vectorizer.idf_ = numbers["idf"]
                machine = _Machine(tuple(about["labels"]), numbers["weights"], numbers["intercepts"])
            return cls(settings, vectorizer, machine, float(about["temperature"]))
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise ModelFileError(f"{folder}: not a stored model: {error}") from error


def _vectorizer(settings: IntentSettings, grams: dict[str, int] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char", ngram_range=(1, settings.max_ngram), sublinear_tf=True, vocabulary=grams)


def _machine(settings: IntentSettings) -> LinearSVC:
    return LinearSVC(C=settings.regularization, random_state=_SEED)


def _vectors(texts: Sequence[str], settings: IntentSettings) -> Vectors | None:
    return sentence_encoder(settings.sentence_encoder).encode(texts) if settings.sentence_encoder else None


def _joined(
    characters: scipy.sparse.csr_matrix, vectors: Vectors | None, settings: IntentSettings
) -> scipy.sparse.csr_matrix:
    if vectors is None:
        return characters
    return scipy.sparse.hstack([characters, settings.vector_weight * vectors]).tocsr()


def _unseen_scores(
    texts: Sequence[str],
    gold: npt.NDArray[np.str_],
    vectors: Vectors | None,
    counts: Scores,
    settings: IntentSettings,
) -> tuple[Scores, npt.NDArray[np.str_]]:
    """Train a machine without one part of the examples; return its scores for that part, and the right labels."""
    parts = StratifiedKFold(settings.calibration_parts, shuffle=True, random_state=_SEED)
    kept, left_out = next(parts.split(np.zeros(len(texts)), gold))
    vectorizer = _vectorizer(settings).fit([texts[i] for i in kept])
    seen, new = (
        _joined(
            vectorizer.transform([texts[i] for i in rows]),
            None if vectors is None else vectors[rows],
            settings,
        )
        for rows in (kept, left_out)
    )
    machine = _machine(settings).fit(seen, gold[kept], sample_weight=counts[kept])
    return machine.decision_function(new), gold[left_out]


def _temperature(scores: Scores, columns: npt.NDArray[np.intp]) -> float:
    """Return the temperature under which the right labels are likeliest."""
    rows = np.arange(len(columns))

    def loss(temperature: float) -> float:
        return float(-log_softmax(scores / temperature, axis=1)[rows, columns].mean())

    return float(minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x)
