"""Typed text never begins like a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.commands import NOTHING, defused, read_by_engine
from bot.text.normalize import normalize_text


@pytest.mark.parametrize(
    "typed",
    [
        "/还款",
        "//还款",
        "/\n/还款",
        " \t/\r\n/还款",
        "/\u3000/还款",
        "／还款",
        "\u200b/还款",
        "/\u00a0/\x0b/还款",
        "\ufeff/还款",
    ],
)
def test_slashes_and_what_hides_them_are_taken_away(typed: str) -> None:
    assert defused(typed) == "还款"


@pytest.mark.parametrize(
    "typed",
    [
        "/affirm",
        "//affirm",
        "／affirm",
        " /affirm\n",
        '/affirm{"agree":"x"}',
        "/rights/visit",
        "/\u200b/action_open_plan",
    ],
)
def test_a_typed_order_says_nothing(typed: str) -> None:
    assert defused(typed) == NOTHING


@pytest.mark.parametrize("typed", ["ok", "affirm", "yes 我同意"])
def test_words_without_a_slash_stay_as_they_are(typed: str) -> None:
    assert defused(typed) == typed


def test_a_slash_inside_a_sentence_stays() -> None:
    assert defused("本金/利息怎么算") == "本金/利息怎么算"


@pytest.mark.parametrize("typed", ["/", "///", " / ", "／"])
def test_a_text_of_slashes_alone_becomes_something_that_can_be_read(typed: str) -> None:
    assert defused(typed) == NOTHING


@given(st.text(alphabet=st.sampled_from("/／ \n\t\u3000\u200b\ufeffab还{}"), max_size=12))
def test_whatever_is_typed_is_no_command_even_after_the_engine_strips_it(typed: str) -> None:
    assert not defused(typed).strip().startswith("/")


def test_the_order_of_a_button_is_read_letter_by_letter() -> None:
    order = '/affirm{"agree": "f27fcccc33333333aaaaaa00"}'
    assert read_by_engine(order) == order
    assert read_by_engine("還款款款款款款") == normalize_text("還款款款款款款")
