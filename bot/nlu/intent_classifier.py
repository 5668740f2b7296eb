"""Intent classifier: character n-grams and a linear support vector machine with calibrated probabilities.

Short, noisy Chinese messages are read best by their characters (figures in ``docs/nlu.md``). The full label is learned,
also for the retrieval intent: ``rights/credit_report`` is reported as intent ``rights`` with the topic in
``response_selector``, the way Rasa's own response selector reports it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import skops.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

_FILE = "intents.skops"
_TRUSTED_PREFIXES = ("sklearn.", "numpy.", "scipy.")


class ModelFileError(Exception):
    """A stored classifier holds types that this component never writes."""


class TooFewExamples(Exception):
    """An intent has fewer examples than calibration needs. The text names it."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CharacterIntentClassifier(IntentClassifier, GraphComponent):
    """Trainable component; ``get_default_config`` lists its settings."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the defaults."""
        return {"max_ngram": 3, "regularization": 0.5, "calibration_folds": 4, "ranking_length": 10}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model: Pipeline | None = None

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CharacterIntentClassifier:
        """Create an untrained component."""
        return cls({**cls.get_default_config(), **config}, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on every example that has an intent, and store the result."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts = [example.get(TEXT) for example in examples]
        labels = [example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples]
        rare = [name for name, count in Counter(labels).items() if count < self._config["calibration_folds"]]
        if rare:
            raise TooFewExamples(f"too few training examples to calibrate: {sorted(map(str, rare))}")
        model = Pipeline(
            [
                (
                    "characters",
                    TfidfVectorizer(analyzer="char", ngram_range=(1, self._config["max_ngram"]), sublinear_tf=True),
                ),
                (
                    "intents",
                    CalibratedClassifierCV(
                        LinearSVC(C=self._config["regularization"], random_state=7),
                        cv=self._config["calibration_folds"],
                    ),
                ),
            ]
        )
        self._model = model.fit(texts, np.array(labels))
        with self._model_storage.write_to(self._resource) as folder:
            skops.io.dump(self._model, folder / _FILE)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> CharacterIntentClassifier:
        """Load a trained component.

        Raises:
            ModelFileError: the file holds types other than those of the libraries used here.
        """
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            unknown = skops.io.get_untrusted_types(file=folder / _FILE)
            if foreign := [name for name in unknown if not name.startswith(_TRUSTED_PREFIXES)]:
                raise ModelFileError(f"unexpected types in the stored classifier: {foreign}")
            component._model = skops.io.load(folder / _FILE, trusted=unknown)
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent, its ranking and, for a retrieval intent, the topic."""
        if self._model is None:
            return messages
        texts = [message.get(TEXT) or "" for message in messages]
        for message, chances in zip(messages, self._model.predict_proba(texts), strict=True):
            order = chances.argsort()[::-1][: self._config["ranking_length"]]
            ranking = [{"name": str(self._model.classes_[i]), "confidence": float(chances[i])} for i in order]
            _report(message, ranking)
        return messages


def _report(message: Message, ranking: list[dict[str, Any]]) -> None:
    best = ranking[0]
    base, _, topic = best["name"].partition("/")
    message.set("intent", {"name": base, "confidence": best["confidence"]}, add_to_output=True)
    message.set("intent_ranking", ranking, add_to_output=True)
    if topic:
        selected = {"response": {"intent_response_key": best["name"], "confidence": best["confidence"]}, "ranking": []}
        message.set("response_selector", {"all_retrieval_intents": [base], base: selected}, add_to_output=True)
