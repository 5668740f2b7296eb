"""What the engine has been taught, as far as correcting it needs to know: the intents there are, and their examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from bot.desk.teaching import bare
from bot.services.deps import Deps

_INTENT = re.compile(r"- intent: (\S+)")
_EXAMPLE = re.compile(r"\s{4,}- (.+)")


def known_intents(deps: Deps) -> tuple[str, ...]:
    """Return every intent that has examples, in order; those of rights with their topic (``rights/credit_report``)."""
    return _intents(deps.data)


def known_examples(deps: Deps) -> Mapping[str, str]:
    """Return the intent of each example, by its ``bot.desk.teaching.bare`` text. The first time takes seconds."""
    return _by_bare_text(deps.data)


def measured_texts(deps: Deps) -> tuple[str, ...]:
    """Return the held-out messages of this checkout, which must not be taught; an installed desk has none."""
    path = deps.data.parent / "tests" / "nlu" / "heldout" / "messages.tsv"
    if not path.exists():
        return ()
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines()[1:])
    return tuple(row[2] for row in rows if len(row) > 2)


@lru_cache(maxsize=4)
def _intents(data: Path) -> tuple[str, ...]:
    return tuple(sorted({intent for _, intent in _examples(data)}))


@lru_cache(maxsize=4)
def _by_bare_text(data: Path) -> Mapping[str, str]:
    return {bare(text): intent for text, intent in _examples(data)}


def _examples(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the examples with their intents, line by line: they have one shape, and reading YAML takes seconds."""
    for path in sorted((data / "nlu").rglob("*.yml")):
        intent = ""
        for line in path.read_text("utf-8").splitlines():
            if begins := _INTENT.search(line):
                intent = begins.group(1)
            elif intent and (found := _EXAMPLE.fullmatch(line)):
                yield found.group(1).strip(), intent
