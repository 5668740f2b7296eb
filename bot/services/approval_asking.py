"""Asking the borrower for more before a request is decided: in words that pass the tone gate, and told by the rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.identity.roles import Role
from bot.outreach.tone import Finding
from bot.services import approval_news, approval_notes, approvals, audit
from bot.services.approval_decisions import lock
from bot.services.approval_notes import NoteKind
from bot.services.deps import Deps
from bot.services.handoff import unfitting
from bot.store import tables
from bot.workout.authority import DecisionRefusal

LONGEST_WISH = 200
"""Characters of the words for what else is needed."""


class NotAsked(StrEnum):
    """Why nothing was asked of the borrower, besides ``DecisionRefusal``; nothing was changed."""

    UNKNOWN = "unknown"
    NO_WORDS = "no_words"
    WORDS_TOO_LONG = "words_too_long"
    EVIDENCE_NOT_NEEDED = "evidence_not_needed"
    """The policy asks for no proof of such an offer, and so does nobody (P6)."""


@dataclass(frozen=True, slots=True)
class UnfitWish:
    """What was to be asked says what must never be said; nothing happened. ``findings`` is never empty."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class AskedForMore:
    """The request goes on waiting. ``told_conversation_id`` is where the borrower was told, None if not yet."""

    told_conversation_id: str | None


def ask_for_more(
    deps: Deps, operator_id: str, approval_id: str, wanted: str
) -> AskedForMore | UnfitWish | NotAsked | DecisionRefusal:
    """Ask the borrower for one more thing in the operator's words, and leave the request waiting, as long as it would.

    Takes whoever may decide on the request. The borrower reads that having none is no harm; where the contact rules
    put it off, they are told later.
    """
    wanted = wanted.strip()
    if not wanted:
        return NotAsked.NO_WORDS
    if len(wanted) > LONGEST_WISH:
        return NotAsked.WORDS_TOO_LONG
    if findings := unfitting(deps, wanted):
        return UnfitWish(findings)
    with deps.begin() as session:
        row = lock(session, approval_id)
        operator = session.get(tables.Operator, operator_id)
        if row is None or operator is None:
            return NotAsked.UNKNOWN
        found = approvals.view(session, deps, row)
        standing = approvals.may_decide_on(deps, operator_id, Role(operator.role), found)
        if isinstance(standing, DecisionRefusal):
            return standing
        if not found.offer.needs_evidence:
            return NotAsked.EVIDENCE_NOT_NEEDED
        approval_notes.add(session, deps, approval_id, NoteKind.ASKED, wanted, operator_id)
        actor = audit.Actor("operator", operator_id)
        audit.record(session, deps.now(), actor, "approval_evidence_asked", ("approval", approval_id))
        return AskedForMore(approval_news.announce(session, deps, row))
