"""What a case is about, and what follows from that alone."""

from __future__ import annotations

from enum import StrEnum


class Family(StrEnum):
    """What a borrower invokes; each family has a clock and a course of its own."""

    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    DATA = "data"
    """A request about one's own personal data (P5)."""


class CaseKind(StrEnum):
    """What exactly is disputed, complained about, or asked of the data."""

    NOT_MINE = "not_mine"
    IDENTITY_THEFT = "identity_theft"
    AMOUNT = "amount"
    ALREADY_PAID = "already_paid"
    WRONG_PRODUCT = "wrong_product"
    DECEASED = "deceased"
    TONE = "tone"
    THREATS = "threats"
    FREQUENCY = "frequency"
    THIRD_PARTY = "third_party"
    VISIT = "visit"
    DATA_LEAK = "data_leak"
    FEES = "fees"
    SERVICE = "service"
    DATA_ACCESS = "data_access"
    DATA_CORRECTION = "data_correction"
    DATA_DELETION = "data_deletion"
    DATA_EXPLANATION = "data_explanation"

    @property
    def family(self) -> Family:
        """The family that the kind belongs to."""
        return next(family for family in Family if self in kinds_of(family))

    @property
    def may_be_dangerous(self) -> bool:
        """Whether somebody may be at risk now: then 110 is named before anything else (H3)."""
        return self in (CaseKind.THREATS, CaseKind.VISIT)

    @property
    def concerns_conduct(self) -> bool:
        """Whether it is about how somebody behaved who collects for the lender."""
        return self in _CONDUCT


DISPUTES = (
    CaseKind.NOT_MINE,
    CaseKind.IDENTITY_THEFT,
    CaseKind.AMOUNT,
    CaseKind.ALREADY_PAID,
    CaseKind.WRONG_PRODUCT,
    CaseKind.DECEASED,
)
"""In the order in which they are offered."""

COMPLAINTS = (
    CaseKind.THREATS,
    CaseKind.FREQUENCY,
    CaseKind.THIRD_PARTY,
    CaseKind.TONE,
    CaseKind.VISIT,
    CaseKind.DATA_LEAK,
    CaseKind.FEES,
    CaseKind.SERVICE,
)
"""In the order in which they are offered."""

REQUESTS = (
    CaseKind.DATA_ACCESS,
    CaseKind.DATA_CORRECTION,
    CaseKind.DATA_DELETION,
    CaseKind.DATA_EXPLANATION,
)
"""In the order in which they are offered: Personal Information Protection Law arts. 45 to 48 and 24."""

_CONDUCT = frozenset(
    {
        CaseKind.TONE,
        CaseKind.THREATS,
        CaseKind.FREQUENCY,
        CaseKind.THIRD_PARTY,
        CaseKind.VISIT,
        CaseKind.DATA_LEAK,
    }
)


def kinds_of(family: Family) -> tuple[CaseKind, ...]:
    """Return the kinds of a family in the order in which they are offered."""
    return {Family.DISPUTE: DISPUTES, Family.COMPLAINT: COMPLAINTS, Family.DATA: REQUESTS}[family]


def silences_everything(family: Family, kind: CaseKind | None) -> bool:
    """Whether every notice to the borrower stops, and not only those about the debts concerned (F6).

    A complaint is about how the borrower is treated, so all collecting rests; of a dispute only the debts that are
    disputed, unless it says that the debtor has died. A request about data silences nothing.
    """
    return family is Family.COMPLAINT or kind is CaseKind.DECEASED
