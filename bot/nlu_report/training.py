"""The texts the model has learned, to tell rows that are new to it from rows it knows by heart."""

from __future__ import annotations

from pathlib import Path

import yaml

from bot.settings import ROOT
from bot.text.normalize import normalize_text


def training_texts(root: Path = ROOT) -> frozenset[str]:
    """Return the examples below ``data/nlu``, normalised as the model sees them."""
    found: set[str] = set()
    for path in (root / "data" / "nlu").rglob("*.yml"):
        for block in yaml.safe_load(path.read_text("utf-8")).get("nlu", ()):
            lines = (line.strip().removeprefix("-").strip() for line in block.get("examples", "").splitlines())
            found.update(normalize_text(line) for line in lines if line)
    return frozenset(found)
