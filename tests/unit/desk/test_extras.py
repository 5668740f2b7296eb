"""What a page may draw beside a message, as it is stored and sent."""

from __future__ import annotations

import json
from datetime import date

import pytest

from bot.desk.extras import AsksAmount, AsksDay, Extras, RepaymentChart, to_json, to_text


@pytest.mark.parametrize(
    ("extras", "stored"),
    [
        (
            RepaymentChart(((date(2026, 12, 15), 81_240),), date(2026, 11, 21), date(2027, 12, 15), 162_480),
            {
                "kind": "chart",
                "payments": [["2026-12-15", 81_240]],
                "begins": "2026-11-21",
                "ends": "2027-12-15",
                "most_fen": 162_480,
            },
        ),
        (AsksAmount(), {"kind": "amount", "most_fen": None}),
        (AsksAmount(500_000), {"kind": "amount", "most_fen": 500_000}),
        (
            AsksDay(date(2026, 11, 21), date(2027, 2, 19)),
            {"kind": "day", "first": "2026-11-21", "last": "2027-02-19"},
        ),
    ],
)
def test_each_kind_is_stored_as_the_page_reads_it(extras: Extras, stored: dict[str, object]) -> None:
    assert to_json(extras) == stored
    assert json.loads(to_text(extras)) == stored


def test_no_chart_grows_without_end() -> None:
    day = date(2026, 12, 15)
    chart = RepaymentChart(tuple((day, 1) for _ in range(10_000)), day, day, 1)
    assert len(to_text(chart)) < 10_000
