"""Builders for reviewing transcripts: who looks, and turns that have been indexed."""

from __future__ import annotations

from bot.identity.roles import Role
from bot.services import search_index
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.search import SearchPage, Wanted, search
from tests.builders.desk import an_operator


def a_reviewer(deps: Deps, role: Role = Role.SUPERVISOR, login: str = "lin") -> OperatorView:
    """Create an operator and return them as they are when logged in."""
    return OperatorView(an_operator(deps, login, "小林", role), login, "小林", role, "csrf")


def indexed(deps: Deps) -> int:
    """Index all that is new."""
    return search_index.index_new(deps)


def texts(page: SearchPage) -> list[str]:
    """Return what was found, as shown."""
    return [hit.before + hit.match + hit.after for hit in page.hits]


def found(deps: Deps, reviewer: OperatorView, words: str = "", **filters: object) -> list[str]:
    """Search and return the texts of the first page."""
    return texts(search(deps, reviewer, Wanted(words=words, **filters)))  # type: ignore[arg-type]
