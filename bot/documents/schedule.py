"""The dates and amounts of an agreement, as its papers list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.documents.words import Speech
from bot.lending.money import format_yuan
from bot.lending.schedule import ScheduledInstalment


@dataclass(frozen=True, slots=True)
class PaymentSchedule:
    """Everything that is to be paid, in fen: a down payment where there is one, then the instalments.

    Raises ``ValueError`` unless they add up to ``total_fen``: such a paper must not leave the house. Also if a down
    payment has no due date, or a due date no down payment.
    """

    instalments: tuple[ScheduledInstalment, ...]
    total_fen: int
    down_payment_fen: int = 0
    down_payment_due_on: date | None = None

    def __post_init__(self) -> None:
        added_fen = self.down_payment_fen + sum(part.amount_fen for part in self.instalments)
        if added_fen != self.total_fen:
            raise ValueError(f"the schedule adds up to {added_fen} fen, not {self.total_fen} fen")
        if (self.down_payment_fen > 0) != (self.down_payment_due_on is not None):
            raise ValueError("a down payment, and only a down payment, has a due date")


def schedule_rows(schedule: PaymentSchedule, speech: Speech) -> tuple[tuple[str, str, str], ...]:
    """Return what each payment is called, when it is due and how much it is, in the reader's script."""
    rows = [
        (speech.say("instalment", number=str(i.number)), speech.day(i.due_on), format_yuan(i.amount_fen))
        for i in schedule.instalments
    ]
    if schedule.down_payment_due_on is not None:
        due_on, amount = speech.day(schedule.down_payment_due_on), format_yuan(schedule.down_payment_fen)
        rows.insert(0, (speech.say("down_payment"), due_on, amount))
    return tuple(rows)
