"""What became of the people of a run, and what must never have happened: a fen astray, a fact to a stranger.

Everything is read from the rows by sums of its own; no service of the desk is asked whether it was right.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.store.tables import (
    Agreement,
    AuditEntry,
    Borrower,
    Conversation,
    Debt,
    Instalment,
    LedgerEntry,
    Message,
    Payment,
    Reminder,
)
from bot.store.vault import Vault

_RAISES = frozenset({"drawdown", "interest", "penalty_interest", "late_fee", "other_fee"})
_LOWERS = frozenset({"payment", "waiver"})
_NAME = re.compile(r"演示\d+")
_SUM = re.compile(r"[¥￥]\s?\d")
_PERSON_CAME = ("person_asked", "taken_over")


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` out of ``of``, with the Wilson interval at 95 %."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true one lies with 95 %; everything while there is nothing to count."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.count / self.of
        middle, width = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - width) / (1 + z * z / n)), min(1.0, (middle + width) / (1 + z * z / n))

    @property
    def portion(self) -> float:
        """The share itself, 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.of + other.of)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.of} ({low:.1%} to {high:.1%})"


@dataclass(slots=True)
class Money:
    """What came in of what was owed after waivers, fen, borrower by borrower."""

    received_and_owed: list[tuple[int, int]] = field(default_factory=list)

    def __str__(self) -> str:
        """The share received, with its interval at 95 % (ratio estimator; borrowers are what was drawn)."""
        received, owed = (sum(column) for column in zip(*self.received_and_owed, strict=True)) if self else (0, 0)
        if not owed:
            return "nothing was owed"
        share = received / owed
        borrowers = len(self.received_and_owed)
        square = sum((came - share * due) ** 2 for came, due in self.received_and_owed)
        if borrowers < 2 or not square:
            return f"{share:.1%} (too little to tell how surely)"
        off = math.sqrt(square * borrowers / (borrowers - 1)) / owed
        return f"{share:.1%} ({max(0.0, share - 1.959964 * off):.1%} to {min(1.0, share + 1.959964 * off):.1%})"

    def __bool__(self) -> bool:
        return bool(self.received_and_owed)


@dataclass(slots=True)
class Verdict:
    """What a run came to. ``broken`` holds a line for everything that must never happen, by its kind."""

    resolved: Share = Share(0, 0)
    contained: Share = Share(0, 0)
    plans_kept: Share = Share(0, 0)
    money: Money = field(default_factory=Money)
    refused: Counter[str] = field(default_factory=Counter)
    """Notices that the contact rules did not let out, by rule, and times that no offer fitted, by reason."""
    broken: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    checked: Counter[str] = field(default_factory=Counter)

    def add(self, other: Verdict) -> None:
        """Count another run in."""
        self.resolved, self.contained = self.resolved + other.resolved, self.contained + other.contained
        self.plans_kept += other.plans_kept
        self.money.received_and_owed += other.money.received_and_owed
        self.refused += other.refused
        self.checked += other.checked
        for kind, lines in other.broken.items():
            self.broken[kind] += lines

    def lines(self) -> list[str]:
        """The figures, for people."""
        return [
            f"resolved (a plan or nothing owed): {self.resolved}",
            f"contained (no person was needed): {self.contained}",
            f"plans kept so far: {self.plans_kept}",
            f"received of what was owed after waivers: {self.money}",
            f"refused: {', '.join(f'{what} {times}' for what, times in self.refused.most_common()) or 'nothing'}",
            f"checked: {', '.join(f'{name} {number}' for name, number in sorted(self.checked.items()))}",
            *(f"{kind}: {len(lines)}" for kind, lines in sorted(self.broken.items())),
            *(f"  {line}" for lines in self.broken.values() for line in lines[:10]),
        ]


def judge(session: Session, vault: Vault) -> Verdict:
    """Read what became of everybody in a database."""
    verdict = Verdict()
    balances = _balances(session)
    for kind, lines in (("fen errors", _fen_errors(session, verdict)), ("leaks", _leaks(session, vault, verdict))):
        verdict.broken[kind] += lines
    plans = session.scalars(select(Agreement)).all()
    missed = set(session.scalars(select(Instalment.agreement_id).where(Instalment.state == "missed")))
    verdict.plans_kept = Share(sum(plan.id not in missed and plan.state != "broken" for plan in plans), len(plans))
    agreed = {plan.borrower_id for plan in plans if plan.state in ("in_force", "completed")}
    people = session.scalars(select(Borrower.id)).all()
    verdict.resolved = Share(sum(one in agreed or balances[one] <= 0 for one in people), len(people))
    verdict.contained = _contained(session)
    verdict.money = _money(session, people, balances)
    verdict.refused = _refused(session)
    return verdict


