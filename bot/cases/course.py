"""How a case goes: the table of allowed transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.cases.kinds import Family


class CaseState(StrEnum):
    """Where a case stands. ``DRAFT`` and ``DROPPED`` are of disputes that were not confirmed: they bind nobody."""

    DRAFT = "draft"
    DROPPED = "dropped"
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    WAITING = "waiting"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


class CaseAct(StrEnum):
    """Something that may change where a case stands."""

    CONFIRM = "confirm"
    DROP = "drop"
    REVIEW = "review"
    ASK_BORROWER = "ask_borrower"
    ANSWER = "answer"
    UPHOLD = "uphold"
    UPHOLD_PARTLY = "uphold_partly"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    CORRECT = "correct"


OPEN = (CaseState.RECEIVED, CaseState.IN_REVIEW, CaseState.WAITING)
"""States in which an answer is owed: the clock runs. Waiting for the borrower does not stop it."""

DECIDED = (CaseState.UPHELD, CaseState.PARTLY_UPHELD, CaseState.REJECTED)

DECISIONS = (CaseAct.UPHOLD, CaseAct.UPHOLD_PARTLY, CaseAct.REJECT)
"""Acts that answer the case; each needs a reason in plain words."""

_COMMON: dict[tuple[CaseState, CaseAct], CaseState] = {
    (CaseState.RECEIVED, CaseAct.REVIEW): CaseState.IN_REVIEW,
    (CaseState.WAITING, CaseAct.REVIEW): CaseState.IN_REVIEW,
    (CaseState.RECEIVED, CaseAct.ASK_BORROWER): CaseState.WAITING,
    (CaseState.IN_REVIEW, CaseAct.ASK_BORROWER): CaseState.WAITING,
    (CaseState.WAITING, CaseAct.ANSWER): CaseState.IN_REVIEW,
    **{(state, CaseAct.WITHDRAW): CaseState.WITHDRAWN for state in OPEN},
    # Nobody decides what nobody has looked into: a decision takes a review first.
    **{
        (state, act): decided
        for state in (CaseState.IN_REVIEW, CaseState.WAITING)
        for act, decided in zip(DECISIONS, DECIDED, strict=True)
    },
}

_DISPUTE: dict[tuple[CaseState, CaseAct], CaseState] = {
    (CaseState.DRAFT, CaseAct.CONFIRM): CaseState.RECEIVED,
    (CaseState.DRAFT, CaseAct.DROP): CaseState.DROPPED,
    (CaseState.UPHELD, CaseAct.CORRECT): CaseState.CORRECTED,
    (CaseState.PARTLY_UPHELD, CaseAct.CORRECT): CaseState.CORRECTED,
}


@dataclass(frozen=True, slots=True)
class NotPossible:
    """The act is not possible in ``state``."""

    state: CaseState
    act: CaseAct


def after(family: Family, state: CaseState, act: CaseAct) -> CaseState | NotPossible:
    """Return the state after an act, or why it is not possible. Total over all enumerations."""
    table = _COMMON | _DISPUTE if family is Family.DISPUTE else _COMMON
    return table.get((state, act), NotPossible(state, act))


def possible(family: Family, state: CaseState) -> tuple[CaseAct, ...]:
    """Return the acts that are possible in a state, in the order of ``CaseAct``."""
    return tuple(act for act in CaseAct if not isinstance(after(family, state, act), NotPossible))


def keeps_silence(family: Family, state: CaseState) -> bool:
    """Whether the case's hold stands in a state.

    A dispute that was found right keeps it until the account has been corrected, or the wrong figure would be
    collected; every other end lifts it. A request about data has none.
    """
    if family is Family.DATA:
        return False
    found_right = family is Family.DISPUTE and state in (CaseState.UPHELD, CaseState.PARTLY_UPHELD)
    return state in OPEN or found_right
