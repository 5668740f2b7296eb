"""Typed text never begins like a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.commands import NOTHING, defused


@pytest.mark.parametrize(
    "typed",
    [
        "/restart",
        "//restart",
        "/\n/restart",
        " \t/\r\n/restart",
        "/\u3000/restart",
        "／restart",
        "\u200b/restart",
        "/\u00a0/\x0b/restart",
        "\ufeff/restart",
    ],
)
def test_slashes_and_what_hides_them_are_taken_away(typed: str) -> None:
    assert defused(typed) == "restart"


def test_a_slash_inside_a_sentence_stays() -> None:
    assert defused("本金/利息怎么算") == "本金/利息怎么算"


@pytest.mark.parametrize("typed", ["/", "///", " / ", "／"])
def test_a_text_of_slashes_alone_becomes_something_that_can_be_read(typed: str) -> None:
    assert defused(typed) == NOTHING


@given(st.text(alphabet=st.sampled_from("/／ \n\t\u3000\u200b\ufeffab还{}"), max_size=12))
def test_whatever_is_typed_is_no_command_even_after_the_engine_strips_it(typed: str) -> None:
    assert not defused(typed).strip().startswith("/")
