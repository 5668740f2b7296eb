"""Learns the weights of a scorer. Run in the assistant's environment: ``python -m bot.nlu.train_scorer care|tone``.

``care``: danger is what ``data/care/sayings.tsv`` calls danger and what the assistant's examples call
``express_distress``; everything else in both is safe.

``tone``: ``data/outreach/tone_sayings.tsv`` names the rule a saying breaks, or ``ordinary``; everything the desk itself
says (responses, templates, articles) is ordinary too. Its thresholds are chosen by cross-validation.

The results are kept in the repository, because neither guard must depend on anything having been trained.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse
import yaml
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.outreach.tone_scorer import in_one_spelling, passages
from bot.text.character_scorer import CharacterScorer, grams
from bot.text.normalize import normalize_text

ROOT = Path(__file__).resolve().parent.parent.parent
CARE = ROOT / "data" / "care"
OUTREACH = ROOT / "data" / "outreach"
EXAMPLES = ROOT / "data" / "nlu"
ORDINARY = "ordinary"

_KEPT = 12_000
_KEPT_FOR_A_RULE = 500
_DANGER_THRESHOLD = 0.5
_DANGER_COUNTS = 3.0
"""A missed danger costs as much as three false alarms."""
_FOLDS = 5
_FALSE_ALARMS = 0.01
_RULES_RIGHT = 0.8
"""Of the rules named for sayings not learned from, at least so many are to be right; for the rest none is named."""
_ARTICLE_PARTS = ("short_answer", "longer_answer", "does_not_mean", "next_step")


def train_care() -> dict[str, object]:
    """Return what is stored: weights of the runs that count, intercept, threshold, and the hash of the sayings."""
    sayings = CARE / "sayings.tsv"
    found = [(normalize_text(text), label == "danger") for label, text in _rows(sayings)]
    for path in sorted(EXAMPLES.rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            lines = (line.strip().removeprefix("- ").strip() for line in block["examples"].strip().splitlines())
            found += [(normalize_text(line), block["intent"] == "express_distress") for line in lines]
    texts, signs = [text for text, _ in found], [sign for _, sign in found]
    return {"sayings": _hash(sayings)} | _learned(texts, signs, _DANGER_COUNTS, _KEPT, _DANGER_THRESHOLD)


def train_tone() -> dict[str, object]:
    """Return what is stored: weights, intercept and threshold for all rules and for each, and the sayings' hash."""
    sayings = OUTREACH / "tone_sayings.tsv"
    rows = [(rule, parts) for rule, text in _rows(sayings) if (parts := passages(in_one_spelling(text).text))]
    forbidden = [rule != ORDINARY for rule, _ in rows]
    said = [part for text in sorted(set(_said_by_the_desk())) for part in passages(in_one_spelling(text).text)]
    # The last passage of a saying is all of it, or its last two sentences.
    texts = [parts[-1] for _, parts in rows]

    # The desk's own sentences are learned from but not judged: a threshold set on them would be too kind.
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=7)
    scores = np.zeros(len(rows))
    for learned, held in folds.split(texts, forbidden):
        stored = _learned(
            [texts[i] for i in learned] + said, [forbidden[i] for i in learned] + [False] * len(said), 1.0, _KEPT, 0.0
        )
        scorer = CharacterScorer.of(stored, "fold")
        scores[held] = [max(map(scorer.score, rows[i][1])) for i in held]
    of_ordinary = np.sort(scores[~np.array(forbidden)])[::-1]
    threshold = round(float(of_ordinary[int(_FALSE_ALARMS * len(of_ordinary))]) + 0.01, 2)
    caught = scores[np.array(forbidden)] >= threshold
    _tell(f"threshold {threshold}: {caught.sum()} of {len(caught)} forbidden sayings stopped when not learned from")
    _tell(f"{(of_ordinary >= threshold).sum()} of {len(of_ordinary)} ordinary ones stopped by mistake")

    whole = _learned(texts + said, forbidden + [False] * len(said), 1.0, _KEPT, threshold)
    broken = [(rule, text) for (rule, _), text in zip(rows, texts, strict=True) if rule != ORDINARY]
    return {"sayings": _hash(sayings)} | whole | {"rules": _rules([r for r, _ in broken], [t for _, t in broken])}


