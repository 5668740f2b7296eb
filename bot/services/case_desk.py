"""What operators do to a case: look into it, ask, decide, extend, correct, add to it, see a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases.clock import most_extensions
from bot.cases.course import DECISIONS, OPEN, CaseAct, NotPossible
from bot.cases.kinds import CaseKind, Family
from bot.cases.question import CaseStep
from bot.clock import business_date
from bot.desk.uploads import UploadRefusal
from bot.identity.roles import Permission, may
from bot.outreach.tone import Finding
from bot.services import audit
from bot.services.case_record import add_note, extended, key_for, lock_with_borrower, move, seal_for, set_clock, tell
from bot.services.deps import Deps
from bot.services.handoff import unfitting
from bot.services.operators import OperatorView
from bot.store.tables import CaseFile, Conversation, Message

LONGEST_TEXT = 1_000

_DECIDERS = frozenset({*DECISIONS, CaseAct.CORRECT})
_SAYS_SOMETHING = frozenset({*DECISIONS, CaseAct.ASK_BORROWER})
_TOLD = frozenset({*_SAYS_SOMETHING, CaseAct.CORRECT})
ACTS = (CaseAct.REVIEW, CaseAct.ASK_BORROWER, *DECISIONS, CaseAct.CORRECT)
"""What operators do; the rest is the borrower's."""


class Refused(StrEnum):
    """Why an act on a case was refused; the words for it are in ``_case_words.html``."""

    UNKNOWN = "unknown"
    NOT_POSSIBLE = "not_possible"
    ROLE_TOO_LOW = "role_too_low"
    OWN_CONDUCT = "own_conduct"
    NO_TEXT = "no_text"
    TEXT_TOO_LONG = "text_too_long"
    NO_KIND = "no_kind"
    NO_EXTENSION_LEFT = "no_extension_left"
    TOO_LATE = "too_late"
    DAY_OUT_OF_RANGE = "day_out_of_range"
    NOTHING_TO_DISPUTE = "nothing_to_dispute"
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Acted:
    """The act took effect; ``conversation_id`` is where the case was raised."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class UnfitWords:
    """What was to be told says what must never be said; nothing happened. ``findings`` is never empty."""

    findings: tuple[Finding, ...]


Outcome = Acted | Refused | UnfitWords | UploadRefusal


def act(
    deps: Deps, operator: OperatorView, case_id: str, what: CaseAct, text: str = "", *, by_our_people: bool = False
) -> Outcome:
    """Do one step of a case's course. ``text`` is what the borrower will read: what is asked for, or the reason.

    ``by_our_people`` marks what was found as done by people who collect for the lender: a supervisor has to see it.
    Deciding takes ``Permission.DECIDE_CASES``, and nobody decides on the complaint of somebody with whom they spoke
    before it.
    """
    text = text.strip()
    if (refused := _unsayable(deps, what, text)) is not None:
        return refused
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.number is None or what not in ACTS:
            return Refused.UNKNOWN
        if not is_allowed(operator, what):
            return Refused.ROLE_TOO_LOW
        if what in DECISIONS and case.kind is None:
            return Refused.NO_KIND
        if what in DECISIONS and _took_part(session, operator, case):
            return Refused.OWN_CONDUCT
        actor = audit.Actor("operator", operator.id)
        finds = by_our_people and what in (CaseAct.UPHOLD, CaseAct.UPHOLD_PARTLY)
        if isinstance(move(session, deps, case, what, actor, by_our_people=finds), NotPossible):
            return Refused.NOT_POSSIBLE
        case.assigned_to = case.assigned_to or operator.id
        sealed = deps.vault.seal(seal_for(case.id), text) if text else None
        if what is CaseAct.ASK_BORROWER:
            case.wanted_sealed, case.asking = sealed, CaseStep.FACTS
        if what in DECISIONS:
            case.reason_sealed, case.decided_at, case.decided_by = sealed, deps.now(), operator.id
        if finds:
            case.finding_at = deps.now()
        if what in _TOLD:
            tell(session, deps, case)
        return Acted(case.conversation_id)


def classify(deps: Deps, operator: OperatorView, case_id: str, kind: CaseKind) -> Outcome:
    """Say what a case is about, where the borrower did not, or where it turned out otherwise; never another family."""
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.number is None or kind.family != case.family:
            return Refused.UNKNOWN
        if not may(operator.role, Permission.REPLY):
            return Refused.ROLE_TOO_LOW
        if case.state not in OPEN:
            return Refused.NOT_POSSIBLE
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "case_named", ("case", case.id), kind=kind.value, was=case.kind)
        case.kind = kind.value
        if kind.family is not Family.DISPUTE:
            case.active_key = key_for(session, case.conversation_id, kind, case.id)
        return Acted(case.conversation_id)


def extend(deps: Deps, operator: OperatorView, case_id: str, reason: str) -> Outcome:
    """Give a case the next longer time of the rule (C2), before the present one is over; the borrower is told why."""
    reason = reason.strip()
    if (refused := _unsayable(deps, CaseAct.ASK_BORROWER, reason)) is not None:
        return refused
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.number is None or case.due_on is None:
            return Refused.UNKNOWN
        if not may(operator.role, Permission.DECIDE_CASES):
            return Refused.ROLE_TOO_LOW
        if case.state not in OPEN:
            return Refused.NOT_POSSIBLE
        if case.extensions >= most_extensions(Family(case.family)):
            return Refused.NO_EXTENSION_LEFT
        if business_date(deps.now()) > case.due_on:
            return Refused.TOO_LATE
        set_clock(case, extended(case), case.extensions + 1)
        case.reason_sealed = deps.vault.seal(seal_for(case.id), reason)
        actor = audit.Actor("operator", operator.id)
        last_day, count = case.due_on.isoformat(), case.extensions
        audit.record(session, deps.now(), actor, "case_extended", ("case", case.id), due_on=last_day, extensions=count)
        tell(session, deps, case)
        return Acted(case.conversation_id)


def note(deps: Deps, operator: OperatorView, case_id: str, text: str) -> Outcome:
    """Add an operator's own line, which no borrower reads."""
    text = text.strip()
    if not text:
        return Refused.NO_TEXT
    if len(text) > LONGEST_TEXT:
        return Refused.TEXT_TOO_LONG
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.number is None:
            return Refused.UNKNOWN
        add_note(session, deps, case, "note", text, operator_id=operator.id)
        audit.record(session, deps.now(), audit.Actor("operator", operator.id), "case_noted", ("case", case.id))
        return Acted(case.conversation_id)


