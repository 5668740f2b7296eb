"""One report against the one before it. Pure."""

from __future__ import annotations

from bot.nlu_report.report import Comparison, Moved, Report, SetChange, SetFigures

_MOST_MOVED = 10


def compare(before: Report, after: Report) -> Comparison:
    """Return what changed, later minus earlier, for the sets and variants that both reports have."""
    earlier = {one.name: one for one in before.sets}
    spoilt_before = {one.name: one.right.rate for one in before.robustness.variants}
    same_set = before.robustness.set_name == after.robustness.set_name
    return Comparison(
        previous_at=before.measured_at,
        previous_model=before.model.fingerprint,
        sets=tuple(_change(earlier[one.name], one) for one in after.sets if one.name in earlier),
        robustness={
            one.name: _difference(spoilt_before[one.name], one.right.rate)
            for one in after.robustness.variants
            if same_set and one.name in spoilt_before
        },
    )


def _change(before: SetFigures, after: SetFigures) -> SetChange:
    return SetChange(
        name=after.name,
        same_rows=before.digest == after.digest,
        accuracy=_difference(before.accuracy.rate, after.accuracy.rate),
        macro_f1=_difference(before.macro_f1, after.macro_f1),
        ece=_difference(before.calibration.ece, after.calibration.ece),
        below_threshold=_difference(before.fallback.below.rate, after.fallback.below.rate),
        noticed=_difference(before.guard.noticed.rate, after.guard.noticed.rate),
        false_alarms=_difference(before.guard.false_alarms.rate, after.guard.false_alarms.rate),
        moved=_moved(before, after),
    )


def _moved(before: SetFigures, after: SetFigures) -> tuple[Moved, ...]:
    earlier = {one.label: one.recall for one in before.labels}
    pairs = [
        Moved(label=one.label, before=earlier[one.label], after=one.recall)
        for one in after.labels
        if one.label in earlier and earlier[one.label].rate != one.recall.rate
    ]
    return tuple(sorted(pairs, key=lambda m: (-abs(m.after.rate - m.before.rate), m.label))[:_MOST_MOVED])


def _difference(before: float, after: float) -> float:
    return round(after - before, 4)
