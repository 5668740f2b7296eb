"""Two models on the same messages: what comes out otherwise, and what may hurt first."""

from __future__ import annotations

from bot.nlu_scores import FALLBACK, Prediction
from bot.release.shadow import compare


def test_changes_are_counted_and_those_that_may_hurt_come_first() -> None:
    texts = [f"message {number}" for number in range(6)]
    served = [Prediction(label, 0.9) for label in ("greet", "greet", "greet", "express_distress", "thank", FALLBACK)]
    candidate = [Prediction(label, 0.9) for label in ("thank", "thank", "greet", "greet", FALLBACK, "thank")]
    found = compare(texts, served, candidate)
    assert (found.texts, found.same, found.fallback_before, found.fallback_after) == (6, 1, 1, 1)
    assert [(one.before, one.after, one.count, one.may_hurt) for one in found.changes] == [
        ("express_distress", "greet", 1, True),
        ("greet", "thank", 2, False),
        (FALLBACK, "thank", 1, False),
        ("thank", FALLBACK, 1, False),
    ]
    text = found.to_text()
    assert text.splitlines()[2] == "! express_distress -> greet: 1"
    assert "message 3" in text


def test_the_same_readings_are_no_change() -> None:
    read = [Prediction("greet", 0.9)]
    assert compare(["hello"], read, read).changes == ()
