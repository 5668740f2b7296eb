"""How the desk does: a page for each kind of work with pictures, the rows behind each figure, and all as a file."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.console.charts import bars
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import STORABLE, Access, Kind
from bot.desk.spans import Span, Unit
from bot.identity.roles import Permission
from bot.services import report_listing, reports, search
from bot.services.operators import OperatorView
from bot.services.report_listing import A_PAGE, Figure
from bot.services.report_measures import Measure
from bot.services.reports import BREAKDOWNS, COLUMNS, MOST_SPANS, SHARES, SPANS, Asked, Section

_Product = Annotated[str, Query(max_length=30, pattern=STORABLE)]
_Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
"""A day that has instants before and after it in any time zone; the desk's work lies well within."""

_MOST = max(MOST_SPANS.values())


def _asked(
    unit: Annotated[Unit, Query()] = Unit.WEEK,
    count: Annotated[int, Query(ge=1, le=_MOST)] = SPANS,
    product: _Product = "",
) -> Asked:
    return Asked(unit, count, product)


def _figure(
    measure: Annotated[Measure, Query()],
    since: _Day,
    until: _Day,
    product: _Product = "",
    detail: Annotated[str | None, Query(max_length=130, pattern=STORABLE)] = None,
) -> Figure:
    return Figure(measure, Span(since, max(since, until)), product, detail)


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the pages and the file."""
    deps = pages.deps
    reader = Access(pages, Permission.READ_REPORTS, Kind.PAGE)

    @router.get("/reports")
    def show(
        request: Request,
        operator: Annotated[OperatorView, Depends(reader)],
        asked: Annotated[Asked, Depends(_asked)],
        section: Annotated[Section, Query()] = Section.TALKS,
    ) -> Response:
        return pages.render(
            "reports.html",
            operator,
            inbox=list_for(pages, request, operator),
            current="",
            section=section,
            sections=tuple(Section),
            columns=COLUMNS[section],
            breakdowns=BREAKDOWNS[section],
            shares=SHARES,
            units=tuple(Unit),
            report=reports.report(deps, operator, section, asked),
            asked=asked,
            most=_MOST,
            products=search.products(deps),
            bars=bars,
        )

    @router.get("/reports/rows")
    def show_rows(
        request: Request,
        operator: Annotated[OperatorView, Depends(reader)],
        figure: Annotated[Figure, Depends(_figure)],
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Response:
        return pages.render(
            "report_rows.html",
            operator,
            inbox=list_for(pages, request, operator),
            current="",
            figure=figure,
            found=report_listing.rows_behind(deps, operator, figure, page),
            page=page,
            a_page=A_PAGE,
        )

    @router.get("/reports/figures.csv")
    def as_file(
        operator: Annotated[OperatorView, Depends(reader)], asked: Annotated[Asked, Depends(_asked)]
    ) -> Response:
        content = reports.as_csv(deps, operator, asked)
        disposition = f'attachment; filename="desk-{asked.unit}s.csv"'
        return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
