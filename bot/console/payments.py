"""Payments: bringing a file of them, the files brought before, and the payments that are being looked for."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.identity.roles import Permission
from bot.services import payment_desk, payment_import, payment_traces, payment_uploads
from bot.services.csv_rows import FileRefusal
from bot.services.operators import OperatorView
from bot.services.payment_import import ImportReport

RowId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

MOST_BYTES = 2 * 1024 * 1024
"""A file that a browser may bring; larger ones are for the command line, where nobody waits for a page."""

NO_FILE, TOO_LARGE, GONE, TRACE_OVER = "no_file", "too_large_here", "upload_gone", "trace_over"
"""Why nothing was done, besides ``FileRefusal``; the words for it are in ``_words.html``."""


def payments_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    *,
    refusal: str | None = None,
    report: ImportReport | None = None,
    file_name: str = "",
    upload: str = "",
    status: int = 200,
) -> Response:
    """Render the page; ``report`` is shown on top, and with ``upload`` it can be applied."""
    return pages.render(
        "payments.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        refusal=refusal,
        report=report,
        file_name=file_name,
        upload=upload,
        imports=payment_desk.imports(pages.deps),
        traces=payment_desk.open_traces(pages.deps),
        most_mib=MOST_BYTES // 2**20,
    )


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the page, trying and applying a file, and ending a search."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    importer = ChangeAccess(pages, Permission.IMPORT_PAYMENTS)
    # Whoever answers borrowers also ends the search for what they paid.
    answerer = ChangeAccess(pages, Permission.REPLY)

    @router.get("/payments")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return payments_page(pages, request, operator)

    @router.get("/payments/{import_id}")
    def show_import(request: Request, import_id: RowId, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        found = payment_desk.import_report(deps, import_id)
        if found is None:
            return pages.render("refused.html", operator, 404, reason="no_import")
        return payments_page(pages, request, operator, report=found[1], file_name=found[0])

    @router.post("/payments/try")
    async def try_file(
        request: Request,
        operator: Annotated[OperatorView, Depends(importer)],
        file: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        content = await file.read(MOST_BYTES + 1) if file is not None else b""
        name = (file.filename if file is not None else None) or ""

        def act() -> Response:
            if not name:
                return payments_page(pages, request, operator, refusal=NO_FILE, status=409)
            if len(content) > MOST_BYTES:
                return payments_page(pages, request, operator, refusal=TOO_LARGE, file_name=name, status=409)
            report = payment_import.import_payments(deps, content, name, is_dry_run=True)
            if isinstance(report, FileRefusal):
                refusal = report.name.lower()
                return payments_page(pages, request, operator, refusal=refusal, file_name=name, status=409)
            key = "" if report.was_imported else payment_uploads.keep(deps, operator.id, name, content)
            return payments_page(pages, request, operator, report=report, file_name=name, upload=key)

        return await run_in_threadpool(act)

    @router.post("/payments/apply")
    def apply_file(
        request: Request,
        operator: Annotated[OperatorView, Depends(importer)],
        upload: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        kept = payment_uploads.take(deps, upload, operator.id)
        if kept is None:
            return payments_page(pages, request, operator, refusal=GONE, status=409)
        report = payment_import.import_payments(deps, kept.content, kept.name, operator_id=operator.id)
        if isinstance(report, FileRefusal):
            return payments_page(pages, request, operator, refusal=report.name.lower(), status=409)
        return payments_page(pages, request, operator, report=report, file_name=kept.name)

    @router.post("/payments/traces/{trace_id}/close")
    def close_trace(
        request: Request, trace_id: RowId, operator: Annotated[OperatorView, Depends(answerer)]
    ) -> Response:
        if payment_traces.close(deps, trace_id, operator.id):
            return RedirectResponse(f"{PREFIX}/payments#traces", 303)
        return payments_page(pages, request, operator, refusal=TRACE_OVER, status=409)

    @router.post("/payments/traces/{trace_id}/found")
    def recognise(
        request: Request,
        trace_id: RowId,
        operator: Annotated[OperatorView, Depends(answerer)],
        payment: Annotated[str, Form(max_length=120)] = "",
    ) -> Response:
        if payment_traces.recognise(deps, trace_id, payment, operator.id):
            return RedirectResponse(f"{PREFIX}/payments#traces", 303)
        return payments_page(pages, request, operator, refusal=TRACE_OVER, status=409)
