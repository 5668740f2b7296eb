"""What is measured of a candidate, and the Markdown that shows it. Counts and costs only, never a message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

LEGEND = """\
Seconds by the clock, in brackets seconds of processor time, which neighbours on the machine disturb less.
Training: from examples in memory to a model on disk, imports left out, as many threads as the library takes.
Load: in a fresh process that has imported Rasa, on one thread, until the first message is answered.
Stored: the model on disk; package: files of installed packages that it needs besides.
Memory: what the process grows by from loading to the end of the sets.
p50, p95: processor time of one message, as typed, on one thread, best of three; of `rasa-…` with Rasa's own work."""

_COSTS = ("training s (CPU)", "load s (CPU)", "stored MB", "package MB", "memory MB", "p50 ms", "p95 ms")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Trained:
    """From examples in memory to a model on disk: seconds by the clock, seconds of processor time, bytes stored."""

    seconds: float
    cpu_seconds: float
    stored_bytes: int

    @classmethod
    def from_json(cls, text: str) -> Trained:
        """Read back what the stage wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Read:
    """``load_seconds`` until the first message is answered (also in processor time), ``memory_bytes`` that the process
    grew by until the last one was, the labels read, and each message's latency: seconds of processor time, the best
    of several.
    """

    load_seconds: float
    load_cpu_seconds: float
    memory_bytes: int
    labels: tuple[str, ...]
    latencies: tuple[float, ...]

    @classmethod
    def from_json(cls, text: str) -> Read:
        """Read back what the stage wrote."""
        stored = json.loads(text)
        return cls(**{**stored, "labels": tuple(stored["labels"]), "latencies": tuple(stored["latencies"])})


@dataclass(frozen=True, slots=True)
class SetScore:
    """How one candidate read one set; ``correct`` has one entry for each message, in the file's order."""

    correct: tuple[bool, ...]
    macro_f1: float

    @property
    def accuracy(self) -> float:
        """Share of messages read right."""
        return sum(self.correct) / len(self.correct)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything measured of one candidate. Seconds, bytes, and latencies in seconds."""

    name: str
    scores: Mapping[str, SetScore]
    training_seconds: float
    training_cpu_seconds: float
    load_seconds: float
    load_cpu_seconds: float
    stored_bytes: int
    package_bytes: int
    memory_bytes: int
    p50_seconds: float
    p95_seconds: float

    @property
    def correct(self) -> list[bool]:
        """Right or wrong for every message of all sets."""
        return [right for score in self.scores.values() for right in score.correct]

    def to_json(self) -> dict[str, object]:
        """Return the figures as plain data."""
        sets = {
            name: {"right": sum(score.correct), "rows": len(score.correct), "macro_f1": round(score.macro_f1, 4)}
            for name, score in self.scores.items()
        }
        return {
            "candidate": self.name,
            "sets": sets,
            "training_seconds": round(self.training_seconds, 2),
            "training_cpu_seconds": round(self.training_cpu_seconds, 2),
            "load_seconds": round(self.load_seconds, 3),
            "load_cpu_seconds": round(self.load_cpu_seconds, 3),
            "stored_bytes": self.stored_bytes,
            "package_bytes": self.package_bytes,
            "memory_bytes": self.memory_bytes,
            "p50_ms": round(self.p50_seconds * 1000, 3),
            "p95_ms": round(self.p95_seconds * 1000, 3),
        }


def table(results: Sequence[Result], set_names: Sequence[str]) -> str:
    """Return the Markdown table, one row for each candidate."""
    heads = ["candidate", *(f"{name} {what}" for name in set_names for what in ("accuracy", "macro-F1")), *_COSTS]
    lines = [_row(heads), "|---" + "|---:" * (len(heads) - 1) + "|"]
    for result in results:
        cells = [result.name]
        for score in result.scores.values():
            cells += [f"{score.accuracy:.3f} ({sum(score.correct)}/{len(score.correct)})", f"{score.macro_f1:.3f}"]
        cells += [f"{result.training_seconds:.1f} ({result.training_cpu_seconds:.1f})"]
        cells += [f"{result.load_seconds:.1f} ({result.load_cpu_seconds:.1f})"]
        cells += [f"{size / _MEGABYTE:.1f}" for size in (result.stored_bytes, result.package_bytes)]
        cells += [f"{result.memory_bytes / _MEGABYTE:.0f}"]
        cells += [f"{seconds * 1000:.2f}" for seconds in (result.p50_seconds, result.p95_seconds)]
        lines.append(_row(cells))
    return "\n".join(lines)


def paired(results: Sequence[Result], reference: str) -> str:
    """Return the comparison with one of the candidates, message by message over all sets.

    ``p`` is the exact McNemar test: how often a difference at least this lopsided comes about when both are equally
    good.
    """
    known = next((result for result in results if result.name == reference), None)
    if known is None:
        return f"(no paired comparison: {reference} is not among the results)"
    lines = [
        _row([f"against {reference}, all sets", "only it right", "only the other right", "p"]),
        "|---|---:|---:|---:|",
    ]
    for result in results:
        if result is known:
            continue
        pairs = list(zip(result.correct, known.correct, strict=True))
        gained, lost = pairs.count((True, False)), pairs.count((False, True))
        chance = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
        lines.append(_row([result.name, str(gained), str(lost), f"{chance:.3f}" if chance >= 0.001 else "< 0.001"]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
