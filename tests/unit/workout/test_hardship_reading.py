import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.workout.hardship_reading import read_hardship
from bot.workout.policy_sections import HardshipKind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("厂子上个月黄了,现在在家待着", HardshipKind.JOB_LOSS),
        ("我被裁了", HardshipKind.JOB_LOSS),
        ("工地没活干", HardshipKind.JOB_LOSS),
        ("老公动了手术花光了", HardshipKind.ILLNESS),
        ("我媽住院", HardshipKind.ILLNESS),
        ("爸爸上周过世了", HardshipKind.BEREAVEMENT),
        ("店里着火全没了", HardshipKind.DISASTER),
        ("老板拖欠了三个月的工资", HardshipKind.INCOME_CUT),
        ("生意不好做,亏了", HardshipKind.INCOME_CUT),
        ("跑外卖单子少", HardshipKind.INCOME_CUT),
    ],
)
def test_what_a_policy_knows_is_read(text: str, kind: HardshipKind) -> None:
    assert read_hardship(normalize_text(text)) is kind


@pytest.mark.parametrize("text", ["就是没钱", "我又没生病", "不是失业", "能不能便宜点", "6000", ""])
def test_what_names_no_hardship_is_left_alone(text: str) -> None:
    assert read_hardship(normalize_text(text)) is None


def test_of_two_the_graver_comes_first() -> None:
    assert read_hardship("失业了,家里老人又住院") is HardshipKind.ILLNESS


@given(st.text(max_size=80))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    assert read_hardship(normalize_text(text)) in (None, *HardshipKind)
