"""Invented rows, predictions and measurements for the tests of the report on reading."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.care.crisis import CrisisGuard
from bot.model import Model
from bot.nlu_report.fallback import FallbackRules
from bot.nlu_report.measure import Desk, Measured, measure
from bot.nlu_report.report import Report, Share
from bot.nlu_report.sets import HELDOUT, YARDSTICK, MeasuringSet
from bot.nlu_scores import FALLBACK, LabelledMessage, Prediction, Readings

AT = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
RULES = FallbackRules(0.3, frozenset({"ask_balance", "ask_due_date", "ask_creditor", "rights_overview"}))
GUARD = CrisisGuard({"self_harm": re.compile("不想活")}, re.compile("累死"))
MODEL = Model(Path(__file__), "m1")
"""Any file that is there: only its size is looked at."""


def row(label: str, text: str = "我欠多少", number: int = 1) -> LabelledMessage:
    return LabelledMessage(f"t{number}", label, text)


def a_set(*rows: LabelledMessage, name: str = HELDOUT, digest: str = "d1") -> MeasuringSet:
    return MeasuringSet(name, digest, rows)


def read_as(label: str, confidence: float = 0.9, *others: str, seconds: float = 0.01) -> Prediction:
    rest = tuple((other, (1 - confidence) / len(others)) for other in others)
    return Prediction(label, confidence, ((label, confidence), *rest), seconds)


def asked_back(*likeliest: str, confidence: float = 0.2) -> Prediction:
    ranking = tuple((label, confidence / place) for place, label in enumerate(likeliest, start=1))
    return Prediction(FALLBACK, 0.3, ranking, 0.01)


SETS = (
    a_set(
        row("ask_balance", "我欠多少", 1),
        row("ask_balance", "还剩多少没还清啊", 2),
        row("ask_due_date", "哪天到期?", 3),
        row("express_distress", "真的不想活了", 4),
    ),
    a_set(row("ask_creditor", "欠的是谁家的钱", 5), name=YARDSTICK, digest="d2"),
)

READING = {
    "我欠多少": read_as("ask_balance", 0.95),
    "还剩多少没还清啊": asked_back("ask_due_date", "ask_balance"),
    "哪天到期?": read_as("ask_due_date", 0.8),
    "欠的是谁家的钱": read_as("ask_balance", 0.6, "ask_creditor", seconds=0.04),
}
"""Two of four and none of one right."""


def measured(sets: Sequence[MeasuringSet] = SETS, reading: Mapping[str, Prediction] = READING) -> Measured:
    """Measure with a reader that knows some texts and takes all others for greetings."""

    def read(texts: Sequence[str]) -> Readings:
        assert len(texts) == len(set(texts)), "a text is read twice"
        return Readings(MODEL, 1.5, 0.5, tuple(reading.get(text, read_as("greet")) for text in texts))

    return measure(sets, read, Desk(RULES, GUARD, frozenset({"我欠多少"})), AT)


A_REPORT = measured().report


def with_accuracy(report: Report, count: int, of: int) -> Report:
    """Change the accuracy of the first set."""
    sets = (report.sets[0].model_copy(update={"accuracy": Share(count=count, of=of)}), *report.sets[1:])
    return report.model_copy(update={"sets": sets})
