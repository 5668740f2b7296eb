"""How proof for a plan is asked for: what helps, what may be covered up, that none is no harm, and the consent."""

from __future__ import annotations

from actions.base import Button, Turn
from bot.services import approval_evidence
from bot.services.approval_evidence import EvidenceAsked
from bot.services.approval_notes import EvidenceStanding
from bot.services.conversations import QuickReply


def ask_evidence(turn: Turn) -> None:
    """Ask for proof where the policy wants some for what was just requested; one thing a message."""
    asked = approval_evidence.asked_in(turn.deps, turn.conversation_id, for_consent=True)
    if asked is None:
        return
    wording = turn.deps.wording
    turn.tell(wording.one("evidence_helps", helps=_helps(turn, asked)))
    named = "、".join(wording.one(f"coverable_{item}") for item in asked.coverable)
    turn.tell(wording.one("evidence_coverable", coverable=named))
    if asked.consent is None:
        turn.tell(wording.one("evidence_used_for", days=str(turn.deps.retention.evidence_days)))
    else:
        turn.tell(asked.consent.text, _buttons(*asked.consent.buttons))
    turn.tell(wording.one("evidence_none_is_fine"), _buttons(approval_evidence.none_button(turn.deps)))


def remind_of_evidence(turn: Turn) -> None:
    """Say how far there is proof for the request that waits, where some is asked for."""
    asked = approval_evidence.asked_in(turn.deps, turn.conversation_id, for_consent=False)
    if asked is None:
        return
    wording = turn.deps.wording
    if asked.standing is EvidenceStanding.BROUGHT:
        turn.tell(wording.one("evidence_some_brought"))
    elif asked.standing is EvidenceStanding.LACKING:
        turn.tell(wording.one("evidence_none_brought"))
    else:
        none = approval_evidence.none_button(turn.deps)
        turn.tell(wording.one("evidence_still_awaited", helps=_helps(turn, asked)), _buttons(none))


def _helps(turn: Turn, asked: EvidenceAsked) -> str:
    return "、".join(turn.deps.wording.one(f"hardship_evidence_{item}") for item in asked.helps)


def _buttons(*replies: QuickReply) -> list[Button]:
    return [Button(reply.title, reply.payload) for reply in replies]
