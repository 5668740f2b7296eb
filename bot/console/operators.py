"""The people at the desk: who there is, making an account, changing it, and letting somebody in again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from bot.console import PREFIX
from bot.console.reading import list_for
from bot.console.rendering import Pages
from bot.console.session import Access, ChangeAccess, Kind
from bot.identity.roles import Permission, Role
from bot.services import operator_admin
from bot.services.operator_admin import LONGEST_NAME, Act, Changed, FirstPassword, NotManaged
from bot.services.operators import OperatorView

OperatorId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

_Text = Annotated[str, Form(max_length=100, pattern=r"^[^\x00]*$")]


def operators_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    refusal: NotManaged | None = None,
    password: FirstPassword | None = None,
    typed: dict[str, str] | None = None,
    retyped: dict[str, dict[str, str]] | None = None,
    status: int = 200,
) -> Response:
    """Render the list. ``password`` is shown in clear, once.

    ``typed`` gives back a new account that was refused, ``retyped`` changes that were, by the operator's id.
    """
    rows = operator_admin.listing(pages.deps, operator)
    return pages.render(
        "operators.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current="",
        rows=() if isinstance(rows, NotManaged) else rows,
        roles=tuple(Role),
        refusal=rows if isinstance(rows, NotManaged) else refusal,
        password=password,
        typed=typed or {"login": "", "display_name": "", "team": "", "role": Role.AGENT.value},
        retyped=retyped or {},
        longest_name=LONGEST_NAME,
    )


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the page and the acts. A password to hand over stands in the answer itself and is kept nowhere."""
    deps = pages.deps
    reader = Access(pages, Permission.MANAGE_OPERATORS, Kind.PAGE)
    manager = ChangeAccess(pages, Permission.MANAGE_OPERATORS)

    def answer(request: Request, operator: OperatorView, done: Changed | FirstPassword | NotManaged) -> Response:
        if isinstance(done, NotManaged):
            return operators_page(pages, request, operator, done, status=409)
        if isinstance(done, FirstPassword):
            return operators_page(pages, request, operator, password=done)
        return RedirectResponse(f"{PREFIX}/operators", 303)

    @router.get("/operators")
    def show(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        return operators_page(pages, request, operator)

    @router.post("/operators")
    def create(
        request: Request,
        operator: Annotated[OperatorView, Depends(manager)],
        login: _Text = "",
        display_name: _Text = "",
        role: Annotated[Role, Form()] = Role.AGENT,
        team: _Text = "",
    ) -> Response:
        done = operator_admin.create(deps, operator, login, display_name, role, team)
        if isinstance(done, NotManaged):
            typed = {"login": login, "display_name": display_name, "team": team, "role": role.value}
            return operators_page(pages, request, operator, done, typed=typed, status=409)
        return answer(request, operator, done)

    @router.post("/operators/{operator_id}")
    def change(
        request: Request,
        operator_id: OperatorId,
        operator: Annotated[OperatorView, Depends(manager)],
        display_name: _Text = "",
        role: Annotated[Role, Form()] = Role.AGENT,
        team: _Text = "",
    ) -> Response:
        done = operator_admin.change(deps, operator, operator_id, display_name, role, team)
        if isinstance(done, NotManaged):
            retyped = {operator_id: {"display_name": display_name, "team": team, "role": role.value}}
            return operators_page(pages, request, operator, done, retyped=retyped, status=409)
        return answer(request, operator, done)

    @router.post("/operators/{operator_id}/act")
    def act(
        request: Request,
        operator_id: OperatorId,
        operator: Annotated[OperatorView, Depends(manager)],
        what: Annotated[Act, Form()] = Act.UNLOCK,
    ) -> Response:
        return answer(request, operator, operator_admin.act(deps, operator, operator_id, what))