def _money(session: Session, people: Sequence[str], balances: Mapping[str, int]) -> Money:
    received: Counter[str] = Counter()
    for borrower_id, fen in session.execute(
        select(Debt.borrower_id, Payment.amount_fen).join(Payment, Payment.debt_id == Debt.id)
    ):
        received[borrower_id] += fen
    return Money([(received[one], received[one] + max(0, balances[one])) for one in people])


def _refused(session: Session) -> Counter[str]:
    rules = session.scalars(select(Reminder.rule).where(Reminder.state == "refused"))
    reasons = session.scalars(select(AuditEntry.detail).where(AuditEntry.event == "no_offer"))
    return Counter(f"notice {rule}" for rule in rules) + Counter(f"offer {detail['reason']}" for detail in reasons)


def _balances(session: Session) -> defaultdict[str, int]:
    """What each borrower owes by the bookings alone, in fen; below zero is credit."""
    owed: defaultdict[str, int] = defaultdict(int)
    for borrower_id, entries in _ledgers(session).values():
        owed[borrower_id] += _sum_of(entries)
    return owed


def _ledgers(session: Session) -> dict[str, tuple[str, list[LedgerEntry]]]:
    found: dict[str, tuple[str, list[LedgerEntry]]] = {
        debt_id: (borrower_id, []) for debt_id, borrower_id in session.execute(select(Debt.id, Debt.borrower_id))
    }
    for entry in session.scalars(select(LedgerEntry)):
        found[entry.debt_id][1].append(entry)
    return found


def _sum_of(entries: list[LedgerEntry]) -> int:
    undone = {entry.reverses for entry in entries if entry.reverses is not None}
    standing = [entry for entry in entries if entry.reverses is None and entry.key not in undone]
    return sum(
        entry.amount_fen if entry.kind in _RAISES else -entry.amount_fen
        for entry in standing
        if entry.kind in _RAISES | _LOWERS
    )


def _fen_errors(session: Session, verdict: Verdict) -> Iterator[str]:
    parts: defaultdict[str, list[Instalment]] = defaultdict(list)
    for part in session.scalars(select(Instalment)):
        parts[part.agreement_id].append(part)
        if not 0 <= part.paid_fen <= part.amount_fen:
            yield f"instalment {part.id}: {part.paid_fen} paid of {part.amount_fen}"
    for plan in session.scalars(select(Agreement)):
        verdict.checked["agreements"] += 1
        if (total := sum(part.amount_fen for part in parts[plan.id])) != plan.total_fen:
            yield f"agreement {plan.number}: instalments come to {total}, agreed were {plan.total_fen}"
    booked: defaultdict[tuple[str, str], int] = defaultdict(int)
    for borrower_id, entries in _ledgers(session).values():
        for entry in entries:
            verdict.checked["postings"] += 1
            booked[borrower_id, entry.key] += entry.amount_fen
    owners = {debt.id: debt.borrower_id for debt in session.scalars(select(Debt))}
    for payment in session.scalars(select(Payment)):
        verdict.checked["payments"] += 1
        if (found := booked[owners[payment.debt_id], payment.ledger_key]) != payment.amount_fen:
            yield f"payment {payment.payment_id}: {found} booked of {payment.amount_fen}"


def _leaks(session: Session, vault: Vault, verdict: Verdict) -> Iterator[str]:
    """Words with somebody else's name anywhere, and a name or a sum in what was not asked for."""
    names = {row.id: vault.unseal("name", row.name_sealed) for row in session.scalars(select(Borrower))}
    rows = session.execute(
        select(Message.id, Message.text, Message.purpose, Conversation.borrower_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.author != "borrower")
    )
    for message_id, text, purpose, borrower_id in rows:
        verdict.checked["messages"] += 1
        named = set(_NAME.findall(text))
        if named - {names.get(borrower_id or "", "")}:
            yield f"message {message_id} names somebody else"
        if purpose not in ("reply", "fact", "safety") and (named or _SUM.search(text)):
            yield f"message {message_id} tells a fact in a notice"


def _contained(session: Session) -> Share:
    wrote = set(session.scalars(select(Message.conversation_id).where(Message.author == "borrower")))
    handed = set(session.scalars(select(Conversation.id).where(Conversation.owner.in_(("queued", "human")))))
    handed |= set(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.event.in_(_PERSON_CAME))))
    return Share(len(wrote - handed), len(wrote))
