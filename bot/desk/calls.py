"""What becomes of a call that a borrower asked for, and how far they know its time. Pure."""

from __future__ import annotations

from enum import StrEnum


class CallState(StrEnum):
    """What became of a call."""

    OPEN = "open"
    DONE = "done"
    UNREACHED = "unreached"
    WITHDRAWN = "withdrawn"


class CallOutcome(StrEnum):
    """What an operator says became of it: spoken with, nobody answered, or no call is wanted any more."""

    SPOKEN = "spoken"
    NO_ANSWER = "no_answer"
    WITHDRAWN = "withdrawn"


class CallTelling(StrEnum):
    """How far the borrower knows the time: they have to be told it, have to be told that a call was missed, or know."""

    DUE = "due"
    MISSED = "missed"
    TOLD = "told"
    DROPPED = "dropped"


OWED = (CallTelling.DUE, CallTelling.MISSED)
"""What is still to be told."""
