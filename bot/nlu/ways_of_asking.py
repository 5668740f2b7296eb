"""The ways of asking that the knowledge articles list: what two components learn from."""

from __future__ import annotations

from pathlib import Path

import yaml

from bot.text.normalize import normalize_text


def ways_of_asking(folder: Path) -> list[tuple[str, str]]:
    """Return normalised questions with the ids of the articles that answer them."""
    asked: list[tuple[str, str]] = []
    for path in sorted(folder.glob("[a-z]*.yml")):
        for article in yaml.safe_load(path.read_text("utf-8"))["articles"]:
            asked += [(form, str(article["id"])) for form in (article["question"], *article["question_forms"])]
    for path in sorted((folder / "phrasings").glob("*.yml")):
        for article_id, forms in yaml.safe_load(path.read_text("utf-8")).items():
            asked += [(str(form), str(article_id)) for form in forms]
    return [(normalize_text(text), article) for text, article in asked]
