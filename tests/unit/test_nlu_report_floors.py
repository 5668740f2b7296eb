"""Floors of the report on reading: set under what was measured, and broken by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nlu_report_builders import A_REPORT, with_accuracy

from bot.nlu_report import live
from bot.nlu_report.floors import check, floors_under, load_floors, write_floors
from bot.nlu_report.report import Report, Share
from bot.nlu_report.sets import HELDOUT, YARDSTICK
from bot.nlu_report.variants import VARIANTS
from bot.nlu_scores import EvaluationError

COUNTS = st.tuples(st.integers(0, 40), st.integers(1, 40)).map(lambda pair: Share(count=min(pair), of=pair[1]))


@given(accuracy=COUNTS, recall=COUNTS, noticed=COUNTS, macro_f1=st.floats(0, 1), ece=st.floats(0, 1))
def test_a_report_always_keeps_the_floors_set_from_it(
    accuracy: Share, recall: Share, noticed: Share, macro_f1: float, ece: float
) -> None:
    one = A_REPORT.sets[0]
    changed = one.model_copy(
        update={
            "accuracy": accuracy,
            "macro_f1": round(macro_f1, 4),
            "calibration": one.calibration.model_copy(update={"ece": round(ece, 4)}),
            "guard": one.guard.model_copy(update={"noticed": noticed}),
            "labels": tuple(label.model_copy(update={"recall": recall}) for label in one.labels),
        }
    )
    own = A_REPORT.model_copy(update={"sets": (changed,)})
    assert all(held.is_kept for held in check(floors_under(own), own))


def test_floors_lie_a_point_and_a_half_under_a_rate_and_two_rows_under_a_recall() -> None:
    wide = with_accuracy(A_REPORT, 90, 100)
    floors = floors_under(wide).sets[HELDOUT]
    assert floors.accuracy == 0.885
    assert floors.recalls == {"express_distress": 0.0}
    assert floors.robustness == dict.fromkeys(VARIANTS, 0.0) | {"traditional": 0.485, "unpunctuated": 0.235}
    assert floors.ece_ceiling > wide.sets[0].calibration.ece
    assert floors_under(wide).sets[YARDSTICK].robustness == {}


def test_a_label_may_lose_two_rows_and_no_third() -> None:
    one = A_REPORT.sets[0]

    def report(found: int) -> Report:
        distress = one.labels[0].model_copy(update={"recall": Share(count=found, of=24)})
        return A_REPORT.model_copy(update={"sets": (one.model_copy(update={"labels": (distress,)}),)})

    floors = floors_under(report(23))
    assert all(held.is_kept for held in check(floors, report(21)))
    broken = [str(held) for held in check(floors, report(20)) if not held.is_kept]
    assert broken == ["heldout recall of express_distress: 0.8333, floor 0.875"]


def test_a_broken_floor_is_named_with_figure_and_limit() -> None:
    floors = floors_under(with_accuracy(A_REPORT, 90, 100))
    broken = [held for held in check(floors, with_accuracy(A_REPORT, 88, 100)) if not held.is_kept]
    assert [str(held) for held in broken] == ["heldout accuracy: 0.88, floor 0.885"]


def test_a_ceiling_breaks_upwards_and_a_label_that_has_gone_breaks_its_floor() -> None:
    floors = floors_under(A_REPORT)
    one = A_REPORT.sets[0]
    worse = one.model_copy(
        update={"labels": (), "calibration": one.calibration.model_copy(update={"ece": one.calibration.ece + 0.1})}
    )
    broken = [held.figure for held in check(floors, A_REPORT.model_copy(update={"sets": (worse,)})) if not held.is_kept]
    assert broken == ["heldout ece", "heldout recall of express_distress"]


def test_setting_floors_keeps_those_of_a_set_that_is_not_here_and_takes_none_of_strangers(tmp_path: Path) -> None:
    path = tmp_path / "floors.yml"
    live.set_floors(A_REPORT, lambda line: None, path)
    before = load_floors(path)
    stranger = A_REPORT.sets[0].model_copy(update={"name": "mine"})
    said: list[str] = []
    again = with_accuracy(A_REPORT, 90, 100)
    live.set_floors(again.model_copy(update={"sets": (again.sets[0], stranger)}), said.append, path)
    after = load_floors(path)
    assert after.sets.keys() == {HELDOUT, YARDSTICK}
    assert after.sets[YARDSTICK] == before.sets[YARDSTICK]
    assert said == ["heldout accuracy: 0.9, floor 0.885 (was 0.485)"]


def test_floors_survive_being_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "floors.yml"
    write_floors(floors_under(A_REPORT), path)
    assert load_floors(path) == floors_under(A_REPORT)


@pytest.mark.parametrize("text", ["", "sets: 3", "sets:\n  heldout: {accuracy: 2}\n", ":\n  - ["])
def test_unusable_floors_are_refused_by_file_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "floors.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=r"floors\.yml"):
        load_floors(path)
