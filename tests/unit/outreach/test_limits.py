"""The limits file: what it may say, what it must not, and how it says what is wrong."""

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.outreach.gate import Limits
from bot.outreach.limits import LimitsError, load_limits
from bot.settings import ROOT

SHIPPED = ROOT / "data" / "outreach" / "limits.yml"


def written(folder: Path, lenders: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The shipped file with other numbers."""
    data = yaml.safe_load(SHIPPED.read_text("utf-8"))
    data["default"].update(changes)
    data["lenders"] = lenders or {}
    path = folder / "limits.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(LimitsError) as caught:
        load_limits(path, "示例银行")
    return str(caught.value)


def test_the_shipped_numbers_are_those_of_the_code() -> None:
    assert load_limits(SHIPPED, "示例银行") == Limits()


def test_a_lender_has_its_own_numbers_and_the_rest_of_the_default(tmp_path: Path) -> None:
    path = written(tmp_path, {"甲银行": {"soft_end": "18:30", "per_seven_days": 1}}, apart_hours=48)
    assert load_limits(path, "乙银行") == Limits(apart=timedelta(hours=48))
    own = load_limits(path, "甲银行")
    assert own == Limits(apart=timedelta(hours=48), soft_end=time(18, 30), per_seven_days=1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hard_start": "22:30"}, "limits.yml: default.hard_start: the ban (T1) begins at 22:00 at the latest"),
        ({"hard_end": "07:59"}, "limits.yml: default.hard_end: the ban (T1) ends at 08:00 at the earliest"),
        ({"hard_end": "09:30"}, "limits.yml: default.soft_start: the window opens within the ban"),
        ({"hard_start": "19:00"}, "limits.yml: default.soft_end: the window closes within the ban"),
        ({"soft_start": "20:00"}, "limits.yml: default.soft_end: the window is never open"),
    ],
)
def test_a_ban_made_shorter_or_a_window_that_makes_no_sense_is_refused_by_its_key(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert refused(written(tmp_path, **changes)) == said


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"hard_start": 1320}, "hard_start"),  # what YAML makes of 22:00 without quotes
        ({"soft_start": "9:00"}, "soft_start"),
        ({"soft_start": "25:00"}, "soft_start"),
        ({"rest_on_holidays": "no"}, "rest_on_holidays"),
        ({"apart_hours": 0}, "apart_hours"),
        ({"apart_hours": 24.5}, "apart_hours"),
        ({"pause_hours": 10**9}, "pause_hours"),
        ({"per_seven_days": "3"}, "per_seven_days"),
        ({"per_due_date": True}, "per_due_date"),
        ({"per_month": 3}, "per_month"),
    ],
    ids=str,
)
def test_a_number_that_is_none_is_refused_by_its_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    assert refused(written(tmp_path, **changes)).startswith(f"limits.yml: default.{key}: ")


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    said = refused(written(tmp_path, hard_start="23:00", hard_end="07:00")).splitlines()
    assert [line.split(": ")[1] for line in said] == ["default.hard_start", "default.hard_end"]


def test_another_lenders_mistake_is_found_as_well(tmp_path: Path) -> None:
    assert "lenders.甲银行.hard_end: " in refused(written(tmp_path, {"甲银行": {"hard_end": "06:00"}}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "default: {}",
        "default: 1\nlenders: {}",
        "default: {}\nlenders: []",
        "lenders: {甲: 1}\ndefault: {}",
        ":",
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "limits.yml"
    path.write_text(text, "utf-8")
    assert refused(path).startswith("limits.yml: ")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    assert refused(tmp_path / "limits.yml").startswith("limits.yml: ")
