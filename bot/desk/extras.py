"""What a page may draw beside a message: a chart of payments, a picker for an amount or a day.

The words of the message say the same, for channels that draw nothing. What is picked is sent as words, and read like
any other: a picker makes typing shorter and decides nothing. Amounts in fen, days in Asia/Shanghai.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

JsonObject: TypeAlias = Mapping[str, object]

_MOST_PAYMENTS = 360


@dataclass(frozen=True, slots=True)
class RepaymentChart:
    """The payments of one offer, on the scale of all that it is compared with.

    ``begins`` and ``ends`` are the days that the scale reaches from and to, ``most_fen`` its largest payment.
    """

    payments: tuple[tuple[date, int], ...]
    begins: date
    ends: date
    most_fen: int


@dataclass(frozen=True, slots=True)
class AsksAmount:
    """The message asks for a sum of money; ``most_fen`` is what it cannot be more than, None where that is open."""

    most_fen: int | None = None


@dataclass(frozen=True, slots=True)
class AsksDay:
    """The message asks for a day from ``first`` to ``last``."""

    first: date
    last: date


Extras: TypeAlias = RepaymentChart | AsksAmount | AsksDay


def to_json(extras: Extras) -> dict[str, object]:
    """Return extras as they are stored, and sent to the page."""
    match extras:
        case RepaymentChart():
            return {
                "kind": "chart",
                "payments": [[day.isoformat(), fen] for day, fen in extras.payments[:_MOST_PAYMENTS]],
                "begins": extras.begins.isoformat(),
                "ends": extras.ends.isoformat(),
                "most_fen": extras.most_fen,
            }
        case AsksAmount():
            return {"kind": "amount", "most_fen": extras.most_fen}
        case AsksDay():
            return {"kind": "day", "first": extras.first.isoformat(), "last": extras.last.isoformat()}


def to_text(extras: Extras) -> str:
    """Return extras as one word that the dialogue engine hands on unread."""
    return json.dumps(to_json(extras))
