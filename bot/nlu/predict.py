"""Reads texts with a trained model: a JSON list on standard input, one JSON object on the last output line.

The object holds ``load_seconds``, ``first_seconds`` (the first message, which loads what is loaded lazily) and
``predictions``, one for each text in order: ``label`` as served, ``confidence``, ``ranking`` without the fallback,
``seconds``, and the ``articles`` found for a question about rights. How far it is stands on standard error, in lines of
the form ``progress DONE OF``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from rasa.core.agent import Agent

_FALLBACK = "nlu_fallback"
_FIRST = "你好"
_STEP = 500


async def _main(model: str) -> None:
    texts = json.load(sys.stdin)
    began = time.perf_counter()
    agent = Agent.load(model)
    loaded = time.perf_counter()
    await agent.parse_message(_FIRST)
    read_first = time.perf_counter()
    predictions = []
    for number, text in enumerate(texts, start=1):
        predictions.append(await _read(agent, text))
        if number % _STEP == 0 or number == len(texts):
            print(f"progress {number} {len(texts)}", file=sys.stderr, flush=True)  # noqa: T201  # for who is waiting
    answer = {"load_seconds": loaded - began, "first_seconds": read_first - loaded, "predictions": predictions}
    print(json.dumps(answer, ensure_ascii=False))  # noqa: T201  # this is the command's output


async def _read(agent: Agent, text: str) -> dict[str, Any]:
    began = time.perf_counter()
    parsed = await agent.parse_message(text)
    seconds = time.perf_counter() - began
    intent = parsed["intent"]
    selected = parsed.get("response_selector", {}).get(intent["name"], {}).get("response", {})
    ranking = [
        [entry["name"], entry["confidence"]] for entry in parsed.get("intent_ranking", []) if entry["name"] != _FALLBACK
    ]
    return {
        "label": selected.get("intent_response_key") or intent["name"],
        "confidence": intent["confidence"],
        "ranking": ranking,
        "seconds": seconds,
        "articles": [article for article, _ in parsed.get("articles") or []],
    }


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
