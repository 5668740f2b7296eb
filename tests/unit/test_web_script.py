"""In which script the web chat greets somebody who has not written yet."""

from __future__ import annotations

import pytest

from bot.channels.web_door import script_wanted
from bot.text.scripts import Script


@pytest.mark.parametrize(
    ("accept_language", "script"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", Script.HANT),
        ("en-US,en;q=0.9,zh-HK;q=0.8", Script.HANT),
        ("zh-Hant", Script.HANT),
        ("zh-MO", Script.HANT),
        ("zh-Hans-HK,zh-TW", Script.HANS),
        ("zh-CN,zh-TW;q=0.5", Script.HANS),
        ("en-US", Script.HANS),
        ("*", Script.HANS),
        ("", Script.HANS),
        (";;,-,zh", Script.HANS),
    ],
)
def test_the_first_chinese_language_that_a_browser_asks_for_decides(accept_language: str, script: Script) -> None:
    assert script_wanted(accept_language) is script