def _rules(labels: list[str], texts: list[str]) -> dict[str, dict[str, object]]:
    guesses: list[tuple[float, bool]] = []
    for learned, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=7).split(texts, labels):
        scorers = _one_a_rule([labels[i] for i in learned], [texts[i] for i in learned], 0.0)
        made = {rule: CharacterScorer.of(stored, rule) for rule, stored in scorers.items()}
        for i in held:
            score, rule = max((scorer.score(texts[i]), rule) for rule, scorer in made.items())
            guesses.append((score, rule == labels[i]))
    guesses.sort(reverse=True)
    right = np.cumsum([is_right for _, is_right in guesses]) / np.arange(1, len(guesses) + 1)
    good = np.flatnonzero(right >= _RULES_RIGHT)
    last = int(good[-1]) if len(good) else 0
    _tell(f"rule named for {last + 1} of {len(guesses)}, {right[last]:.0%} of them right")
    return _one_a_rule(labels, texts, round(guesses[last][0], 2))


def _one_a_rule(labels: list[str], texts: list[str], threshold: float) -> dict[str, dict[str, object]]:
    return {
        rule: _learned(texts, [label == rule for label in labels], 3.0, _KEPT_FOR_A_RULE, threshold)
        for rule in sorted(set(labels))
    }


def _learned(
    texts: Sequence[str], signs: Sequence[bool], sign_counts: float, kept: int, threshold: float
) -> dict[str, object]:
    vectorizer = CountVectorizer(analyzer=lambda text: sorted(grams(text)), min_df=2)
    counts = vectorizer.fit_transform(texts).astype(float)
    lengths = np.array([max(1, len(grams(text))) for text in texts])
    scaled = scipy.sparse.diags(1 / np.sqrt(lengths)) @ counts
    machine = LogisticRegression(
        C=30, class_weight={True: sign_counts, False: 1.0}, max_iter=1000, solver="liblinear", random_state=7
    )
    machine.fit(scaled, np.array(signs))
    weights = machine.coef_[0]
    names = vectorizer.get_feature_names_out()
    heaviest = sorted(np.argsort(-np.abs(weights), kind="stable")[:kept], key=lambda i: names[i])
    return {
        "threshold": threshold,
        "intercept": round(float(machine.intercept_[0]), 3),
        "weights": {str(names[i]): round(float(weights[i]), 2) for i in heaviest if round(float(weights[i]), 2)},
    }


def _said_by_the_desk() -> Iterator[str]:
    yield from _texts_in(yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["responses"])
    for path in (*sorted((ROOT / "data" / "templates").glob("*.yml")), CARE / "words.yml", OUTREACH / "notices.yml"):
        yield from _texts_in(yaml.safe_load(path.read_text("utf-8")))
    for path in sorted((ROOT / "data" / "templates").glob("*.txt")):
        yield path.read_text("utf-8")
    for path in sorted((ROOT / "data" / "rights").glob("[a-z]*.yml")):
        for article in yaml.safe_load(path.read_text("utf-8"))["articles"]:
            yield from _texts_in([article.get(part) for part in _ARTICLE_PARTS])


def _texts_in(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from _texts_in(list(content.values()))
    elif isinstance(content, list):
        for one in content:
            yield from _texts_in(one)


def _rows(path: Path) -> list[tuple[str, str]]:
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines()[1:])
    return [(label, text) for label, text in rows]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, stored: dict[str, object]) -> None:
    path.write_text(json.dumps(stored, ensure_ascii=False, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["care"]:
            _write(CARE / "weights.json", train_care())
        case ["tone"]:
            _write(OUTREACH / "tone_weights.json", train_tone())
        case _:
            sys.exit("python -m bot.nlu.train_scorer care|tone")
