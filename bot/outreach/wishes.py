"""How a borrower wants to be written to. A wish only ever narrows what the lender's limits allow. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class ContactWishes:
    """One borrower's wishes; None is no wish. Times are wall-clock, Asia/Shanghai.

    Nothing comes from ``quiet_from`` to ``quiet_to`` (exclusive), which may lie over midnight. ``send_at`` is the
    earliest time of day at which notices come. At most ``per_seven_days`` notices come within seven days. These three
    are the gate's; ``day_of_month``, ``days_before`` (a due date) and ``channel`` are for whoever plans and sends.

    Raises:
        ValueError: quiet hours with one end, or with nothing between the two; a time with a zone of its own; a number
            out of range.
    """

    quiet_from: time | None = None
    quiet_to: time | None = None
    send_at: time | None = None
    day_of_month: int | None = None
    days_before: int | None = None
    channel: str | None = None
    per_seven_days: int | None = None

    def __post_init__(self) -> None:
        if (self.quiet_from is None) is not (self.quiet_to is None):
            raise ValueError("quiet hours need both ends")
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise ValueError("quiet hours need two different ends")
        if any(clock is not None and clock.tzinfo for clock in (self.quiet_from, self.quiet_to, self.send_at)):
            raise ValueError("wishes are wall-clock times in Asia/Shanghai, without a zone of their own")
        if self.day_of_month is not None and not 1 <= self.day_of_month <= 31:
            raise ValueError("a day of the month is 1 to 31")
        if self.days_before is not None and self.days_before < 0:
            raise ValueError("days before a due date cannot be negative")
        if self.per_seven_days is not None and self.per_seven_days < 1:
            raise ValueError("fewer than one notice in seven days is an opt-out")

    def quiet_at(self, clock_time: time) -> bool:
        """Whether this time of day lies in the borrower's quiet hours."""
        if self.quiet_from is None or self.quiet_to is None:
            return False
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= clock_time < self.quiet_to
        return clock_time >= self.quiet_from or clock_time < self.quiet_to

    def left_of(self, opens: time, closes: time) -> tuple[tuple[time, time], ...]:
        """What the quiet hours leave of a window of the day (``closes`` exclusive), in order; possibly nothing."""
        if self.quiet_from is None or self.quiet_to is None:
            return ((opens, closes),)
        pieces: tuple[tuple[time, time], ...]
        if self.quiet_from < self.quiet_to:
            pieces = ((opens, min(closes, self.quiet_from)), (max(opens, self.quiet_to), closes))
        else:  # over midnight: what is left is one piece, in the middle of the day
            pieces = ((max(opens, self.quiet_to), min(closes, self.quiet_from)),)
        return tuple(piece for piece in pieces if piece[0] < piece[1])

    def earliest_in(self, opens: time, closes: time) -> time | None:
        """The time of day before which notices wait in a window; None without that wish, or where it cannot be met.

        A time when the window is closed, or in the borrower's own quiet hours, cannot be met, and nothing waits for it.
        """
        if self.send_at is None or not opens <= self.send_at < closes or self.quiet_at(self.send_at):
            return None
        return self.send_at


NO_WISHES = ContactWishes()
