"""Questions about rights find their article: ways of asking by a hand that did not see those the desk learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.nlu_scores import Prediction, read_all
from bot.rights.library import RightsLibrary
from bot.settings import ROOT, load_settings
from bot.text.normalize import normalize_text

pytestmark = pytest.mark.timeout(1800)

HELDOUT = ROOT / "tests" / "nlu" / "heldout" / "rights.tsv"
LIBRARY = RightsLibrary.load(ROOT / "data" / "rights")


def rows(path: Path) -> list[tuple[str, str]]:
    split = (line.split("\t") for line in path.read_text("utf-8").splitlines()[1:])
    return [(article, text) for article, text in split]


ROWS = rows(HELDOUT)


@pytest.fixture(scope="module")
def predictions() -> tuple[Prediction, ...]:
    return read_all(load_settings(), [text for _, text in ROWS]).predictions


def test_every_article_has_two_unseen_ways_of_asking() -> None:
    asked = [article for article, _ in ROWS]
    assert {article.id for article in LIBRARY.articles()} == set(asked)
    assert all(asked.count(article) >= 2 for article in set(asked))


def test_no_unseen_way_of_asking_is_one_that_was_learned() -> None:
    learned = {normalize_text(form) for article in LIBRARY.articles() for form in article.question_forms}
    assert [text for _, text in ROWS if normalize_text(text) in learned] == []


def test_a_question_that_is_read_as_one_about_rights_finds_its_article(predictions: tuple[Prediction, ...]) -> None:
    read = [
        (article, one) for (article, _), one in zip(ROWS, predictions, strict=True) if one.label.startswith("rights/")
    ]
    found = sum(one.articles[:1] == (article,) for article, one in read)
    assert found / len(read) >= 0.92, f"{found} of {len(read)}"


def test_most_questions_about_rights_are_read_as_such(predictions: tuple[Prediction, ...]) -> None:
    read = sum(one.label.startswith("rights/") for one in predictions)
    assert read / len(ROWS) >= 0.82, f"{read} of {len(ROWS)}"
