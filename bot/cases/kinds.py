"""What a case is about, and what follows from that alone."""

from __future__ import annotations

from enum import StrEnum


class Family(StrEnum):
    """What a borrower invokes; each family has a clock and a course of its own."""

    DISPUTE = "dispute"
    COMPLAINT = "complaint"


class CaseKind(StrEnum):
    """What exactly is disputed, or complained about."""

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

    @property
    def family(self) -> Family:
        """The family that the kind belongs to."""
        return Family.DISPUTE if self in DISPUTES else Family.COMPLAINT

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
    return DISPUTES if family is Family.DISPUTE else COMPLAINTS


def silences_everything(family: Family, kind: CaseKind | None) -> bool:
    """Whether every notice to the borrower stops, and not only those about the debts concerned (F6).

    A complaint is about how the borrower is treated, so all collecting rests; of a dispute only the debts that are
    disputed, unless it says that the debtor has died.
    """
    return family is Family.COMPLAINT or kind is CaseKind.DECEASED
