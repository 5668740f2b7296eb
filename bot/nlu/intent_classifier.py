"""Intent classifier: character n-grams and sentence vectors under a linear support vector machine.

The full label is learned, also for the retrieval intent: ``rights/credit_report`` is reported as intent ``rights`` with
the topic in ``response_selector``, the way Rasa's own response selector reports it. A message that holds two requests
has the first one reported as its intent and the other one beside it (``also_asked``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_model import IntentModel, IntentSettings
from bot.nlu.requests import Reading, Understood, clauses, core, understand
from bot.nlu.ways_of_asking import ways_of_asking

ALSO_ASKED = "also_asked"
"""Message attribute: the label of a second request, or nothing."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class DeskIntentClassifier(IntentClassifier, GraphComponent):
    """Trainable component; its settings are those of ``IntentSettings``, ``ranking_length``, and two about articles.

    The ways of asking in ``article_folder`` are learned from as examples of their topics, each counting as
    ``article_weight`` of an example: there are many of them, and they are about nothing else.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the defaults."""
        settings = IntentSettings()
        own = {"ranking_length": 10, "article_folder": "", "article_weight": 0.3}
        return {field.name: getattr(settings, field.name) for field in fields(settings)} | own

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._article_folder = str(config["article_folder"])
        self._article_weight = float(config["article_weight"])
        self._ranking_length = int(config["ranking_length"])
        self._settings = IntentSettings(**{field.name: config[field.name] for field in fields(IntentSettings)})
        self._model_storage = model_storage
        self._resource = resource
        self._model: IntentModel | None = None

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> DeskIntentClassifier:
        """Create an untrained component."""
        return cls({**cls.get_default_config(), **config}, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on every example that has an intent, and store the result."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts = [str(example.get(TEXT)) for example in examples]
        labels = [str(example.get(INTENT_RESPONSE_KEY) or example.get(INTENT)) for example in examples]
        known = set(texts)
        asked = ways_of_asking(Path(self._article_folder)) if self._article_folder else []
        further = [(text, f"rights/{article.partition('.')[0]}") for text, article in asked if text not in known]
        self._model = IntentModel.train(
            [*texts, *(text for text, _ in further)],
            [*labels, *(label for _, label in further)],
            self._settings,
            [1.0] * len(texts) + [self._article_weight] * len(further),
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> DeskIntentClassifier:
        """Load a trained component.

        Raises:
            ModelFileError: the files are missing, or are not such a model.
        """
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            component._model = IntentModel.load(folder)
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent, its ranking, for a retrieval intent the topic, and a second request."""
        for message in messages:
            if self._model is not None:
                _report(message, self._understood(self._model, str(message.get(TEXT) or "")))
        return messages

    def _understood(self, model: IntentModel, text: str) -> Understood:
        parts, inner = clauses(text), core(text)
        if len(parts) < 2:
            parts = ()
        whole, *rest = self._readings(model, [text, *parts, *([inner] if inner else ())])
        return understand(whole, rest[: len(parts)], rest[-1] if inner else None)

    def _readings(self, model: IntentModel, texts: Sequence[str]) -> list[Reading]:
        return [
            Reading(tuple((model.labels[i], float(row[i])) for i in row.argsort()[::-1][: self._ranking_length]))
            for row in model.probabilities(texts)
        ]


def _report(message: Message, understood: Understood) -> None:
    label, confidence = understood.ranking[0]
    base, _, topic = label.partition("/")
    ranking = [{"name": name, "confidence": chance} for name, chance in understood.ranking]
    message.set("intent", {"name": base, "confidence": confidence}, add_to_output=True)
    message.set("intent_ranking", ranking, add_to_output=True)
    message.set(ALSO_ASKED, understood.also, add_to_output=True)
    if topic:
        selected = {"response": {"intent_response_key": label, "confidence": confidence}, "ranking": []}
        message.set("response_selector", {"all_retrieval_intents": [base], base: selected}, add_to_output=True)
