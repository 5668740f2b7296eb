"""What a notice is about, and one that is planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.outreach.gate import Purpose

LATE_AFTER_DAYS = 3
"""Days after a due date before a late instalment is spoken of: the lender's file may take that long to arrive."""


class Topic(StrEnum):
    """What a notice is about. Its words tell no fact about a debt: whoever holds the phone reads them (I2)."""

    PLAN = "plan"
    """An instalment that falls due."""
    LATE = "late"
    """An instalment whose day has passed."""
    ENDING = "ending"
    """A plan that ends unless something happens."""
    COMPLETED = "completed"
    """Thanks for a plan that is paid."""
    PAYMENT_FOUND = "payment_found"
    """A payment the borrower asked about is on record."""
    CASE = "case"
    """Something became of what the borrower raised; never a word of what that was."""
    APPROVAL = "approval"
    """A colleague has answered what the borrower waits for; never a word of what."""
    PROMISE = "promise"
    """A promise whose day is near."""
    OVERDUE = "overdue"
    """Help with a debt that has no plan; the stage is the step of the ladder."""
    DUE = "due"
    """A contract's due date ahead."""
    QUOTE = "quote"
    """An offer or a payoff quote that expires soon."""
    DOCUMENT = "document"
    """Something the borrower was going to send in."""
    RESUMED = "resumed"
    """A pause has ended and notices begin again; sent before anything else."""
    CALL = "call"
    """A call that the borrower asked for, or the word of its time: a contact that a person makes, and no notice."""


WRITTEN = tuple(topic for topic in Topic if topic is not Topic.CALL)
"""What the desk writes notices about."""


@dataclass(frozen=True, slots=True)
class PlannedNotice:
    """One notice ahead. Planning again gives the same ``key``, so that it is stored, and sent, once.

    ``subject`` names what it is about as ``kind:id``. ``stage`` is the step within its topic, None where there is one
    step only. ``due_key`` names the due date that the notice counts against before it has come (F4), None otherwise.
    ``due_on`` is the day it is about, ``send_at`` (aware) when the gate is to be asked.
    """

    key: str
    topic: Topic
    purpose: Purpose
    subject: str
    stage: str | None
    due_key: str | None
    due_on: date | None
    send_at: datetime


def stage_before(days: int) -> str:
    """The stage of a notice so many days before a due date; 0 is the day itself."""
    return f"D-{days}" if days else "day"


def instalment_notice(instalment_id: str, due_on: date, days: int, send_at: datetime) -> PlannedNotice:
    """The notice so many days before an instalment's due date; 0 is the day itself."""
    return PlannedNotice(
        key=f"instalment:{instalment_id}:D-{days}",
        topic=Topic.PLAN,
        purpose=Purpose.PLAN_NOTICE,
        subject=f"instalment:{instalment_id}",
        stage=stage_before(days),
        due_key=instalment_id if days else None,
        due_on=due_on,
        send_at=send_at,
    )


def late_notice(
    instalment_id: str, due_on: date, send_at: datetime, *, ending: bool = False, days: int = LATE_AFTER_DAYS
) -> PlannedNotice:
    """The notice of a late instalment; ``ending``: its plan may end."""
    topic = Topic.ENDING if ending else Topic.LATE
    key = f"{topic.value}:{instalment_id}"
    return PlannedNotice(
        key=key if days == LATE_AFTER_DAYS else f"{key}:D+{days}",
        topic=topic,
        purpose=Purpose.PLAN_NOTICE,
        subject=f"instalment:{instalment_id}",
        stage=None if ending else f"D+{days}",
        due_key=None,
        due_on=due_on,
        send_at=send_at,
    )


def promise_notice(promise_id: str, due_on: date, days: int, send_at: datetime) -> PlannedNotice:
    """The notice so many days before a promised day."""
    return PlannedNotice(
        key=f"promise:{promise_id}:D-{days}",
        topic=Topic.PROMISE,
        purpose=Purpose.PLAN_NOTICE,
        subject=f"promise:{promise_id}",
        stage=stage_before(days),
        due_key=f"promise:{promise_id}" if days else None,
        due_on=due_on,
        send_at=send_at,
    )


def event_notice(topic: Topic, subject_id: str, subject: str, send_at: datetime) -> PlannedNotice:
    """A notice that answers something that happened once: thanks for a completed plan, a payment that was found."""
    return PlannedNotice(
        key=f"{topic.value}:{subject_id}",
        topic=topic,
        purpose=Purpose.PLAN_NOTICE,
        subject=f"{subject}:{subject_id}",
        stage=None,
        due_key=None,
        due_on=None,
        send_at=send_at,
    )
