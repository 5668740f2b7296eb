"""Breaking text into lines: nothing is lost, nothing is torn apart, no line begins or ends as none may."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.lines import wrap

TEXTS = st.text(alphabet="还款日金额，。：（）《》·¥0123456789.,- \nAB", max_size=120)


def by_count(text: str) -> float:
    return len(text)


@given(TEXTS, st.integers(1, 40))
def test_no_line_is_too_long_and_only_white_space_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width, by_count)
    assert all(len(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@given(TEXTS)
def test_a_text_that_fits_keeps_its_own_lines(text: str) -> None:
    assert wrap(text, 200, by_count) == [line.rstrip(" ") for line in text.split("\n")]


@given(
    st.lists(st.sampled_from(["还款", "¥1,234.50", "2026", "，", "。", "（", "）"]), max_size=30), st.integers(12, 30)
)
def test_amounts_stay_whole_and_marks_stay_with_their_words(pieces: list[str], width: int) -> None:
    # Marks in a row may be longer than a line, and then nothing helps but cutting.
    text = re.sub(r"[，。（）]{2,}", "，", "".join(pieces)).replace("（，", "（")
    text = re.sub(r"([\d.])(?=[¥\d])", r"\1还", re.sub(r"([0-9])(?=¥)", r"\1还", text))
    lines = wrap(text, width, by_count)
    assert all(line[0] not in "，。）" for line in lines[1:])
    amounts = re.findall(r"¥[\d,.]+", text)
    assert re.findall(r"¥[\d,.]+", "\n".join(lines)) == amounts


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("还款日和金额都在这里。", 10, ["还款日和金额都在这", "里。"]),
        ("一共要还¥1,234.50，分期还", 12, ["一共要还", "¥1,234.50，分期", "还"]),
        ("截至今天（含今天）都算", 6, ["截至今天（含", "今天）都算"]),
        ("aaaaaaaaaa", 4, ["aaaa", "aaaa", "aa"]),
        ("", 4, [""]),
        ("上\n\n下", 4, ["上", "", "下"]),
    ],
)
def test_lines_break_where_a_reader_expects_it(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width, by_count) == lines
