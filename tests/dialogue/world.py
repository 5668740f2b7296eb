"""What happens during a conversation without the borrower's doing: a person decides, a payment arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from bot.clock import business_date
from bot.identity.roles import Role
from bot.services import approval_decisions, approval_evidence, payments
from bot.services.approval_decisions import Decided, Decision
from bot.services.approvals import ApprovalState, EvidenceFinding
from bot.services.operators import OperatorView
from bot.services.payments import Booked, IncomingPayment
from bot.store.tables import Agreement, Approval, ApprovalNote, Contract, Debt, Instalment, Operator
from tests.builders.people import Person
from tests.dialogue.script import Covers, Paid
from tests.running.desk import RunningDesk

SUPERVISOR = "boss"
REASON = "收入证明看过了"
"""What the supervisor notes inside the desk; the borrower must not see it."""

_numbers = count(1)


@dataclass(frozen=True)
class World:
    """The desk's other side, seen from one conversation."""

    desk: RunningDesk
    person: Person

    def decide(self, decision: Decision, *, looks: bool = False) -> None:
        """Let the supervisor decide on the request that waits; ``looks`` at the proof where some is asked for."""
        with self.desk.deps.read() as session:
            operator_id = session.scalars(select(Operator.id).where(Operator.login == SUPERVISOR)).one()
            request_id = session.scalars(
                select(Approval.id).where(
                    Approval.borrower_id == self.person.borrower_id, Approval.state == ApprovalState.WAITING
                )
            ).one()
            brought = session.scalars(select(ApprovalNote.id).where(ApprovalNote.approval_id == request_id)).all()
        supervisor = OperatorView(operator_id, SUPERVISOR, SUPERVISOR, Role.SUPERVISOR, "csrf")
        for note_id in brought if looks else ():
            approval_evidence.file_of(self.desk.deps, supervisor, request_id, note_id)
        finding = EvidenceFinding.SEEN if looks else EvidenceFinding.WITHOUT
        outcome = approval_decisions.decide(self.desk.deps, operator_id, request_id, decision, REASON, evidence=finding)
        assert isinstance(outcome, Decided), outcome

    def pay(self, paid: Paid) -> None:
        """Let the lender report a payment on the person's first debt."""
        with self.desk.deps.read() as session:
            debt = session.get_one(Debt, self.person.debt_ids[0])
            reference = session.get_one(Contract, debt.contract_id).number
        payment = IncomingPayment(
            reference=reference,
            paid_on=business_date(self.desk.deps.now()) - timedelta(days=paid.days_ago),
            amount_fen=self._covering_fen(paid.covers) if paid.covers else paid.fen,
            payment_id=f"dialogue-{next(_numbers)}",
            source="bank",
        )
        outcome = payments.receive(self.desk.deps, payment)
        assert isinstance(outcome, Booked), outcome

    def _covering_fen(self, covers: Covers) -> int:
        """What the next instalment, or the whole plan, still asks."""
        with self.desk.deps.read() as session:
            open_fen = [
                part.amount_fen - part.paid_fen
                for part in session.scalars(
                    select(Instalment)
                    .join(Agreement, Agreement.id == Instalment.agreement_id)
                    .where(Agreement.borrower_id == self.person.borrower_id, Agreement.state == "in_force")
                    .order_by(Instalment.number)
                )
                if part.amount_fen > part.paid_fen
            ]
        assert open_fen, "there is no plan to pay on"
        return open_fen[0] if covers is Covers.NEXT else sum(open_fen)
