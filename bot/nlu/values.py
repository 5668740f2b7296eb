"""Entity extractor: reports the values that ``bot.text.values`` reads.

The entities are for rules, routing and the transcript. Money and dates that count are read again by the actions, with
the desk's own clock, and read back to the borrower before anything depends on them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.normalizer import ORIGINAL_TEXT
from bot.text.values import Value, extract


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class ValueExtractor(EntityExtractorMixin, GraphComponent):
    """Adds an entity for each value in a message; offsets are those of the text as it was typed."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ValueExtractor:
        """Create the component; it has no settings."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add entities to messages in place."""
        now = datetime.now(UTC)
        for message in messages:
            text = message.get(ORIGINAL_TEXT) or message.get(TEXT)
            if not text:
                continue
            found = [_entity(text, value) for value in extract(text, now)]
            message.set(ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(found), add_to_output=True)
        return messages


def _entity(text: str, value: Value) -> dict[str, Any]:
    return {
        "entity": str(value.kind),
        "start": value.start,
        "end": value.end,
        "value": text[value.start : value.end],
    }
