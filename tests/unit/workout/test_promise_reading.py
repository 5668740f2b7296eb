from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.text.values import extract
from bot.workout.promise_reading import StatedPromise, read_promise

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


def read(text: str) -> StatedPromise:
    plain = normalize_text(text)
    return read_promise(extract(plain, NOW), plain)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("15号发工资就还两千", StatedPromise(200_000, date(2026, 12, 15))),
        ("15號出糧先還2000", StatedPromise(200_000, date(2026, 12, 15))),
        ("周五之前存1500进去", StatedPromise(150_000, date(2026, 11, 27))),
        ("工资3000,25号到,到时候还1000", StatedPromise(100_000, date(2026, 11, 25))),
        ("明天处理", StatedPromise(due_on=date(2026, 11, 22))),
        ("还不清,先还500", StatedPromise(50_000)),
        ("月底全部还清", StatedPromise(due_on=date(2026, 11, 30), everything=True)),
        ("过几天还一点", StatedPromise(unclear_day=True)),
        ("每月15号还", StatedPromise(unclear_day=True)),
        ("12月10号还500到800", StatedPromise(due_on=date(2026, 12, 10), unclear_amount=True)),
    ],
)
def test_a_sum_and_a_day_are_read(text: str, stated: StatedPromise) -> None:
    assert read(text) == stated


@pytest.mark.parametrize("text", ["嗯", "再说吧", "没钱怎么还"])
def test_what_names_neither_says_nothing(text: str) -> None:
    assert read(text).says_nothing


@given(st.text(max_size=80))
def test_what_is_read_is_positive_and_no_sum_is_everything_at_once(text: str) -> None:
    stated = read(text)
    assert stated.amount_fen is None or stated.amount_fen > 0
    assert not (stated.everything and stated.amount_fen)
