"""Figures as operators type them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from bot.lending.money import yuan_to_fen

_MOST_YUAN = Decimal(100_000_000)


def fen_of(typed: str) -> int | None:
    """Return yuan as typed (``1,234.50``) in fen; None where nothing was typed.

    Raises:
        ValueError: it is no amount, below zero, or beyond any borrower's.
    """
    text = typed.strip().replace(",", "")
    if not text:
        return None
    try:
        yuan = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {typed!r}") from error
    if not (yuan.is_finite() and 0 <= yuan <= _MOST_YUAN):
        raise ValueError(f"not an amount: {typed!r}")
    return yuan_to_fen(yuan)
