from decimal import Decimal

import pytest

from bot.lending.money import floor_to_fen, format_yuan, round_to_fen, split_evenly, yuan_to_fen


@pytest.mark.parametrize(
    ("fen", "text"),
    [(123450, "¥1,234.50"), (0, "¥0.00"), (5, "¥0.05"), (-5, "-¥0.05"), (-123456789, "-¥1,234,567.89")],
)
def test_fen_are_written_as_yuan(fen: int, text: str) -> None:
    assert format_yuan(fen) == text


@pytest.mark.parametrize(("exact", "fen"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1)])
def test_half_a_fen_rounds_away_from_zero(exact: str, fen: int) -> None:
    assert round_to_fen(Decimal(exact)) == fen


def test_a_limit_rounds_down_also_below_zero() -> None:
    assert (floor_to_fen(Decimal("2.9")), floor_to_fen(Decimal("-2.1"))) == (2, -3)


def test_yuan_become_fen() -> None:
    assert yuan_to_fen(Decimal("812.405")) == 81241


def test_float_is_refused() -> None:
    with pytest.raises(TypeError):
        round_to_fen(0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        yuan_to_fen(Decimal(text))


def test_last_part_takes_the_remainder() -> None:
    assert split_evenly(1000, 3) == (333, 333, 334)


@pytest.mark.parametrize(("total", "parts"), [(-1, 2), (100, 0)])
def test_impossible_splits_are_refused(total: int, parts: int) -> None:
    with pytest.raises(ValueError, match="cannot split"):
        split_evenly(total, parts)
