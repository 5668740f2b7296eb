"""Who answers a conversation: the table of allowed transitions.

Ownership is the desk's own and not the dialogue engine's pause event, which the next session undoes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Owner(StrEnum):
    """Who answers."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    CLOSED = "closed"


class Act(StrEnum):
    """Something that may change the owner."""

    ASK_HUMAN = "ask_human"
    WITHDRAW = "withdraw"
    TAKE = "take"
    GIVE_BACK = "give_back"
    CLOSE = "close"
    REOPEN = "reopen"


class QueueReason(StrEnum):
    """Why a conversation waits for a person, most urgent first.

    ``SAID_FINE``: a sign of danger that may have been none, and the borrower says so; a person looks in all the same.
    ``ON_HOLD``: somebody wants a plan under a hold that lets the bot agree to nothing, perhaps of another conversation.
    """

    DISTRESS = "distress"
    VULNERABLE = "vulnerable"
    SAID_FINE = "said_fine"
    ON_HOLD = "on_hold"
    COMPLAINT = "complaint"
    DISPUTE = "dispute"
    PAYMENT_TRACE = "payment_trace"
    PLAN_MISSED = "plan_missed"
    NO_ANSWER = "no_answer"
    NO_PLAN_FITS = "no_plan_fits"
    HIGH_COST = "high_cost"
    OLD_DEBT = "old_debt"
    THIRD_PARTY = "third_party"
    ASKED = "asked"
    NOT_UNDERSTOOD = "not_understood"


PRIORITY: tuple[QueueReason, ...] = tuple(QueueReason)
"""Order of the queue; within a reason, the longest wait comes first."""

SILENT = frozenset({QueueReason.DISTRESS, QueueReason.VULNERABLE})
"""A sign of danger, a minor, violence at home: the dialogue does not answer before a person has."""

_TRANSITIONS: dict[tuple[Owner, Act], Owner] = {
    (Owner.BOT, Act.ASK_HUMAN): Owner.QUEUED,
    (Owner.QUEUED, Act.ASK_HUMAN): Owner.QUEUED,
    (Owner.QUEUED, Act.WITHDRAW): Owner.BOT,
    (Owner.BOT, Act.TAKE): Owner.HUMAN,
    (Owner.QUEUED, Act.TAKE): Owner.HUMAN,
    (Owner.CLOSED, Act.TAKE): Owner.HUMAN,
    (Owner.HUMAN, Act.GIVE_BACK): Owner.BOT,
    (Owner.BOT, Act.CLOSE): Owner.CLOSED,
    (Owner.QUEUED, Act.CLOSE): Owner.CLOSED,
    (Owner.HUMAN, Act.CLOSE): Owner.CLOSED,
    (Owner.CLOSED, Act.REOPEN): Owner.BOT,
    (Owner.CLOSED, Act.ASK_HUMAN): Owner.QUEUED,
}


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The act is not possible while ``owner`` answers."""

    owner: Owner
    act: Act


def after(owner: Owner, act: Act) -> Owner | NotAllowed:
    """Return the owner after an act, or why it is not possible. Total over both enumerations."""
    return _TRANSITIONS.get((owner, act), NotAllowed(owner, act))


def bot_may_answer(owner: Owner, reason: QueueReason | None) -> bool:
    """Tell whether the dialogue engine may be asked.

    Never while a person answers. While the borrower waits for one it goes on answering, except for the reasons in
    ``SILENT``, when all talk of debt stops until a person has been there.
    """
    return owner in (Owner.BOT, Owner.CLOSED) or (owner is Owner.QUEUED and reason not in SILENT)


def more_urgent(first: QueueReason, second: QueueReason) -> QueueReason:
    """Return the more urgent of two reasons."""
    return min(first, second, key=PRIORITY.index)
