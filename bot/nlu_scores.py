"""How well the trained model reads labelled messages: accuracy, macro-F1, recall and precision by label, confusions."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.model import RUNTIME_PYTHON, Model, ensure_model, rasa_environment
from bot.settings import ROOT, Settings
from bot.text.scripts import Script, detect_script

CALLED_OUT = (
    "express_distress",
    "wrong_person",
    "third_party_inquiry",
    "stop_contact",
    "dispute_debt",
    "request_human",
)
"""Labels where a miss may hurt somebody; every table begins with them."""

FALLBACK = "nlu_fallback"
"""What a message below the fallback's threshold is read as."""

_PROGRESS = re.compile(r"progress (\d+) (\d+)\n?")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class EvaluationError(Exception):
    """The file or the model cannot be used. The text says where."""


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """One row of an evaluation file."""

    id: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model made of a message.

    ``label`` and ``confidence`` are as served: ``FALLBACK`` and its threshold where the model was not sure enough.
    ``ranking`` holds the labels with their probabilities, the likeliest first and the fallback left out; ``seconds`` is
    how long the reading took. ``articles`` are the knowledge articles found for a question about rights, best first.
    """

    label: str
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    articles: tuple[str, ...] = ()

    @property
    def best(self) -> tuple[str, float]:
        """The likeliest label and its probability, whether or not the fallback stepped in."""
        return self.ranking[0] if self.ranking else (self.label, self.confidence)


@dataclass(frozen=True, slots=True)
class Readings:
    """What one loaded model read. ``first_seconds`` is the first message after loading, which is not among them."""

    model: Model
    load_seconds: float
    first_seconds: float
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's counts: ``found`` of ``gold`` rows were read right, out of ``predicted`` times it was said."""

    label: str
    gold: int
    predicted: int
    found: int

    @property
    def recall(self) -> float:
        """Share of the label's rows that were read right."""
        return self.found / self.gold if self.gold else 0.0

    @property
    def precision(self) -> float:
        """Share of the times the label was said that it was right."""
        return self.found / self.predicted if self.predicted else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class NluReport:
    """The whole measurement."""

    rows: int
    right: int
    labels: tuple[LabelScore, ...]
    confusions: tuple[tuple[str, str, int], ...]
    by_script: dict[str, tuple[int, int]]
    misses: tuple[tuple[str, str, str, float], ...]

    @property
    def accuracy(self) -> float:
        """Share of rows read right."""
        return self.right / self.rows if self.rows else 0.0

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the labels of the file."""
        scored = [label.f1 for label in self.labels if label.gold]
        return sum(scored) / len(scored) if scored else 0.0

    def to_json(self) -> dict[str, object]:
        """Return the report as plain data."""
        return {
            "rows": self.rows,
            "right": self.right,
            "accuracy": round(self.accuracy, 4),
            "macro_f1": round(self.macro_f1, 4),
            "by_script": {name: {"right": r, "rows": n} for name, (r, n) in self.by_script.items()},
            "labels": {
                s.label: {
                    "gold": s.gold,
                    "found": s.found,
                    "predicted": s.predicted,
                    "recall": round(s.recall, 4),
                    "precision": round(s.precision, 4),
                }
                for s in self.labels
            },
            "confusions": [{"gold": g, "read_as": p, "rows": n} for g, p, n in self.confusions],
            "misses": [{"id": i, "gold": g, "read_as": p, "confidence": round(c, 3)} for i, g, p, c in self.misses],
        }

    def to_text(self) -> str:
        """Return the report as tables for a terminal."""
        lines = [f"rows {self.rows}   accuracy {self.accuracy:.3f} ({self.right})   macro-F1 {self.macro_f1:.3f}"]
        lines += [f"{name}: {right}/{rows}" for name, (right, rows) in self.by_script.items()]
        first = [label for label in self.labels if label.label in CALLED_OUT]
        rest = sorted((label for label in self.labels if label.label not in CALLED_OUT), key=lambda s: s.recall)
        lines += ["", f"{'label':34}{'recall':>14}{'precision':>14}"]
        lines += [
            f"{s.label:34}{f'{s.found}/{s.gold}':>14}{f'{s.found}/{s.predicted}':>14}"
            for s in (*first, *rest)
            if s.gold
        ]
        lines += ["", "most frequent confusions (gold, read as, rows)"]
        lines += [f"  {gold:32}{read_as:32}{count}" for gold, read_as, count in self.confusions[:10]]
        return "\n".join(lines)


def read_messages(path: Path) -> list[LabelledMessage]:
    """Read a TSV with the columns id, label, text and one header line.

    Raises:
        EvaluationError: the file is not UTF-8, or a row has another number of columns; the line is named.
    """
    rows: list[LabelledMessage] = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path.name}: {error}") from None
    for number, line in enumerate(lines, start=1):
        if number == 1 or not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise EvaluationError(f"{path.name}: line {number}: needs id, label and text")
        rows.append(LabelledMessage(*columns))
    return rows


def predict(settings: Settings, texts: Sequence[str]) -> list[Prediction]:
    """Read texts with the trained model, in the Rasa environment.

    Raises:
        EvaluationError: the model could not be loaded or read.
        bot.model.TrainingFailed: no model fits the present sources, and training one failed.
    """
    return list(read_all(settings, texts).predictions)


def read_all(
    settings: Settings,
    texts: Sequence[str],
    progress: Callable[[int, int], None] = lambda done, of: None,
    model: Model | None = None,
) -> Readings:
    """Read texts with one loading of the trained model, on one thread, and measure the time it takes.

    ``progress`` hears now and then how many texts are read, out of how many. ``model`` is the one that fits the present
    sources unless another one is given.

    Raises:
        EvaluationError: the model could not be loaded or read.
        bot.model.TrainingFailed: no model fits the present sources, and training one failed.
    """
    model = model or ensure_model(settings)
    command = [str(RUNTIME_PYTHON), "-m", "bot.nlu.predict", str(model.path)]
    # Files for two of the three streams: the third can then be followed without one waiting for another.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as asked,
        tempfile.TemporaryFile("w+", encoding="utf-8") as said,
    ):
        json.dump(list(texts), asked, ensure_ascii=False)
        asked.seek(0)
        with subprocess.Popen(  # noqa: S603  # fixed command, no shell
            command,
            stdin=asked,
            stdout=said,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**rasa_environment(settings), **_ONE_THREAD},
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as running:
            complaints = _follow(running.stderr or (), progress)
        if running.returncode != 0:
            raise EvaluationError(f"the model could not be read:\n{complaints[-2000:]}")
        said.seek(0)
        answer = json.loads(said.read().splitlines()[-1])
    return Readings(
        model=model,
        load_seconds=float(answer["load_seconds"]),
        first_seconds=float(answer["first_seconds"]),
        predictions=tuple(
            Prediction(
                label=str(read["label"]),
                confidence=float(read["confidence"]),
                ranking=tuple((str(label), float(chance)) for label, chance in read["ranking"]),
                seconds=float(read["seconds"]),
                articles=tuple(str(article) for article in read["articles"]),
            )
            for read in answer["predictions"]
        ),
    )


def _follow(lines: Iterable[str], progress: Callable[[int, int], None]) -> str:
    """Pass progress on until the lines end; return the last of the others."""
    others: deque[str] = deque(maxlen=60)
    for line in lines:
        if match := _PROGRESS.fullmatch(line):
            progress(int(match.group(1)), int(match.group(2)))
        else:
            others.append(line)
    return "".join(others)


def score(rows: Sequence[LabelledMessage], predictions: Sequence[Prediction]) -> NluReport:
    """Compare predictions with labels. A fallback counts as the label ``FALLBACK``, and so as a miss."""
    pairs = list(zip(rows, predictions, strict=True))
    gold = Counter(row.label for row in rows)
    said = Counter(prediction.label for prediction in predictions)
    found = Counter(row.label for row, prediction in pairs if row.label == prediction.label)
    confused = Counter((row.label, p.label) for row, p in pairs if row.label != p.label)
    by_script: dict[str, tuple[int, int]] = {}
    for row, prediction in pairs:
        name = (detect_script(row.text) or Script.HANS).value
        right, total = by_script.get(name, (0, 0))
        by_script[name] = (right + (row.label == prediction.label), total + 1)
    return NluReport(
        rows=len(rows),
        right=sum(found.values()),
        labels=tuple(LabelScore(name, gold[name], said[name], found[name]) for name in sorted(gold | said)),
        confusions=tuple((g, p, n) for (g, p), n in confused.most_common()),
        by_script=by_script,
        misses=tuple((row.id, row.label, p.label, p.confidence) for row, p in pairs if row.label != p.label),
    )
