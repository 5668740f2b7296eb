"""The four kinds of debt and a balance of each."""

from dataclasses import dataclass
from enum import StrEnum


class Component(StrEnum):
    """What a fen of debt is made of. Shown apart wherever a price is shown."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    PENALTY = "penalty"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Balances:
    """What is owed of each component, in fen, none negative.

    ``credit_fen`` is money the borrower has paid beyond everything owed. A replayed ledger never shows a credit and a
    debt at once. Raises ``ValueError`` if a figure is negative.
    """

    principal_fen: int = 0
    interest_fen: int = 0
    penalty_fen: int = 0
    fee_fen: int = 0
    credit_fen: int = 0

    def __post_init__(self) -> None:
        figures = (self.principal_fen, self.interest_fen, self.penalty_fen, self.fee_fen, self.credit_fen)
        if min(figures) < 0:
            raise ValueError(f"a balance cannot be negative: {self}")

    @property
    def total_fen(self) -> int:
        """Everything owed, in fen; the credit is not part of it."""
        return self.principal_fen + self.interest_fen + self.penalty_fen + self.fee_fen

    def of(self, component: Component) -> int:
        """The balance of one component, in fen."""
        match component:
            case Component.PRINCIPAL:
                return self.principal_fen
            case Component.INTEREST:
                return self.interest_fen
            case Component.PENALTY:
                return self.penalty_fen
            case Component.FEE:
                return self.fee_fen
