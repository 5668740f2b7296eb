"""First component of the pipeline: every later one sees normalised text, in training as in serving."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.text.commands import read_by_engine

ORIGINAL_TEXT = "original_text"
"""Message attribute: the text as it was typed, which values are read from."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class TextNormalizer(GraphComponent):
    """Replaces a message's text by ``bot.text.normalize``'s reading of it.

    A message that is nothing but symbols keeps its text: an empty one would stop the pipeline.
    """

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TextNormalizer:
        """Create the component; it has no settings."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Normalise messages in place."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                message.set(ORIGINAL_TEXT, text)
                message.set(TEXT, read_by_engine(text))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Normalise training examples in place."""
        self.process(training_data.training_examples)
        return training_data
