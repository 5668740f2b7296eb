"""What helps to clear up a case: asked for by kind, never demanded. What the lender holds is not asked for (C2)."""

from __future__ import annotations

from enum import StrEnum

from bot.cases.kinds import CaseKind


class Evidence(StrEnum):
    """Something a borrower may have."""

    WHEN_AND_WHO = "when_and_who"
    CALL_LOG = "call_log"
    RECORDING = "recording"
    MESSAGES = "messages"
    PHOTOS = "photos"
    POLICE_REPORT = "police_report"
    LOST_ID = "lost_id"
    PAYMENT_SLIP = "payment_slip"
    OWN_COUNT = "own_count"
    WHAT_WAS_SOLD = "what_was_sold"
    DEATH_RECORD = "death_record"
    FEE_RECORD = "fee_record"


_BY_KIND: dict[CaseKind, tuple[Evidence, ...]] = {
    CaseKind.NOT_MINE: (Evidence.WHEN_AND_WHO, Evidence.LOST_ID),
    CaseKind.IDENTITY_THEFT: (Evidence.POLICE_REPORT, Evidence.LOST_ID),
    CaseKind.AMOUNT: (Evidence.OWN_COUNT, Evidence.PAYMENT_SLIP),
    CaseKind.ALREADY_PAID: (Evidence.PAYMENT_SLIP,),
    CaseKind.WRONG_PRODUCT: (Evidence.WHAT_WAS_SOLD, Evidence.MESSAGES),
    CaseKind.DECEASED: (Evidence.DEATH_RECORD,),
    CaseKind.TONE: (Evidence.WHEN_AND_WHO, Evidence.RECORDING),
    CaseKind.THREATS: (Evidence.RECORDING, Evidence.MESSAGES, Evidence.POLICE_REPORT),
    CaseKind.FREQUENCY: (Evidence.CALL_LOG, Evidence.MESSAGES),
    CaseKind.THIRD_PARTY: (Evidence.WHEN_AND_WHO, Evidence.CALL_LOG),
    CaseKind.VISIT: (Evidence.WHEN_AND_WHO, Evidence.PHOTOS, Evidence.POLICE_REPORT),
    CaseKind.DATA_LEAK: (Evidence.MESSAGES, Evidence.PHOTOS),
    CaseKind.FEES: (Evidence.FEE_RECORD, Evidence.PAYMENT_SLIP),
    CaseKind.SERVICE: (Evidence.WHEN_AND_WHO,),
    # Whoever asks about their own data owes nothing but being who they are.
    CaseKind.DATA_ACCESS: (),
    CaseKind.DATA_CORRECTION: (),
    CaseKind.DATA_DELETION: (),
    CaseKind.DATA_EXPLANATION: (),
}


def evidence_for(kind: CaseKind) -> tuple[Evidence, ...]:
    """Return what helps with a kind, the most useful first."""
    return _BY_KIND[kind]
