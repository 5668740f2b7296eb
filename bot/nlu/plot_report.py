"""Draws the pictures of ``bot nlu-report``: their data as JSON on standard input, the folder to write into as argument.

Runs in Rasa's environment, which has matplotlib. What the data holds is said by ``bot.nlu_report.charts``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # after the backend is chosen

_RIGHT = "#2f6f8f"
_WRONG = "#c8553d"
_QUIET = "#777777"
_CELL_INCHES = 0.3
_LABELS_INCHES = 3.2
_DPI = 110


def main(folder: Path) -> None:
    """Draw both pictures."""
    data = json.load(sys.stdin)
    _confusions(data["sets"], folder / "confusions.png")
    _confidence(data["sets"], data["threshold"], folder / "confidence.png")


def _confusions(sets: list[dict[str, Any]], path: Path) -> None:
    """One table for each set, one below the other: rows are labels, columns what they were read as."""
    shown = [one for one in sets if one["labels"]]
    if not shown:
        _note("no message was read wrongly", path)
        return
    heights = [max(2, len(one["labels"])) * _CELL_INCHES + _LABELS_INCHES for one in shown]
    width = max(len(one["columns"]) for one in shown) * _CELL_INCHES + _LABELS_INCHES
    figure, rows = plt.subplots(
        len(shown), 1, figsize=(max(7, width), sum(heights)), squeeze=False, height_ratios=heights, layout="constrained"
    )
    for axes, one in zip(rows[:, 0], shown, strict=True):
        _table(axes, one)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)


def _table(axes: Any, one: dict[str, Any]) -> None:
    labels, columns, counts = one["labels"], one["columns"], one["counts"]
    totals = [sum(row) or 1 for row in counts]
    axes.imshow(
        [[n / total for n in row] for row, total in zip(counts, totals, strict=True)], cmap="Blues", vmin=0, vmax=1
    )
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            if count:
                is_right = labels[y] == columns[x]
                light = count / totals[y] > 0.5
                color = "white" if light else "black" if is_right else _WRONG
                axes.text(x, y, count, ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_ylabel("label")
    axes.set_xlabel("read as")
    axes.set_title(f"{one['name']}: labels with the most misses ({one['right']} of {one['rows']} right)", fontsize=10)


def _confidence(sets: list[dict[str, Any]], threshold: float, path: Path) -> None:
    """For each set: how often a confidence is right, and how confidences spread."""
    figure, rows = plt.subplots(len(sets), 2, figsize=(11, 4.2 * len(sets)), squeeze=False, layout="constrained")
    for (left, right), one in zip(rows, sets, strict=True):
        _reliability(left, one)
        _spread(right, one, threshold)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)


def _reliability(axes: Any, one: dict[str, Any]) -> None:
    bins = [b for b in one["bins"] if b["of"]]
    axes.plot([0, 1], [0, 1], color=_QUIET, linewidth=1, linestyle="--", label="as confident as right")
    points = [(b["mean_confidence"], b["right"] / b["of"]) for b in bins]
    axes.plot([x for x, _ in points], [y for _, y in points], color=_RIGHT, marker="o", label="ten bins")
    for (x, y), b in zip(points, bins, strict=True):
        axes.annotate(f"n={b['of']}", (x, y), textcoords="offset points", xytext=(6, -11), fontsize=7, color=_QUIET)
    axes.set(xlim=(0, 1.05), ylim=(0, 1.05), xlabel="mean probability of the best label", ylabel="share right")
    axes.set_title(f"{one['name']}: calibration, ECE {one['ece']:.3f}", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")


def _spread(axes: Any, one: dict[str, Any], threshold: float) -> None:
    axes.hist(
        [one["confident_wrong"], one["confident_right"]],
        bins=20,
        range=(0, 1),
        stacked=True,
        color=[_WRONG, _RIGHT],
        label=[f"wrong ({len(one['confident_wrong'])})", f"right ({len(one['confident_right'])})"],
    )
    axes.axvline(threshold, color="black", linewidth=1, linestyle=":", label=f"asked about below {threshold}")
    # Nearly everything is in the last column; the others would not be seen beside it.
    axes.set_yscale("symlog", linthresh=10)
    axes.set(xlim=(0, 1), xlabel="probability of the best label", ylabel="messages")
    axes.set_title(f"{one['name']}: spread", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")


def _note(words: str, path: Path) -> None:
    figure = plt.figure(figsize=(6, 1.5))
    figure.text(0.5, 0.5, words, ha="center", va="center")
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
