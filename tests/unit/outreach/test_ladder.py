"""The ladder's file: gentle by its own rules, and refused with file and key where it is not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.lending.delinquency import DelinquencyBucket, bucket_of
from bot.outreach.ladder import Ladder, LadderError
from bot.settings import ROOT

SHIPPED = ROOT / "data" / "outreach" / "ladder.yml"


def written(folder: Path, **changes: Any) -> Path:
    data = {**yaml.safe_load(SHIPPED.read_text("utf-8")), **changes}
    path = folder / "ladder.yml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    return path


def a_stage(first: int, last: int, *days: int, name: str = "s1") -> dict[str, object]:
    return {"stage": name, "from_day": first, "to_day": last, "days": list(days)}


def test_the_shipped_ladder_widens() -> None:
    days = Ladder.load(SHIPPED).days
    gaps = [later - earlier for earlier, later in pairwise(days)]
    assert gaps == sorted(gaps)


def test_the_shipped_stages_are_the_buckets_of_delinquency() -> None:
    ladder = Ladder.load(SHIPPED)
    stages = {bucket_of(day): ladder.stage_of(day) for day in range(1, 181)}
    assert stages == {
        DelinquencyBucket.DPD_1_30: "s1",
        DelinquencyBucket.DPD_31_60: "s2",
        DelinquencyBucket.DPD_61_90: "s3",
        DelinquencyBucket.DPD_91_180: "s4",
    }
    assert ladder.stage_of(0) is None
    assert ladder.stage_of(181) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": [a_stage(1, 60, 4, 34, 55)]}, "never become fewer"),
        ({"steps": [a_stage(1, 60, 4, 10, 17)]}, "more than 2 notices"),
        ({"steps": [a_stage(1, 60, 15, 15)]}, "never become fewer"),
        ({"steps": [a_stage(1, 30, 4), a_stage(40, 60, 50, name="s2")]}, "must begin the day after"),
        ({"steps": [a_stage(1, 30, 4), a_stage(31, 60, 50)]}, "named twice"),
        ({"steps": [a_stage(1, 30, 31)]}, "every day must lie"),
        ({"steps": []}, "steps"),
        ({"least_owed_fen": 0}, "least_owed_fen"),
        ({"per_thirty_days": 9}, "per_thirty_days"),
        ({"hurry": True}, "hurry"),
    ],
)
def test_a_ladder_that_is_not_gentle_is_refused_by_file_and_key(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(LadderError) as caught:
        Ladder.load(written(tmp_path, **changes))
    assert "ladder.yml" in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match=r"ladder\.yml"):
        Ladder.load(tmp_path / "ladder.yml")
