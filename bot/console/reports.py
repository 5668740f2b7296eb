"""How the desk does, week by week: a table, a picture for each measure, and the same as a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.console.charts import bars
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, Kind
from bot.identity.roles import Permission
from bot.services import reports
from bot.services.operators import OperatorView

_Weeks = Annotated[int, Query(ge=1, le=reports.MOST_WEEKS)]


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the page and the file."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_REPORTS, Kind.PAGE)

    @router.get("/reports")
    def show(
        request: Request, operator: Annotated[OperatorView, Depends(reader)], weeks: _Weeks = reports.WEEKS
    ) -> Response:
        rows = reports.weekly(deps, operator, weeks)
        return pages.render(
            "reports.html",
            operator,
            inbox=list_for(pages, request, operator),
            current="",
            rows=rows,
            weeks=weeks,
            bars=bars,
        )

    @router.get("/reports/weeks.csv")
    def as_file(operator: Annotated[OperatorView, Depends(reader)], weeks: _Weeks = reports.WEEKS) -> Response:
        content = reports.as_csv(reports.weekly(deps, operator, weeks))
        disposition = 'attachment; filename="desk-weeks.csv"'
        return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
