"""What the crisis guard notices, alone and together with the classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.care.crisis import CrisisGuard, CrisisSign
from bot.nlu_report.report import GuardFigures, Share
from bot.nlu_scores import LabelledMessage, Prediction
from bot.text.normalize import normalize_text

DISTRESS = "express_distress"


def sign(guard: CrisisGuard, text: str) -> CrisisSign | None:
    """Look at a message the way the desk does when it stores one: normalised first, then as typed."""
    return guard.check(normalize_text(text)) or guard.check(text)


def noticed(guard: CrisisGuard, rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> Share:
    """Count the rows of distress that guard or classifier notices."""
    danger = [(row, read) for row, read in zip(rows, predictions, strict=True) if row.label == DISTRESS]
    found = sum(read.label == DISTRESS or sign(guard, row.text) is not None for row, read in danger)
    return Share(count=found, of=len(danger))


def guard_figures(
    guard: CrisisGuard, rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]
) -> GuardFigures:
    """Measure the guard on labelled messages. Everything that is not labelled as distress counts as no danger."""
    seen = [(row, sign(guard, row.text), read.label == DISTRESS) for row, read in zip(rows, predictions, strict=True)]
    danger = [(row, found, read) for row, found, read in seen if row.label == DISTRESS]
    rest = [(row, found, read) for row, found, read in seen if row.label != DISTRESS]
    alarms = Counter(row.label for row, found, _ in rest if found)
    return GuardFigures(
        guard=Share(count=sum(found is not None for _, found, _ in danger), of=len(danger)),
        classifier=Share(count=sum(read for _, _, read in danger), of=len(danger)),
        noticed=Share(count=sum(found is not None or read for _, found, read in danger), of=len(danger)),
        missed_ids=tuple(row.id for row, found, read in danger if found is None and not read),
        false_alarms=Share(count=alarms.total(), of=len(rest)),
        noticed_falsely=Share(count=sum(found is not None or read for _, found, read in rest), of=len(rest)),
        false_alarm_labels=dict(alarms.most_common()),
        by_reader=dict(Counter(found.kind for _, found, _ in seen if found).most_common()),
    )
