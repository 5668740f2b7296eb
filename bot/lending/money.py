"""Money in integer fen (1 yuan = 100 fen). No float is accepted anywhere."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

_FEN_PER_YUAN = 100


def round_to_fen(fen: Decimal) -> int:
    """Round an exact amount of fen to whole fen, half away from zero (``ROUND_HALF_UP``).

    The only rounding of computed charges in the project, so that every figure can be recomputed by hand.
    Raises ``TypeError`` for anything but a ``Decimal`` and ``ValueError`` for NaN or infinity.
    """
    return int(_finite(fen).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def floor_to_fen(fen: Decimal) -> int:
    """Round an exact *limit* in fen down, so that rounding never crosses it. Not for charges: see ``round_to_fen``.

    Raises as ``round_to_fen`` does.
    """
    return int(_finite(fen).quantize(Decimal(1), rounding=ROUND_FLOOR))


def yuan_to_fen(yuan: Decimal) -> int:
    """Convert yuan to fen, rounding fractions of a fen as ``round_to_fen`` does. Raises as ``round_to_fen`` does."""
    return round_to_fen(_finite(yuan) * _FEN_PER_YUAN)


def format_yuan(fen: int) -> str:
    """Write fen as yuan for a reader: ``123450`` becomes ``'¥1,234.50'``, a negative amount ``'-¥…'``."""
    yuan, rest = divmod(abs(fen), _FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}¥{yuan:,}.{rest:02d}"


def split_evenly(total_fen: int, parts: int) -> tuple[int, ...]:
    """Split an amount into equal parts of whole fen; the last part takes the remainder.

    Raises ``ValueError`` if ``total_fen`` is negative or ``parts`` is below 1.
    """
    if total_fen < 0:
        raise ValueError(f"cannot split a negative amount: {total_fen} fen")
    if parts < 1:
        raise ValueError(f"cannot split into {parts} parts")
    each = total_fen // parts
    return (each,) * (parts - 1) + (total_fen - each * (parts - 1),)


def _finite(amount: Decimal) -> Decimal:
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is computed with Decimal, not {type(amount).__name__}")
    if not amount.is_finite():
        raise ValueError(f"not an amount: {amount}")
    return amount
