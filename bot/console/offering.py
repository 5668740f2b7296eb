"""Trying plans with a borrower's figures, and putting one before the borrower."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from bot.console import PREFIX
from bot.console.reading import ConversationId, list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.console.typed import fen_of
from bot.identity.roles import Permission
from bot.lending.money import format_yuan
from bot.services import desk_offers, handoff, inbox
from bot.services.desk_offers import LONGEST_NOTE, NotProposed, Proposed
from bot.services.desk_trial import Figures
from bot.services.operators import OperatorView
from bot.workout.counter import BorrowerProposal
from bot.workout.household_reading import MOST
from bot.workout.policy_sections import HardshipKind

UNREADABLE = "unreadable"
"""The reason shown where a figure cannot be read."""


_Amount = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]


class TypedFigures(BaseModel):
    """Figures as an operator typed them: amounts in yuan, days as ``2026-12-15``, empty where nothing was typed.

    ``people`` live on the income with the borrower, as one asks on the telephone.
    """

    model_config = ConfigDict(frozen=True)

    income: _Amount = ""
    essentials: _Amount = ""
    people: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4)] = ""
    others: _Amount = ""
    hardship: _Amount = ""
    months: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4)] = ""
    monthly: _Amount = ""
    first_on: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)] = ""
    lump: _Amount = ""
    settle: _Amount = ""
    waive_interest: Annotated[str, StringConstraints(max_length=3)] = ""
    creditor: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}$")] = "1"

    def read(self) -> Figures:
        """Return what was typed.

        Raises:
            ValueError: something in it is no figure, or figures that exclude each other were given.
        """
        asked = (self.months, self.monthly, self.first_on, self.lump, self.settle, self.waive_interest)
        wish = None
        if any(asked):
            wish = BorrowerProposal(
                monthly_fen=fen_of(self.monthly),
                months=int(self.months) if self.months else None,
                first_on=date.fromisoformat(self.first_on) if self.first_on else None,
                lump_fen=fen_of(self.lump),
                waive_interest=bool(self.waive_interest),
                settle_fen=fen_of(self.settle),
            )
        return Figures(
            income_fen=fen_of(self.income),
            essential_fen=fen_of(self.essentials),
            dependants=_dependants(self.people),
            other_debts_fen=fen_of(self.others),
            hardship=HardshipKind(self.hardship) if self.hardship else None,
            wish=wish,
            creditor=int(self.creditor),
        )


class _Proposal(TypedFigures):
    """Figures with the offer that follows from them and is to be put forward."""

    key: UUID
    offer_id: Annotated[str, StringConstraints(max_length=40)] = ""
    note: Annotated[str, StringConstraints(max_length=4 * LONGEST_NOTE)] = ""
    then: Literal["", "give_back"] = ""


def _dependants(people: str) -> int | None:
    if not people:
        return None
    if not 1 <= int(people) <= MOST + 1:
        raise ValueError("no household")
    return int(people) - 1


def offers_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    conversation_id: str,
    typed: TypedFigures,
    refusal: str | None = None,
    note: str = "",
    status: int = 200,
) -> Response:
    """Render the page, which records that offers were tried. ``note`` gives back what was typed for a refused one."""
    try:
        figures = typed.read()
    except ValueError:
        figures, refusal, status = Figures(), refusal or UNREADABLE, 409
    found = desk_offers.try_offers(pages.deps, operator, conversation_id, figures)
    if isinstance(found, NotProposed):
        refusal, status = refusal or found.value, 409
    trial = None if isinstance(found, NotProposed) else found
    row = inbox.heading(pages.deps, conversation_id, operator.reader)
    if row is None:
        return pages.render("refused.html", operator, 404, reason="unknown")
    return pages.render(
        "offers.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        row=row,
        typed=typed,
        shown=_shown(typed, trial.figures if trial is not None else figures),
        trial=trial,
        refusal=refusal,
        note=note,
        longest_note=LONGEST_NOTE,
        key=str(uuid4()),
        hardships=tuple(HardshipKind),
    )


def _shown(typed: TypedFigures, known: Figures) -> dict[str, str]:
    """Return what the fields hold: what was typed, and where nothing was, what is known."""
    shown: dict[str, str] = {name: getattr(typed, name) for name in TypedFigures.model_fields}
    amounts = (("income", known.income_fen), ("essentials", known.essential_fen), ("others", known.other_debts_fen))
    for name, fen in amounts:
        if not shown[name] and fen is not None:
            shown[name] = format_yuan(fen).lstrip("¥").replace(",", "")
    if not shown["people"] and known.dependants is not None:
        shown["people"] = str(1 + known.dependants)
    if not shown["hardship"] and known.hardship is not None:
        shown["hardship"] = known.hardship.value
    return shown


def add_routes(router: APIRouter, pages: Pages, on_reply: Callable[[str], None]) -> None:
    """Add the page and the proposal; ``on_reply`` is told of the conversation in which a borrower was told."""
    deps = pages.deps
    reader = Access(pages, Permission.REPLY, Kind.PAGE)
    speaker = ChangeAccess(pages, Permission.REPLY)

    @router.get("/c/{conversation_id}/offers")
    def show(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(reader)],
        typed: Annotated[TypedFigures, Query()],
    ) -> Response:
        return offers_page(pages, request, operator, conversation_id, typed)

    @router.post("/c/{conversation_id}/offers")
    async def propose(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(speaker)],
        typed: Annotated[_Proposal, Form()],
    ) -> Response:
        def act() -> Proposed | Response:
            try:
                figures = typed.read()
            except ValueError:
                return offers_page(pages, request, operator, conversation_id, typed, UNREADABLE, typed.note, 409)
            done = desk_offers.propose(
                deps, operator, conversation_id, figures, typed.offer_id, str(typed.key), typed.note
            )
            if isinstance(done, NotProposed):
                return offers_page(pages, request, operator, conversation_id, typed, done.value, typed.note, 409)
            if typed.then == "give_back":
                handoff.give_back(deps, conversation_id, operator.id)
            return done

        outcome = await run_in_threadpool(act)
        if isinstance(outcome, Response):
            return outcome
        on_reply(conversation_id)
        return RedirectResponse(f"{PREFIX}/c/{conversation_id}", 303)