def see_finding(deps: Deps, operator: OperatorView, case_id: str) -> Outcome:
    """Note that somebody who may decide has seen a finding against the lender's own people."""
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.finding_at is None:
            return Refused.UNKNOWN
        if not may(operator.role, Permission.DECIDE_CASES):
            return Refused.ROLE_TOO_LOW
        if case.finding_seen_by is None:
            case.finding_seen_by = operator.id
            actor = audit.Actor("operator", operator.id)
            audit.record(session, deps.now(), actor, "case_finding_seen", ("case", case.id))
        return Acted(case.conversation_id)


def _unsayable(deps: Deps, what: CaseAct, text: str) -> Refused | UnfitWords | None:
    """Why a text cannot be told to the borrower in an act, None where it can, or where the act tells nothing."""
    if what not in _SAYS_SOMETHING:
        return None
    if not text:
        return Refused.NO_TEXT
    if len(text) > LONGEST_TEXT:
        return Refused.TEXT_TOO_LONG
    findings = unfitting(deps, text)
    return UnfitWords(findings) if findings else None


def is_allowed(operator: OperatorView, what: CaseAct) -> bool:
    """Whether an operator's role may do an act."""
    return may(operator.role, Permission.DECIDE_CASES if what in _DECIDERS else Permission.REPLY)


def _took_part(session: Session, operator: OperatorView, case: CaseFile) -> bool:
    """Whether an operator spoke with the borrower before they complained, over whichever channel: it may be about them.

    Of a complaint by somebody unknown only the conversation is known that it was raised in.
    """
    if case.family != Family.COMPLAINT:
        return False
    here = Conversation.id == case.conversation_id
    if case.borrower_id is not None:
        here = here | (Conversation.borrower_id == case.borrower_id)
    spoke = (
        select(Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(here, Message.operator_id == operator.id, Message.created_at < case.created_at)
    )
    return session.scalar(spoke.limit(1)) is not None
