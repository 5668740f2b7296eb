"""The trained model keeps the floors of data/nlu_floors.yml: one loading of the model for all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.nlu_report.floors import FLOORS, check, load_floors
from bot.nlu_report.live import measure_desk
from bot.nlu_report.report import Report
from bot.nlu_report.sets import HELDOUT, YARDSTICK, default_files, read_sets
from bot.nlu_report.variants import VARIANTS
from bot.nlu_scores import CALLED_OUT
from bot.services.deps import make_deps
from bot.settings import load_settings

# The model may have to be trained first, and then reads some six thousand texts.
pytestmark = pytest.mark.timeout(1800)

_NAMED = os.environ.get("DESK_YARDSTICK")
FILES = default_files(Path(_NAMED) if _NAMED else None)


@pytest.fixture(scope="module")
def report() -> Report:
    settings = load_settings()
    deps = make_deps(settings)
    return measure_desk(settings, deps.crisis_guard, read_sets(FILES), deps.now(), print).report


@pytest.mark.parametrize("name", [HELDOUT, YARDSTICK])
def test_every_figure_keeps_its_floor(report: Report, name: str) -> None:
    if name not in FILES:
        pytest.skip("this measuring set is not beside this checkout")
    held = [one for one in check(load_floors(), report) if one.figure.startswith(f"{name} ")]
    assert held, f"{FLOORS.name} has no floors for {name}: bot nlu-report --set-floors"
    broken = [str(one) for one in held if not one.is_kept]
    assert not broken, "; ".join(broken)


@pytest.mark.parametrize("name", [HELDOUT, YARDSTICK])
def test_no_label_where_a_miss_may_hurt_is_without_a_floor(name: str) -> None:
    assert set(CALLED_OUT) <= load_floors().sets[name].recalls.keys()


def test_every_way_of_spoiling_messages_has_a_floor() -> None:
    assert load_floors().sets[HELDOUT].robustness.keys() == VARIANTS.keys()
