"""What notices are planned from: what stands on record about one borrower. Days are in Asia/Shanghai. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic


@dataclass(frozen=True, slots=True)
class InstalmentAhead:
    """An instalment of a plan in force that is not paid. Until ``quiet_until`` a payment on it is being looked for."""

    instalment_id: str
    due_on: date
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PromiseAhead:
    """A promise that runs: to pay by ``due_on``, and found broken only after ``last_day``."""

    promise_id: str
    due_on: date
    last_day: date


@dataclass(frozen=True, slots=True)
class OpenDebt:
    """A debt on which something is owed, without a plan and without a dispute; ``due_on`` may lie ahead.

    ``limitation_runs``: it is known that the claim is not time-barred, today and for the next ``HORIZON``.
    """

    debt_id: str
    due_on: date
    owed_fen: int
    creditor_kind: str
    limitation_runs: bool
    grace_days: int = 0
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenQuote:
    """Offers or a payoff quote that the borrower asked for; ``subject`` names it as ``kind:id``."""

    subject: str
    last_day: date


@dataclass(frozen=True, slots=True)
class AwaitedDocument:
    """Something the borrower said they would send in by a day."""

    document_id: str
    by: date


@dataclass(frozen=True, slots=True)
class EndedPause:
    """A silence that ended, or whose end is known, at ``ends_at`` (aware); ``own``: the borrower had asked for it."""

    hold_id: str
    ends_at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A notice that was sent (``at`` is when) or that stands as the gate put it off; nothing is planned over it."""

    at: datetime
    topic: Topic


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one borrower that a notice can be about, and what was said already.

    ``done`` are the keys of notices that were sent or refused: they are not planned again. ``last_contact_at`` is when
    the borrower last wrote, paid or was spoken with on the phone; ``unanswered`` notices went out since, and
    ``person_asked`` says that a person was called because of them. ``resumed_at`` is when it was last said that notices
    begin again. ``changes_at`` is when the first of these facts changes though nobody does anything, a hold ending for
    instance; None if none does.
    """

    instalments: tuple[InstalmentAhead, ...] = ()
    promises: tuple[PromiseAhead, ...] = ()
    debts: tuple[OpenDebt, ...] = ()
    quotes: tuple[OpenQuote, ...] = ()
    documents: tuple[AwaitedDocument, ...] = ()
    pause: EndedPause | None = None
    holds: frozenset[HoldKind] = frozenset()
    standing: tuple[Standing, ...] = ()
    done: frozenset[str] = frozenset()
    last_contact_at: datetime | None = None
    unanswered: int = 0
    person_asked: bool = False
    resumed_at: datetime | None = None
    changes_at: datetime | None = None
