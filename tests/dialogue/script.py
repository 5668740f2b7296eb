"""Conversations written down: what is said, what must and must not be answered, and what is in the database afterwards.

``conversations/README.md`` explains the format to whoever writes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.lending.contract import ProductKind
from tests.builders.accounts import Owed

FOLDER = Path(__file__).parent / "conversations"
OPENINGS = "openings.yml"
_VARIABLE = re.compile(r"\$([a-z_]+)")


class Strict(BaseModel):
    """A misspelt key is an error, not a check that silently never happens."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Debt(Strict):
    """A debt of a fresh borrower; amounts in yuan."""

    principal: int = 12_000
    creditor: str = "示例银行"
    kind: ProductKind = ProductKind.CONSUMER_LOAN
    days_late: int = 45
    limitation_known: bool = True
    disputed: bool = False

    def owed(self) -> Owed:
        """Return it as the builder wants it."""
        return Owed(
            principal_fen=self.principal * 100,
            creditor=self.creditor,
            kind=self.kind,
            days_late=self.days_late,
            lent_days_ago=max(120, self.days_late + 30),
            limitation_known=self.limitation_known,
            disputed=self.disputed,
        )


class Plan(Strict):
    """A plan that a fresh borrower has when the conversation begins; the first ``paid`` instalments were paid in time.

    The debt must have been late already on the day the plan was agreed.
    """

    agreed_days_ago: int = Field(default=0, ge=0)
    paid: int = Field(default=0, ge=0)


class Covers(StrEnum):
    """What a payment is to cover, where its amount follows from a plan in force."""

    NEXT = "next"
    REST = "rest"


class Paid(Strict):
    """A payment that the lender reports on the first debt: so many ``yuan``, or what ``covers`` names."""

    yuan: int | None = Field(default=None, ge=1)
    covers: Covers | None = None
    days_ago: int = Field(default=0, ge=0)

    @property
    def fen(self) -> int:
        """The amount where it is stated."""
        return (self.yuan or 0) * 100

    @model_validator(mode="after")
    def _is_one_amount(self) -> Self:
        if (self.yuan is None) == (self.covers is None):
            raise ValueError("a payment has either 'yuan' or 'covers'")
        return self


class Step(Strict):
    """One thing that happens, and what must come of it: the borrower speaks or presses, or somebody else acts.

    ``file`` is a picture of this name that the borrower sends. ``supervisor`` decides on the request that waits, having
    opened whatever was brought as proof; ``approve_without`` does without. ``payment`` arrives from the lender. Such a
    step waits for what is expected and for nothing else: not everything is told at once.
    """

    borrower: str | None = None
    press: str | None = None
    file: str | None = None
    supervisor: Literal["approve", "approve_without", "reject"] | None = None
    payment: Paid | None = None
    expect: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    owner: str | None = None
    problem: str | None = None
    resumes: bool = False
    silence: bool = False
    as_before: str | None = None
    remember: str | None = None

    @property
    def happens(self) -> tuple[object, ...]:
        """What happens without a word of the borrower's."""
        return self.file, self.supervisor, self.payment

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if sum(done is not None for done in (self.borrower, self.press, *self.happens)) != 1:
            raise ValueError("a step has one of 'borrower', 'press', 'file', 'supervisor' and 'payment'")
        return self


class Facts(Strict):
    """What the database holds when the conversation is over. Only what is named is checked.

    ``plans`` are the states of the agreements in the order in which they were made, ``promises`` those of the promises,
    ``proof`` how many files are with requests for plans and ``finding`` what the decider made of it, ``papers`` the
    kinds of the documents, ``reminders`` how many notices are planned for what was agreed or promised.
    """

    agreements: int | None = None
    plans: tuple[str, ...] | None = None
    promises: tuple[str, ...] | None = None
    proof: int | None = None
    finding: Literal["seen", "without"] | None = None
    papers: tuple[str, ...] | None = None
    instalments: int | None = None
    reminders: int | None = None
    hash: Literal["shown"] | None = None
    holds: tuple[str, ...] | None = None
    queue: str | None = None
    owner: str | None = None
    verified: bool | None = None
    bound: bool | None = None
    negotiation: str | None = None
    attempts: int | None = None
    last_intent: str | None = None
    engine_asked: bool | None = None


class Opening(Strict):
    """How to get to a place in a conversation; ``open_question`` is what the bot waits for there."""

    after: str | None = None
    steps: tuple[Step, ...]
    open_question: str | None = None


class Conversation(Strict):
    """One file."""

    about: str
    who: str = "fresh"
    owes: tuple[Debt, ...] = (Debt(),)
    plan: Plan | None = None
    channel: Literal["web", "telegram"] = "web"
    script: Literal["hans", "hant"] = "hans"
    at: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)
    never: tuple[str, ...] = ()
    then: Facts = Facts()


@dataclass(frozen=True)
class Case:
    """One test: a conversation, begun at one place, with one of its words."""

    name: str
    conversation: Conversation
    at: str | None
    word: str | None


def cases() -> Iterator[Case]:
    """Return every test that the files describe."""
    for path in sorted(FOLDER.rglob("*.yml")):
        if path.name == OPENINGS:
            continue
        conversation = _read(path)
        for at in conversation.at or (None,):
            for word in conversation.each or (None,):
                marks = "-".join(mark for mark in (at, word) if mark)
                name = f"{path.parent.name}/{path.stem}"
                yield Case(f"{name}[{marks}]" if marks else name, conversation, at, word)


def _read(path: Path) -> Conversation:
    try:
        return Conversation.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path.relative_to(FOLDER)}: {error}") from None


@cache
def openings() -> Mapping[str, Opening]:
    """Return the places where a conversation can begin, by name."""
    raw = yaml.safe_load((FOLDER / OPENINGS).read_text("utf-8"))
    return {name: Opening.model_validate(opening) for name, opening in raw.items()}


def way_to(place: str) -> list[Step]:
    """Return the steps from nothing to a place."""
    opening = openings()[place]
    return [*(way_to(opening.after) if opening.after else ()), *opening.steps]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of ``$name``; an unknown name is an error."""
    return _VARIABLE.sub(lambda match: values[match.group(1)], text)


def found(wanted: str, text: str) -> bool:
    """Tell whether a text holds some words, or matches a pattern written between slashes."""
    if len(wanted) > 2 and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], text) is not None
    return wanted in text
