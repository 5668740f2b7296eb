"""Offers that wait for a person: the list, one request with what a decision rests on, its proof, and deciding."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.console.typed import fen_of
from bot.identity.roles import Permission
from bot.outreach.tone import Finding
from bot.services import approval_asking, approval_decisions, approval_evidence, approvals
from bot.services.approval_asking import LONGEST_WISH, AskedForMore, UnfitWish
from bot.services.approval_decisions import LONGEST_REASON, Change, Decided, Decision, NotDecided
from bot.services.approvals import ApprovalState, ApprovalView, EvidenceFinding
from bot.services.operators import OperatorView
from bot.workout.counter import BorrowerProposal

ApprovalId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

UNREADABLE = "unreadable"
"""The reason shown where other figures were asked for in a way that cannot be read."""

UNFIT = "unfit"
"""The refusal shown where what was to be asked says what must never be said."""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Other figures as an operator typed them: months, yuan a month, and the first day as ``2026-12-15``."""

    months: str = ""
    monthly: str = ""
    first_on: str = ""

    def read(self) -> BorrowerProposal | None:
        """Return what was asked for, None if nothing was.

        Raises:
            ValueError: something in it is no figure.
        """
        if not (self.months or self.monthly or self.first_on):
            return None
        return BorrowerProposal(
            months=int(self.months) if self.months else None,
            monthly_fen=fen_of(self.monthly),
            first_on=date.fromisoformat(self.first_on) if self.first_on else None,
        )


def _asked_in_query(
    months: Annotated[str, Query(max_length=4)] = "",
    monthly: Annotated[str, Query(max_length=20)] = "",
    first_on: Annotated[str, Query(max_length=10)] = "",
) -> AskedFor:
    return AskedFor(months.strip(), monthly.strip(), first_on.strip())


def _asked_in_form(
    months: Annotated[str, Form(max_length=4)] = "",
    monthly: Annotated[str, Form(max_length=20)] = "",
    first_on: Annotated[str, Form(max_length=10)] = "",
) -> AskedFor:
    return AskedFor(months.strip(), monthly.strip(), first_on.strip())


def approval_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    approval_id: str,
    asked_for: AskedFor,
    refusal: str | None = None,
    reason: str = "",
    status: int = 200,
    wish: str = "",
    findings: tuple[Finding, ...] = (),
) -> Response:
    """Render a request, which records that it was read.

    ``reason`` gives back what was typed for a refused decision, ``wish`` for something asked that was refused.
    """
    try:
        proposal = asked_for.read()
    except ValueError:
        proposal, refusal = None, refusal or UNREADABLE
    case = approval_decisions.open_case(pages.deps, operator, approval_id, proposal)
    if isinstance(case, NotDecided):
        return pages.render("refused.html", operator, 404, reason="no_approval")
    return pages.render(
        "approval.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        waiting=approvals.waiting_count(pages.deps, operator),
        case=case,
        asked_for=asked_for,
        refusal=refusal,
        reason=reason,
        longest_reason=LONGEST_REASON,
        wish=wish,
        findings=findings,
        longest_wish=LONGEST_WISH,
    )


def _listed(pages: Pages, operator: OperatorView) -> dict[str, object]:
    found = approvals.open_requests(pages.deps, operator)
    waiting = [view for view in found if view.state is ApprovalState.WAITING]
    settled: list[ApprovalView] = [view for view in found if view.state is not ApprovalState.WAITING]
    return {"requests": waiting, "settled": settled, "waiting": len(waiting)}


def add_routes(router: APIRouter, pages: Pages, on_reply: Callable[[str], None]) -> None:
    """Add the pages and the decision; ``on_reply`` is told of the conversation in which a borrower was told."""
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    script = Access(pages, Permission.READ_CONVERSATIONS, Kind.ACTION)
    # A decision speaks to the borrower; which role it takes depends on the offer and is judged where it is taken.
    decider = ChangeAccess(pages, Permission.REPLY)

    def ended(approval_id: str, outcome: Decided | AskedForMore | Response) -> Response:
        if isinstance(outcome, Response):
            return outcome
        if outcome.told_conversation_id is not None:
            on_reply(outcome.told_conversation_id)
        return RedirectResponse(f"{PREFIX}/approvals/{approval_id}", 303)

    @router.get("/approvals")
    def show_list(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        shown = list_for(pages, request, operator)
        return pages.render("approvals.html", operator, 200, inbox=shown, current="", **_listed(pages, operator))

    @router.get("/approvals/list")
    def list_fragment(operator: Annotated[OperatorView, Depends(script)]) -> Response:
        return pages.render("_approvals.html", operator, 200, **_listed(pages, operator))

    @router.get("/approvals/{approval_id}")
    def show_approval(
        request: Request,
        approval_id: ApprovalId,
        operator: Annotated[OperatorView, Depends(reader)],
        asked_for: Annotated[AskedFor, Depends(_asked_in_query)],
    ) -> Response:
        return approval_page(pages, request, operator, approval_id, asked_for)

    @router.get("/approvals/{approval_id}/files/{note_id}")
    def show_file(
        approval_id: ApprovalId, note_id: ApprovalId, operator: Annotated[OperatorView, Depends(reader)]
    ) -> Response:
        found = approval_evidence.file_of(pages.deps, operator, approval_id, note_id)
        if found is None:
            return pages.render("refused.html", operator, 404, reason="no_approval")
        # Never shown inside the page: what somebody brought must not run as if it were ours.
        return Response(found[1], media_type=found[0], headers={"Content-Disposition": "attachment"})

    @router.post("/approvals/{approval_id}/ask")
    async def ask_for_more(
        request: Request,
        approval_id: ApprovalId,
        operator: Annotated[OperatorView, Depends(decider)],
        wanted: Annotated[str, Form(max_length=4 * LONGEST_WISH)] = "",
    ) -> Response:
        def act() -> AskedForMore | Response:
            outcome = approval_asking.ask_for_more(pages.deps, operator.id, approval_id, wanted)
            if isinstance(outcome, AskedForMore):
                return outcome
            if isinstance(outcome, UnfitWish):
                refusal, status, findings = UNFIT, 422, outcome.findings
            else:
                refusal, status, findings = outcome.value, 409, ()
            return approval_page(
                pages,
                request,
                operator,
                approval_id,
                AskedFor(),
                refusal,
                status=status,
                wish=wanted,
                findings=findings,
            )

        return ended(approval_id, await run_in_threadpool(act))

    @router.post("/approvals/{approval_id}/decide")
    async def decide(
        request: Request,
        approval_id: ApprovalId,
        operator: Annotated[OperatorView, Depends(decider)],
        decision: Annotated[Decision, Form()],
        asked_for: Annotated[AskedFor, Depends(_asked_in_form)],
        reason: Annotated[str, Form(max_length=4 * LONGEST_REASON)] = "",
        offer_id: Annotated[str, Form(max_length=40)] = "",
        evidence: Annotated[Literal[""] | EvidenceFinding, Form()] = "",
    ) -> Response:
        def act() -> Decided | Response:
            try:
                change = Change(offer_id, asked_for.read()) if decision is Decision.CHANGE else None
            except ValueError:
                return approval_page(pages, request, operator, approval_id, asked_for, UNREADABLE, reason, 409)
            outcome = approval_decisions.decide(
                pages.deps, operator.id, approval_id, decision, reason, change, evidence or None
            )
            if isinstance(outcome, Decided):
                return outcome
            return approval_page(pages, request, operator, approval_id, asked_for, outcome.value, reason, 409)

        return ended(approval_id, await run_in_threadpool(act))
