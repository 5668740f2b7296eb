"""Quality: what the automatic checks found, the cards to fill in, how reviewers agree, who needs coaching,
what borrowers thought of it.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.desk.scorecard import Criterion, Mark
from bot.identity.roles import Permission
from bot.services import quality, satisfaction, talk_checking
from bot.services.operators import OperatorView
from bot.services.quality import LONGEST_NOTE, NotReviewed

ReviewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_Marked = Annotated[Mark | None, Form()]


def _card(
    identity_first: _Marked = None,
    figures_right: _Marked = None,
    tone: _Marked = None,
    rights_told: _Marked = None,
    next_step: _Marked = None,
    recorded: _Marked = None,
) -> dict[Criterion, Mark]:
    given = {
        Criterion.IDENTITY_FIRST: identity_first,
        Criterion.FIGURES_RIGHT: figures_right,
        Criterion.TONE: tone,
        Criterion.RIGHTS_TOLD: rights_told,
        Criterion.NEXT_STEP: next_step,
        Criterion.RECORDED: recorded,
    }
    return {criterion: mark for criterion, mark in given.items() if mark is not None}


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the page and the acts. Each act ends on the page, which says so when it was refused."""
    deps = pages.deps
    reviewer = Access(pages, Permission.REVIEW_QUALITY, Kind.PAGE)
    changer = ChangeAccess(pages, Permission.REVIEW_QUALITY)

    def page(
        request: Request,
        operator: OperatorView,
        refusal: NotReviewed | None = None,
        refused: str = "",
        note: str = "",
        marks: dict[Criterion, Mark] | None = None,
        status: int = 200,
    ) -> Response:
        return pages.render(
            "quality.html",
            operator,
            status,
            inbox=list_for(pages, request, operator),
            current="",
            flaws=talk_checking.open_flaws(deps),
            to_do=quality.to_do(deps, operator),
            done=quality.done(deps),
            agreement=quality.agreement(deps),
            coaching=quality.coaching(deps),
            satisfaction=satisfaction.overview(deps),
            criteria=tuple(Criterion),
            longest=LONGEST_NOTE,
            refusal=refusal,
            refused=refused,
            note=note,
            given=marks or {},
        )

    @router.get("/quality")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reviewer)]) -> Response:
        return page(request, operator)

    @router.post("/quality/draw")
    def draw(operator: Annotated[OperatorView, Depends(changer)]) -> Response:
        quality.draw_week(deps, operator)
        return RedirectResponse(f"{PREFIX}/quality", 303)

    @router.post("/quality/flaws/{finding_id}/seen")
    def see(finding_id: ReviewId, operator: Annotated[OperatorView, Depends(changer)]) -> Response:
        talk_checking.see(deps, operator, finding_id)  # seen by somebody else meanwhile is seen as well
        return RedirectResponse(f"{PREFIX}/quality", 303)

    @router.post("/quality/{review_id}")
    def fill_in(
        request: Request,
        review_id: ReviewId,
        operator: Annotated[OperatorView, Depends(changer)],
        marks: Annotated[dict[Criterion, Mark], Depends(_card)],
        note: Annotated[str, Form(max_length=4 * LONGEST_NOTE)] = "",
    ) -> Response:
        outcome = quality.fill_in(deps, operator, review_id, marks, note)
        if isinstance(outcome, NotReviewed):
            return page(request, operator, outcome, review_id, note, marks, 409)
        return RedirectResponse(f"{PREFIX}/quality", 303)
