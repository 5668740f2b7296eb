"""What somebody says they will pay, and by when. Only reading: nothing is promised here.

Texts are normalised and values extracted as for ``bot.workout.reading``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import DayOfMonth
from bot.text.values import Value

_EVERYTHING = re.compile(
    r"全部|全款|全额|还清|结清|付清|清掉|都还(?!没|不)|一次(?:性)?(?:还|付|结|处理)(?:完|清)|全还|有多少还多少|欠(?:的|多少)?(?:都|就)?还(?:多少|完)"
)
_NOT_EVERYTHING = re.compile(
    r"(?:不能|没法|没办法|不了|哪能|还不了?|先不)[^,。]{0,3}(?:全部|还清|结清|付清)|(?:还|结|付)不清"
)
_OWN_MONEY = re.compile(
    r"(?:工资|收入|奖金|欠款?|一共|总共|余额|利息|本金|有|差|赚|挣)(?:是|有|要|发|才|大概|差不多|了)*$"
)


@dataclass(frozen=True, slots=True)
class StatedPromise:
    """What was said of a promise, any of it; fen. ``everything``: all that is owed, whatever that is.

    ``unclear_day`` and ``unclear_amount``: one was spoken of, but not so that it could be written down.
    """

    amount_fen: int | None = None
    due_on: date | None = None
    everything: bool = False
    unclear_day: bool = False
    unclear_amount: bool = False

    @property
    def says_nothing(self) -> bool:
        """Whether neither a sum nor a day was spoken of."""
        return not (self.amount_fen or self.due_on or self.everything or self.unclear_day or self.unclear_amount)


def read_promise(values: Sequence[Value], text: str) -> StatedPromise:
    """Read a sum and a day; what has two readings is unclear, never guessed. A sum that is earned is not one paid."""
    amounts = [
        value.payload
        for value in values
        if isinstance(value.payload, AmountRange) and not _OWN_MONEY.search(text[: value.start])
    ]
    days = [value.payload.day for value in values if isinstance(value.payload, DateValue)]
    clear = amounts[0] if len(amounts) == 1 and amounts[0].low_fen == amounts[0].high_fen else None
    amount_fen = clear.low_fen if clear is not None and clear.low_fen > 0 else None
    monthly_days = [value for value in values if isinstance(value.payload, DayOfMonth)]
    everything = amount_fen is None and bool(_EVERYTHING.search(text)) and not _NOT_EVERYTHING.search(text)
    return StatedPromise(
        amount_fen=amount_fen,
        due_on=days[0] if len(days) == 1 else None,
        everything=everything,
        unclear_day=(bool(days) and (len(days) > 1 or days[0] is None)) or (not days and bool(monthly_days)),
        unclear_amount=bool(amounts) and amount_fen is None and not everything,
    )
