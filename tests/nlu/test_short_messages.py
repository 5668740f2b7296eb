"""Messages of a few characters, as people type them on a phone: what they are read as, and that nobody is shut out.

The set is ``heldout/short.tsv``; a row that has been learned word for word measures nothing and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import yaml

from bot.care.crisis import CrisisGuard
from bot.nlu_report.guard import DISTRESS
from bot.nlu_scores import Prediction, read_all
from bot.services.deps import make_deps
from bot.settings import ROOT, load_settings
from bot.text.normalize import normalize_text

pytestmark = pytest.mark.timeout(1800)

SET = ROOT / "tests" / "nlu" / "heldout" / "short.tsv"


def learned() -> set[str]:
    said = set()
    for path in (ROOT / "data" / "nlu").rglob("*.yml"):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            said |= {_bare(line.strip().removeprefix("- ")) for line in block["examples"].strip().splitlines()}
    sayings = (ROOT / "data" / "care" / "sayings.tsv").read_text("utf-8").splitlines()[1:]
    return said | {_bare(line.split("\t")[1]) for line in sayings}


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, normalize_text(text)))


@dataclass(frozen=True)
class Row:
    """A message, what it may be read as, and what it was read as."""

    labels: tuple[str, ...]
    text: str
    read: Prediction
    rings: bool

    @property
    def is_right(self) -> bool:
        return self.read.label in self.labels or (self.rings and DISTRESS in self.labels)

    @property
    def is_taken_for_danger(self) -> bool:
        return self.rings or self.read.label == DISTRESS


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    known = learned()
    split = [line.split("\t") for line in SET.read_text("utf-8").splitlines()[1:]]
    unseen = [(tuple(labels.split(",")), text) for labels, text in split if _bare(text) not in known]
    settings = load_settings()
    guard: CrisisGuard = make_deps(settings).crisis_guard
    predictions = read_all(settings, [text for _, text in unseen]).predictions
    return [
        Row(labels, text, read, guard.check(normalize_text(text)) is not None or guard.check(text) is not None)
        for (labels, text), read in zip(unseen, predictions, strict=True)
    ]


def test_enough_of_the_set_has_not_been_learned(rows: list[Row]) -> None:
    assert len(rows) >= 400, len(rows)


def test_most_short_messages_are_read_as_somebody_would(rows: list[Row]) -> None:
    right = sum(row.is_right for row in rows)
    assert right / len(rows) >= 0.86, f"{right} of {len(rows)}"


def test_danger_in_few_characters_is_noticed(rows: list[Row]) -> None:
    danger = [row for row in rows if row.labels == (DISTRESS,)]
    noticed = sum(row.is_taken_for_danger for row in danger)
    assert noticed / len(danger) >= 0.93, f"{noticed} of {len(danger)}"


def test_hardly_anybody_in_no_danger_is_taken_for_it(rows: list[Row]) -> None:
    calm = [row for row in rows if DISTRESS not in row.labels]
    alarmed = sum(row.is_taken_for_danger for row in calm)
    assert alarmed / len(calm) <= 0.014, f"{alarmed} of {len(calm)}"
