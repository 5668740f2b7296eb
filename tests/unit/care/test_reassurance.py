"""Somebody who says that all is well is heard; somebody who says more than that is not taken to say only that."""

from __future__ import annotations

import pytest

from bot.care.reassurance import says_fine
from bot.text.normalize import normalize_text


@pytest.mark.parametrize(
    "text",
    [
        "我没事",
        "没事",
        "没事没事",
        "我真的没事啦",
        "没事啊，你误会了",
        "你误会我了",
        "误会误会",
        "我没想不开",
        "不会想不开的",
        "没有要自杀",
        "不是那个意思",
        "我不是这个意思，没事的",
        "开玩笑的",
        "說著玩的",
        "我还好",
    ],
)
def test_a_message_that_says_only_that_all_is_well_is_heard(text: str) -> None:
    assert says_fine(normalize_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "好",
        "没有",
        "没事我死了就好了",
        "没事，反正活够了",
        "我没事，就是不想活了",
        "怎么会没事",
        "没什么意思",
        "不是想死，是只能死",
        "还好我死了就不用还",
        "能不能分期",
        "你才有事",
    ],
)
def test_a_message_that_says_anything_else_is_not(text: str) -> None:
    assert not says_fine(normalize_text(text))
