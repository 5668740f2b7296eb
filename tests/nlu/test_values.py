"""How values are read from the held-out set.

Its misses at first sight have been read and the rules mended, so these floors guard against falling back; they do not
say how unseen messages are read.
"""

from datetime import datetime
from pathlib import Path

import pytest

from bot.text.value_scores import ValueReport, parse_rows, score
from bot.text.values import SHANGHAI

_SET = Path(__file__).parent / "heldout" / "values.tsv"
# The instant the set's relative days are counted from: a Saturday.
_WRITTEN_AT = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def report() -> ValueReport:
    with _SET.open(encoding="utf-8", newline="") as lines:
        return score(parse_rows(lines), _WRITTEN_AT)


def test_the_set_is_whole(report: ValueReport) -> None:
    assert {kind.kind: kind.rows for kind in report.kinds} == {
        "amount": 110,
        "date": 70,
        "day_of_month": 20,
        "months": 30,
        "none": 25,
        "percent": 25,
        "time_of_day": 20,
    }


def test_values_are_read_overall(report: ValueReport) -> None:
    rows = sum(kind.rows for kind in report.kinds)
    right = sum(kind.correct for kind in report.kinds)
    assert right >= 0.97 * rows, report.to_text()


def test_hardly_an_amount_is_missed(report: ValueReport) -> None:
    (amounts,) = (kind for kind in report.kinds if kind.kind == "amount")
    assert amounts.correct >= 0.99 * amounts.rows, report.to_text()


def test_nothing_is_read_where_there_is_no_value(report: ValueReport) -> None:
    assert report.false_readings == 0, report.to_text()
