"""Showing an operator what is masked about a borrower: for a reason, once, on record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from bot.identity.masking import Detail, may_reveal
from bot.services import audit
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.reading_rights import may_look_through
from bot.store.tables import Borrower, Conversation

ID_TAIL = 4
"""Characters of an identity number that are ever shown."""


class RevealReason(StrEnum):
    """What somebody needs the details for; a code, as free text would itself be personal data in the audit log."""

    CALL_BACK = "call_back"
    LETTER = "letter"
    CHECK_IDENTITY = "check_identity"
    SAFETY = "safety"
    AUTHORITY = "authority"


class NotRevealed(StrEnum):
    """Why nothing was shown."""

    UNKNOWN = "reveal_unknown"
    NOT_YOURS = "reveal_not_yours"


@dataclass(frozen=True, slots=True)
class Revealed:
    """What was masked, in clear; None for what the operator's role never sees."""

    name: str | None = None
    phone: str | None = None
    id_tail: str | None = None


def reveal(deps: Deps, operator: OperatorView, conversation_id: str, reason: RevealReason) -> Revealed | NotRevealed:
    """Return what this operator's role may see of the borrower of a conversation, and put on record why.

    An agent has to have the conversation in hand.
    """
    with deps.begin() as session:
        found = session.execute(
            select(Conversation, Borrower)
            .join(Borrower, Borrower.id == Conversation.borrower_id)
            .where(Conversation.id == conversation_id, may_look_through(operator.reader))
        ).one_or_none()
        if found is None:
            return NotRevealed.UNKNOWN
        conversation, borrower = found
        details = may_reveal(operator.role, has_in_hand=conversation.owner_operator_id == operator.id)
        if not details:
            return NotRevealed.NOT_YOURS
        audit.record(
            session,
            deps.now(),
            audit.Actor("operator", operator.id),
            "details_revealed",
            ("conversation", conversation_id),
            reason=reason.value,
            details=",".join(sorted(details)),
        )
        unseal = deps.vault.unseal
        return Revealed(
            name=unseal("name", borrower.name_sealed) if Detail.NAME in details else None,
            phone=unseal("phone", borrower.phone_sealed) if Detail.PHONE in details else None,
            id_tail=unseal("id_number", borrower.id_number_sealed)[-ID_TAIL:] if Detail.ID_TAIL in details else None,
        )
