"""Learns the weights of ``bot.care.scorer``. Run in Rasa's environment: ``python -m bot.nlu.train_scorer``.

Danger is what ``data/care/sayings.tsv`` calls danger and what the assistant's examples call ``express_distress``;
everything else in both is safe. The result, ``data/care/weights.json``, is kept in the repository, because the guard
must not depend on anything having been trained.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import scipy.sparse
import yaml
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from bot.care.scorer import grams
from bot.text.normalize import normalize_text

ROOT = Path(__file__).resolve().parent.parent.parent
SAYINGS = ROOT / "data" / "care" / "sayings.tsv"
WEIGHTS = ROOT / "data" / "care" / "weights.json"
EXAMPLES = ROOT / "data" / "nlu"

_KEPT = 12_000
_THRESHOLD = 0.5
_DANGER_COUNTS = 3.0
"""A missed danger costs as much as three false alarms."""


def labelled() -> list[tuple[str, bool]]:
    """Return normalised texts, and whether each is a sign of danger."""
    rows = [line.split("\t") for line in SAYINGS.read_text("utf-8").splitlines()[1:]]
    found = [(normalize_text(text), label == "danger") for label, text in rows]
    for path in sorted(EXAMPLES.rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            lines = (line.strip().removeprefix("- ").strip() for line in block["examples"].strip().splitlines())
            found += [(normalize_text(line), block["intent"] == "express_distress") for line in lines]
    return found


def train() -> dict[str, object]:
    """Return what is stored: weights of the runs that count, intercept, threshold, and the hash of the sayings."""
    rows = labelled()
    vectorizer = CountVectorizer(analyzer=lambda text: sorted(grams(text)), min_df=2)
    counts = vectorizer.fit_transform([text for text, _ in rows]).astype(float)
    lengths = np.array([max(1, len(grams(text))) for text, _ in rows])
    scaled = scipy.sparse.diags(1 / np.sqrt(lengths)) @ counts
    machine = LogisticRegression(
        C=30, class_weight={True: _DANGER_COUNTS, False: 1.0}, max_iter=1000, solver="liblinear", random_state=7
    )
    machine.fit(scaled, np.array([danger for _, danger in rows]))
    weights = machine.coef_[0]
    names = vectorizer.get_feature_names_out()
    heaviest = sorted(np.argsort(-np.abs(weights), kind="stable")[:_KEPT], key=lambda i: names[i])
    return {
        "sayings": hashlib.sha256(SAYINGS.read_bytes()).hexdigest(),
        "threshold": _THRESHOLD,
        "intercept": round(float(machine.intercept_[0]), 3),
        "weights": {str(names[i]): round(float(weights[i]), 2) for i in heaviest if round(float(weights[i]), 2)},
    }


if __name__ == "__main__":
    WEIGHTS.write_text(json.dumps(train(), ensure_ascii=False, indent=0) + "\n", "utf-8")
