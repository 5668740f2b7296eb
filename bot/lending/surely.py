"""What can be said of a debt without counting its interest: quick answers that err to one side only.

Looked at from below: charges other than drawdowns are left out, although they only add to what is owed, and every
payment and waiver counts in full. So a debt that is open or free of credit by this account is so by its statement; the
other way round nothing follows, and the statement has to be asked.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from bot.lending.ledger import Entry, EntryKind

Move = tuple[date, int]
"""A day and signed fen: drawdowns above 0, payments and waivers below."""


def moves_of(entries: Iterable[Entry]) -> list[Move]:
    """The moves of a ledger. A reversed drawdown is left out; a reversed payment or waiver still counts."""
    entries = tuple(entries)
    undone = {entry.reverses for entry in entries if entry.reverses is not None}
    return [
        (entry.effective_on, sign * entry.amount_fen)
        for entry in entries
        if (sign := move_sign(entry.kind, is_undone=entry.key in undone))
    ]


def move_sign(kind: EntryKind, *, is_undone: bool) -> int:
    """1 for an entry that counts as a drawdown, -1 for one that counts as a payment or waiver, 0 for any other."""
    if kind is EntryKind.DRAWDOWN:
        return 0 if is_undone else 1
    return -1 if kind in (EntryKind.PAYMENT, EntryKind.WAIVER) else 0


def surely_open(moves: Iterable[Move], on: date) -> bool:
    """Whether something is owed at the end of a day, whatever interest and fees there are."""
    return sum(fen for day, fen in moves if day <= on) > 0


def never_in_credit(moves: Sequence[Move]) -> bool:
    """Whether no day can show a credit, whatever interest and fees there are."""
    left_fen = 0
    for _, fen in sorted(moves, key=lambda move: (move[0], -move[1])):
        left_fen += fen
        if left_fen < 0:
            return False
    return True
