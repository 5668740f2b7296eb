"""The report as Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.clock import local
from bot.nlu_report.report import Comparison, GuardFigures, Report, SetFigures, Share

_CONFUSIONS = 10


def as_markdown(report: Report) -> str:
    """Return the whole report."""
    return "\n".join(
        [
            "# How messages are read",
            "",
            f"Model `{report.model.fingerprint}`, measured {local(report.measured_at):%Y-%m-%d %H:%M} (Asia/Shanghai). "
            f"A message below {report.threshold} is asked about and counts as a miss.",
            "",
            *_table(
                ["set", "accuracy", "macro-F1", "new to the model", "among best 2", "among best 3", "ECE"],
                [_overview(one) for one in report.sets],
            ),
            "*New to the model* leaves out rows that, normalised, are also training examples: greetings and other "
            "short messages that everybody writes alike.",
            "",
            *_time(report),
            *(_comparison(report.comparison) if report.comparison else ()),
            "## Pictures",
            "",
            "![Most confused labels](confusions.png)",
            "",
            "![Confidence and how often it is right](confidence.png)",
            "",
            *(line for one in report.sets for line in _set(one)),
            *_robustness(report),
        ]
    )


def _overview(one: SetFigures) -> list[str]:
    _, two, three = one.best
    ece = f"{one.calibration.ece:.3f}"
    return [one.name, _share(one.accuracy), f"{one.macro_f1:.3f}", _share(one.new), _share(two), _share(three), ece]


def _time(report: Report) -> Iterator[str]:
    model = report.model
    yield "## Time and size"
    yield ""
    yield from _table(
        ["what", "figure"],
        [
            ["loading the model", f"{model.load_seconds:.1f} s"],
            ["first message after loading", f"{model.first_seconds:.2f} s"],
            ["one message, half of them within", f"{model.p50_ms:.1f} ms"],
            ["one message, 95 of 100 within", f"{model.p95_ms:.1f} ms"],
            ["model file", f"{model.file_bytes / 1_000_000:.1f} MB"],
        ],
    )
    yield f"On this machine, one thread, {model.messages} messages one after the other; reading alone, no answer."
    yield ""


def _comparison(change: Comparison) -> Iterator[str]:
    yield "## Since the last report"
    yield ""
    yield f"Against model `{change.previous_model}`, {local(change.previous_at):%Y-%m-%d %H:%M}; points of a hundred."
    yield ""
    yield from _table(
        ["set", "accuracy", "macro-F1", "ECE", "below the threshold", "distress noticed", "false alarms"],
        [
            [
                one.name if one.same_rows else f"{one.name} (other rows)",
                *map(
                    _points,
                    (one.accuracy, one.macro_f1, one.ece, one.below_threshold, one.noticed, one.false_alarms),
                ),
            ]
            for one in change.sets
        ],
    )
    for one in change.sets:
        if one.moved:
            yield f"Labels that moved most, {one.name}:"
            yield ""
            yield from _table(
                ["label", "recall before", "now"],
                [[moved.label, _counts(moved.before), _counts(moved.after)] for moved in one.moved],
            )
    if change.robustness:
        yield from _table(["spoilt", "accuracy"], [[name, _points(d)] for name, d in change.robustness.items()])


def _set(one: SetFigures) -> Iterator[str]:
    yield f"## Set: {one.name}"
    yield ""
    yield from _table(["script", "right"], [[name, _share(share)] for name, share in one.by_script.items()])
    yield "### Labels"
    yield ""
    yield "Those where a miss may hurt first, then the worst recall first."
    yield ""
    yield from _table(
        ["label", "recall", "precision", "asked back"],
        [[f.label, _share(f.recall), _share(f.precision), str(f.asked_back)] for f in one.labels],
    )
    yield "### Most frequent confusions"
    yield ""
    yield from _table(
        ["label", "read as", "rows", "ids"],
        [[c.label, c.read_as, str(len(c.ids)), ", ".join(c.ids)] for c in one.confusions[:_CONFUSIONS]],
    )
    yield "### Confidence"
    yield ""
    yield from _table(
        ["best label's probability", "messages", "mean", "right"],
        [
            [f"{b.low:.1f} to {b.high:.1f}", str(b.right.of), f"{b.mean_confidence:.3f}", _share(b.right)]
            for b in one.calibration.bins
            if b.right.of
        ],
    )
    fallback = one.fallback
    yield (
        f"Below the threshold: {_share(fallback.below)}. Of these, {_share(fallback.would_be_wrong)} would have been "
        f"read wrongly; for {_share(fallback.right_offered)} one of the buttons offered was right."
    )
    yield ""
    yield from _guard(one.guard)


def _guard(figures: GuardFigures) -> Iterator[str]:
    yield "### Distress"
    yield ""
    yield from _table(
        ["noticed by", "distress", "false alarms on the rest"],
        [
            ["crisis guard", _share(figures.guard), _share(figures.false_alarms)],
            ["classifier", _share(figures.classifier), "–"],
            ["either", _share(figures.noticed), _share(figures.noticed_falsely)],
        ],
    )
    if figures.by_reader:
        yield "Signs by kind: " + ", ".join(f"{kind} {count}" for kind, count in figures.by_reader.items()) + "."
        yield ""
    if figures.false_alarm_labels:
        named = ", ".join(f"{label} {count}" for label, count in figures.false_alarm_labels.items())
        yield f"Labels with false alarms: {named}."
        yield ""
    if figures.missed_ids:
        yield f"Noticed by neither: {', '.join(figures.missed_ids)}."
        yield ""


def _robustness(report: Report) -> Iterator[str]:
    plain = report.robustness
    yield "## Spoilt messages"
    yield ""
    yield f"The set {plain.set_name}, spoilt. Differences, in points, are against the plain text of the same rows."
    yield ""
    rows = [["(plain)", _share(plain.right), "", "", "", _counts(plain.noticed)]]
    rows += [
        [
            one.name,
            _share(one.right),
            _points(one.right.rate - plain.right.rate),
            _share(one.right_changed),
            _points(one.right_changed.rate - one.right_changed_plain.rate),
            _counts(one.noticed),
        ]
        for one in plain.variants
    ]
    head = ["how", "right", "difference", "right of the rows it changed", "difference", "distress noticed"]
    yield from _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def _share(share: Share) -> str:
    return f"{share.rate:.3f} ({_counts(share)})" if share.of else "–"


def _counts(share: Share) -> str:
    return f"{share.count} of {share.of}" if share.of else "–"


def _points(difference: float) -> str:
    return f"{difference * 100:+.1f}"
