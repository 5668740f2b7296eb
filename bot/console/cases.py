"""Cases: the list by the day an answer is due, one case, what each role does to it, and opening one for somebody."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.cases.course import DECISIONS, CaseAct
from bot.cases.kinds import CaseKind, kinds_of
from bot.console import PREFIX
from bot.console.reading import ConversationId, TakenDown, conversation_page, list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.desk.uploads import LARGEST_UPLOAD
from bot.identity.roles import Permission
from bot.outreach.tone import Finding
from bot.services import case_desk, case_files, case_intake, case_pages
from bot.services.case_desk import LONGEST_TEXT, Acted, Outcome, UnfitWords
from bot.services.case_intake import Opened
from bot.services.case_pages import Show
from bot.services.operators import OperatorView

CaseId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

UNFIT = "unfit"
"""The refusal shown where what was to be told says what must never be said; the others are those of ``Refused``."""


def case_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    case_id: str,
    refusal: str | None = None,
    draft: str = "",
    status: int = 200,
    findings: tuple[Finding, ...] = (),
) -> Response:
    """Render a case, which records that it was read. ``draft`` gives back what was typed for something refused."""
    page = case_pages.open_page(pages.deps, operator, case_id)
    if page is None:
        return pages.render("refused.html", operator, 404, reason="no_case")
    return pages.render(
        "case.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        page=page,
        kinds=kinds_of(page.row.family),
        decisions=DECISIONS,
        refusal=refusal,
        draft=draft,
        findings=findings,
        longest=LONGEST_TEXT,
        most_megabytes=LARGEST_UPLOAD // 10**6,
    )


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the pages and the acts. Each act ends on the case's page, which says so when it was refused."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    # Which role an act takes depends on the act, and is judged where it is done.
    worker = ChangeAccess(pages, Permission.READ_CONVERSATIONS)
    namer = ChangeAccess(pages, Permission.REPLY)
    decider = ChangeAccess(pages, Permission.DECIDE_CASES)

    def answer(request: Request, operator: OperatorView, case_id: str, done: Outcome, draft: str = "") -> Response:
        if isinstance(done, Acted):
            return RedirectResponse(f"{PREFIX}/cases/{case_id}", 303)
        unfit = isinstance(done, UnfitWords)
        refusal = UNFIT if isinstance(done, UnfitWords) else done.value
        findings = done.findings if isinstance(done, UnfitWords) else ()
        return case_page(pages, request, operator, case_id, refusal, draft, 422 if unfit else 409, findings)

    @router.get("/cases")
    def show_list(
        request: Request,
        operator: Annotated[OperatorView, Depends(reader)],
        show: Annotated[Show, Query()] = Show.OPEN,
        kind: Annotated[CaseKind | None, Query()] = None,
    ) -> Response:
        return pages.render(
            "cases.html",
            operator,
            200,
            inbox=list_for(pages, request, operator),
            current="",
            show=show,
            kind=kind,
            kinds=tuple(CaseKind),
            rows=case_pages.listing(deps, show, kind),
            counts=case_pages.counts(deps),
        )

    @router.get("/cases/{case_id}")
    def show_case(request: Request, case_id: CaseId, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return case_page(pages, request, operator, case_id)

    @router.get("/cases/{case_id}/files/{note_id}")
    def show_file(case_id: CaseId, note_id: CaseId, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        found = case_files.file_of(deps, operator, case_id, note_id)
        if found is None:
            return pages.render("refused.html", operator, 404, reason="no_case")
        # Never shown inside the page: what somebody brought must not run as if it were ours.
        return Response(found[1], media_type=found[0], headers={"Content-Disposition": "attachment"})

    @router.post("/c/{conversation_id}/cases")
    def take_up(
        request: Request,
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(namer)],
        kind: Annotated[CaseKind, Form()],
        debt: Annotated[list[str], Form(default_factory=list)],
        text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
        received_on: Annotated[Literal[""] | date, Form()] = "",
    ) -> Response:
        text = text.replace("\r\n", "\n")
        done = case_intake.take_up(deps, operator, conversation_id, kind, text, received_on or None, debt)
        if isinstance(done, Opened):
            return RedirectResponse(f"{PREFIX}/cases/{done.case.case_id}", 303)
        told = TakenDown(text, kind, received_on or None, tuple(debt))
        return conversation_page(pages, request, operator, conversation_id, done.value, status=409, told=told)

    @router.post("/cases/{case_id}/act")
    def act(
        request: Request,
        case_id: CaseId,
        operator: Annotated[OperatorView, Depends(worker)],
        what: Annotated[CaseAct, Form()],
        text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
        ours: Annotated[str, Form(max_length=3)] = "",
    ) -> Response:
        text = text.replace("\r\n", "\n")
        done = case_desk.act(deps, operator, case_id, what, text, by_our_people=ours == "yes")
        return answer(request, operator, case_id, done, text)

    @router.post("/cases/{case_id}/extend")
    def extend(
        request: Request,
        case_id: CaseId,
        operator: Annotated[OperatorView, Depends(decider)],
        text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
    ) -> Response:
        return answer(request, operator, case_id, case_desk.extend(deps, operator, case_id, text), text)

    @router.post("/cases/{case_id}/kind")
    def name_kind(
        request: Request,
        case_id: CaseId,
        operator: Annotated[OperatorView, Depends(namer)],
        kind: Annotated[CaseKind, Form()],
    ) -> Response:
        return answer(request, operator, case_id, case_desk.classify(deps, operator, case_id, kind))

    @router.post("/cases/{case_id}/note")
    def add_note(
        request: Request,
        case_id: CaseId,
        operator: Annotated[OperatorView, Depends(worker)],
        text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
    ) -> Response:
        return answer(request, operator, case_id, case_desk.note(deps, operator, case_id, text), text)

    @router.post("/cases/{case_id}/attach")
    async def attach(
        request: Request,
        case_id: CaseId,
        operator: Annotated[OperatorView, Depends(worker)],
        file: Annotated[UploadFile | None, File()] = None,
        consented: Annotated[Literal["", "yes"], Form()] = "",
    ) -> Response:
        content = await file.read(LARGEST_UPLOAD + 1) if file is not None else b""
        name = (file.filename if file is not None else None) or ""

        def keep() -> Response:
            done = case_files.attach(deps, operator, case_id, name, content, consented=consented == "yes")
            return answer(request, operator, case_id, done)

        return await run_in_threadpool(keep)

    @router.post("/cases/{case_id}/finding")
    def see_finding(request: Request, case_id: CaseId, operator: Annotated[OperatorView, Depends(decider)]) -> Response:
        return answer(request, operator, case_id, case_desk.see_finding(deps, operator, case_id))
