"""Payments: bringing a file of them, the files brought before, and the payments that are being looked for."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.identity.roles import Permission
from bot.services import payment_desk, payment_import, payment_traces
from bot.services.csv_rows import FileRefusal
from bot.services.operators import OperatorView
from bot.services.payment_import import ImportReport

RowId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

MOST_BYTES = 2 * 1024 * 1024
"""A file that a browser may bring; larger ones are for the command line, where nobody waits for a page."""

KEPT_FOR = timedelta(minutes=30)
MOST_KEPT = 8

NO_FILE, TOO_LARGE, GONE, TRACE_OVER = "no_file", "too_large_here", "upload_gone", "trace_over"
"""Why nothing was done, besides ``FileRefusal``; the words for it are in ``_words.html``."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was tried and waits for the yes of whoever brought it."""

    operator_id: str
    name: str
    content: bytes
    brought_at: datetime


class Uploads:
    """The files of this process that were tried but not applied; a few, for a while, never on the disk."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._lock = Lock()

    def keep(self, upload: Upload) -> str:
        """Keep a file and return what names it; the oldest makes room."""
        key = hashlib.sha256(upload.operator_id.encode() + upload.content).hexdigest()
        with self._lock:
            self._kept[key] = upload
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return key

    def take(self, key: str, operator_id: str, now: datetime) -> Upload | None:
        """Return a file to whoever brought it, once; None if it is not there any more."""
        with self._lock:
            upload = self._kept.get(key)
            if upload is None or upload.operator_id != operator_id:
                return None
            del self._kept[key]
        return upload if now - upload.brought_at <= KEPT_FOR else None


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
    deps, uploads = pages.deps, Uploads()
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
            key = "" if report.was_imported else uploads.keep(Upload(operator.id, name, content, deps.now()))
            return payments_page(pages, request, operator, report=report, file_name=name, upload=key)

        return await run_in_threadpool(act)

    @router.post("/payments/apply")
    def apply_file(
        request: Request,
        operator: Annotated[OperatorView, Depends(importer)],
        upload: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        kept = uploads.take(upload, operator.id, deps.now())
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
