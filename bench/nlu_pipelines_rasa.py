"""Ways to read an intent that need Rasa: its DIET network, and the served classifier inside Rasa for comparison.

Each is trained by what ``rasa train nlu`` calls, in a project folder of its own, with the project's normaliser, jieba
dictionary and examples; it is asked through Rasa's agent, so Rasa's own work on a message counts in its latency.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.nlu_pipelines_candidates import ENCODER, JIEBA_WORDS, SEED, Example, Reader

Component = Mapping[str, str | int | float | bool]

_MODEL = "model"
_WHOLE = "__"
"""Stands for the slash of ``rights/credit_report``, so that Rasa learns the full label as one intent."""

_WORDS: Component = {"name": "CountVectorsFeaturizer", "token_pattern": r"(?u)\b\w+\b"}
"""Rasa's own pattern drops words of one character, which Chinese cannot spare."""

_CHARACTERS: Component = {
    "name": "CountVectorsFeaturizer",
    "analyzer": "char_wb",
    "min_ngram": 1,
    "max_ngram": 4,
}
"""Runs of characters within jieba's words, as in the pipeline that Rasa suggests."""


class TrainingFailed(Exception):
    """Rasa returned without a model. The text names the candidate."""


@dataclass(frozen=True, slots=True)
class InRasa:
    """Components that follow the normaliser and jieba's tokenizer in a Rasa pipeline.

    ``keeps_slash`` tells that the classifier reports the topic of a retrieval intent by itself.
    """

    name: str
    components: tuple[Component, ...]
    packages: tuple[str, ...] = ("jieba",)
    keeps_slash: bool = False

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        """Learn from the examples and store Rasa's archive in the folder.

        Raises:
            TrainingFailed: Rasa made no model.
        """
        from rasa.model_training import train_nlu  # noqa: PLC0415  # naming the candidates needs no TensorFlow

        config, nlu = folder / "config.yml", folder / "nlu.yml"
        config.write_text(yaml.safe_dump(self._config(), allow_unicode=True, sort_keys=False), "utf-8")
        nlu.write_text(self._training_data(examples), "utf-8")
        made = train_nlu(str(config), str(nlu), str(folder), fixed_model_name=_MODEL)
        config.unlink()
        nlu.unlink()
        if made is None:
            raise TrainingFailed(f"{self.name}: Rasa made no model")

    def load(self, folder: Path) -> Reader:
        """Return a reader that asks Rasa's agent."""
        from rasa.core.agent import Agent  # noqa: PLC0415  # as above

        agent, loop = Agent.load(str(folder / f"{_MODEL}.tar.gz")), asyncio.new_event_loop()

        def read(text: str) -> str:
            parsed = loop.run_until_complete(agent.parse_message(text))
            name = str(parsed["intent"]["name"])
            selected = parsed.get("response_selector", {}).get(name, {}).get("response", {})
            return str(selected.get("intent_response_key") or name.replace(_WHOLE, "/"))

        return read

    def _config(self) -> dict[str, object]:
        first: list[Component] = [
            {"name": "bot.nlu.normalizer.TextNormalizer"},
            {"name": "JiebaTokenizer", "dictionary_path": str(JIEBA_WORDS)},
        ]
        pipeline = [dict(component) for component in (*first, *self.components)]
        return {"recipe": "default.v1", "assistant_id": "pipelines", "language": "zh", "pipeline": pipeline}

    def _training_data(self, examples: Sequence[Example]) -> str:
        by_label: dict[str, list[str]] = defaultdict(list)
        for example in examples:
            label = example.label if self.keeps_slash else example.label.replace("/", _WHOLE)
            by_label[label].append(f"- {example.text}\n")
        blocks = [{"intent": label, "examples": "".join(lines)} for label, lines in by_label.items()]
        return str(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True, width=10_000))


def in_rasa(epochs: int) -> tuple[InRasa, ...]:
    """Return the candidates; ``epochs`` is how often DIET goes over the examples."""
    diet: Component = {
        "name": "DIETClassifier",
        "epochs": epochs,
        "random_seed": SEED,
        "entity_recognition": False,
        "constrain_similarities": True,
    }
    desk: Component = {"name": "bot.nlu.intent_classifier.DeskIntentClassifier"}
    return (
        InRasa("rasa-desk", (desk,), ("jieba", ENCODER), keeps_slash=True),
        InRasa("rasa-diet-words", (_WORDS, diet)),
        InRasa("rasa-diet-chars", (_CHARACTERS, diet)),
        InRasa("rasa-diet-words+chars", (_WORDS, _CHARACTERS, diet)),
    )
