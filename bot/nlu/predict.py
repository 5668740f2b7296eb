"""Reads texts with a trained model: a JSON list on standard input, a JSON list of labels on the last output line."""

from __future__ import annotations

import asyncio
import json
import sys

from rasa.core.agent import Agent


async def _main(model: str) -> None:
    agent = Agent.load(model)
    read: list[dict[str, object]] = []
    for text in json.load(sys.stdin):
        parsed = await agent.parse_message(text)
        intent = parsed["intent"]
        selected = parsed.get("response_selector", {}).get(intent["name"], {}).get("response", {})
        label = selected.get("intent_response_key") or intent["name"]
        read.append({"label": label, "confidence": intent["confidence"]})
    print(json.dumps(read, ensure_ascii=False))  # noqa: T201  # this is the command's output


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
