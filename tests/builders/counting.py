"""Reading what this process has counted for Prometheus: counters only grow, so tests look at differences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.metrics import REGISTRY


def value(name: str, **labels: str) -> float:
    """Return the value of one series, which has to be there."""
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} {labels}"
    return found


def every_value() -> dict[tuple[str, str], float]:
    """Return all series of the desk with a fixed number of labels, by name and the values of the labels."""
    return {
        (sample.name, " ".join(label for _, label in sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if family.name.startswith("desk_") and "le" not in sample.labels and not sample.name.endswith("_sum")
    }


@contextmanager
def grows(*expected: tuple[str, str]) -> Iterator[None]:
    """Fail unless these series grow by one within the block, once for each time they are named, and no other does."""
    before = every_value()
    yield
    after = every_value()
    grown = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    wanted = {key: expected.count(key) for key in expected}
    assert grown == wanted, f"counted {grown}, not {wanted}"
