"""What the engine has been taught, as far as correcting it needs to know: the intents there are, and their examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from bot.desk.teaching import bare
from bot.services.deps import Deps


def known_intents(deps: Deps) -> tuple[str, ...]:
    """Return every intent that has examples, in order; those of rights with their topic (``rights/credit_report``)."""
    return tuple(sorted(set(_examples(deps.data).values())))


def known_examples(deps: Deps) -> Mapping[str, str]:
    """Return the intent of each example, by its ``bot.desk.teaching.bare`` text."""
    return _examples(deps.data)


def measured_texts(deps: Deps) -> tuple[str, ...]:
    """Return the held-out messages of this checkout, which must not be taught; an installed desk has none."""
    path = deps.data.parent / "tests" / "nlu" / "heldout" / "messages.tsv"
    if not path.exists():
        return ()
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines()[1:])
    return tuple(row[2] for row in rows if len(row) > 2)


@lru_cache(maxsize=4)
def _examples(data: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted((data / "nlu").rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8")).get("nlu", ()):
            for line in block.get("examples", "").splitlines():
                if text := line.strip().removeprefix("-").strip():
                    found[bare(text)] = block["intent"]
    return found
