"""Two engines have worked on one message, because the first was thought to be dead: its words are shown once."""

from __future__ import annotations

from bot.channels.rasa_client import _Button, _Message, _once

ASKED = _Message(text="哪个方案合适？", buttons=[_Button(title="方案1", payload="/choose")])


def test_what_stands_there_twice_is_left_out_and_the_order_is_kept() -> None:
    first = _Message(text="方案如下")
    assert _once([first, ASKED, first, ASKED]) == [first, ASKED]


def test_the_same_words_over_other_buttons_are_something_else() -> None:
    other = _Message(text=ASKED.text, buttons=[_Button(title="方案2", payload="/choose")])
    assert _once([ASKED, other]) == [ASKED, other]
