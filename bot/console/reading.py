"""The inbox, a conversation, and the fragments that keep an open page up to date."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from bot.care.vulnerability import CARE
from bot.cases.kinds import CaseKind
from bot.console import PREFIX
from bot.console.facts import card_facts
from bot.console.rendering import Pages
from bot.console.session import Access, Kind
from bot.desk.ownership import Owner
from bot.identity.masking import may_reveal
from bot.identity.roles import Permission, may
from bot.outreach.call_times import CallRule
from bot.outreach.tone import Finding
from bot.services import assignment, call_backs, inbox
from bot.services.call_backs import CallView
from bot.services.care import PLACEABLE
from bot.services.inbox import ConversationRow, Transcript
from bot.services.operators import OperatorView
from bot.services.reading_rights import readable
from bot.services.reveal import Revealed, RevealReason

ConversationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

FILTER_COOKIE = "desk_show"


class Show(StrEnum):
    """Which conversations the list shows."""

    ALL = "all"
    WAITING = "waiting"
    MINE = "mine"


@dataclass(frozen=True, slots=True)
class InboxList:
    """The list at the left; ``waiting`` counts the whole queue, whatever the list shows. ``calls`` are due or late."""

    show: Show
    rows: tuple[ConversationRow, ...]
    waiting: int
    calls: tuple[CallView, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What was given for a case that could not be opened, to be given back as it was."""

    text: str = ""
    kind: CaseKind | None = None
    received_on: date | None = None
    debts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallWished:
    """What was asked about a call and refused: the time as it was typed, why, and times that can be had."""

    at: str = ""
    refusal: str | None = None
    rule: CallRule | None = None
    times: tuple[datetime, ...] = ()


_NOTHING = TakenDown()
_NO_CALL = CallWished()


def list_for(pages: Pages, request: Request, operator: OperatorView) -> InboxList:
    """Return the list as this operator last chose to see it."""
    show = _chosen(request)
    rows = inbox.listing(pages.deps, operator.reader)
    return InboxList(
        show=show,
        rows=tuple(row for row in rows if _shown(row, show, operator)),
        waiting=sum(row.owner is Owner.QUEUED for row in rows),
        calls=call_backs.listing(pages.deps, readable(operator.reader), due_only=True),
    )


def _shown(row: ConversationRow, show: Show, operator: OperatorView) -> bool:
    if show is Show.MINE:
        return row.owner is Owner.HUMAN and row.owner_operator_id == operator.id
    return show is Show.ALL or row.owner is Owner.QUEUED or row.in_danger


def _chosen(request: Request) -> Show:
    given = request.query_params.get("show") or request.cookies.get(FILTER_COOKIE, "")
    return Show(given) if given in set(Show) else Show.ALL


def conversation_page(
    pages: Pages,
    request: Request,
    operator: OperatorView,
    conversation_id: str,
    refusal: str | None = None,
    draft: str = "",
    status: int = 200,
    findings: tuple[Finding, ...] = (),
    told: TakenDown = _NOTHING,
    reason: str = "",
    revealed: Revealed | None = None,
    wished: CallWished = _NO_CALL,
) -> Response:
    """Render a conversation, which records that it was read.

    ``draft`` gives back what could not be sent, ``findings`` what in it must not be said, ``told`` what could not be
    taken down for a case, ``reason`` what was given for a pause that was refused, ``wished`` a call that was not
    arranged. ``revealed`` is shown in clear, once.
    """
    found = inbox.transcript(pages.deps, conversation_id, operator.reader)
    if found is None:
        return pages.render("refused.html", operator, 404, reason="unknown")
    return pages.render(
        "conversation.html",
        operator,
        status,
        inbox=list_for(pages, request, operator),
        current=conversation_id,
        refusal=refusal,
        **_parts(pages, operator, found, draft, findings, told, reason, revealed, wished),
    )


def _parts(
    pages: Pages,
    operator: OperatorView,
    found: Transcript,
    draft: str = "",
    findings: tuple[Finding, ...] = (),
    told: TakenDown = _NOTHING,
    reason: str = "",
    revealed: Revealed | None = None,
    wished: CallWished = _NO_CALL,
) -> dict[str, object]:
    in_hand = found.row.owner is Owner.HUMAN and found.row.owner_operator_id == operator.id
    return {
        "c": found,
        "row": found.row,
        "mine": in_hand,
        "canned": pages.deps.canned.by_stage if in_hand else {},
        "revealed": revealed,
        "revealable": may_reveal(operator.role, has_in_hand=in_hand),
        "reveal_reasons": tuple(RevealReason),
        "facts": card_facts(pages.deps, found.row.id),
        "call": call_backs.of_conversation(pages.deps, found.row.id),
        "wished": wished,
        "draft": draft,
        "told": told,
        "reason": reason,
        "findings": findings,
        "reply_key": str(uuid4()),
        "longest": pages.deps.settings.message_max_characters,
        "placeable": PLACEABLE,
        "case_kinds": tuple(CaseKind),
        "colleagues": assignment.colleagues(pages.deps) if may(operator.role, Permission.ASSIGN_CONVERSATIONS) else (),
        "care": CARE,
    }


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Add the pages and fragments that only read."""
    reader = Access(pages, Permission.READ_CONVERSATIONS, Kind.PAGE)
    script = Access(pages, Permission.READ_CONVERSATIONS, Kind.ACTION)

    @router.get("/")
    def show_inbox(request: Request, operator: Annotated[OperatorView, Depends(reader)]) -> Response:
        shown = list_for(pages, request, operator)
        response = pages.render("inbox.html", operator, inbox=shown, current="")
        response.set_cookie(
            FILTER_COOKIE,
            shown.show,
            path=PREFIX,
            httponly=True,
            samesite="strict",
            secure=pages.is_https,
        )
        return response

    @router.get("/c/{conversation_id}")
    def show_conversation(
        request: Request, conversation_id: ConversationId, operator: Annotated[OperatorView, Depends(reader)]
    ) -> Response:
        return conversation_page(pages, request, operator, conversation_id)

    @router.get("/list")
    def list_fragment(
        request: Request,
        operator: Annotated[OperatorView, Depends(script)],
        current: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    ) -> Response:
        return pages.render("_list.html", operator, inbox=list_for(pages, request, operator), current=current)

    @router.get("/c/{conversation_id}/turns")
    def turns_fragment(
        conversation_id: ConversationId,
        operator: Annotated[OperatorView, Depends(script)],
        after: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        found = inbox.turns_after(pages.deps, conversation_id, after, operator.reader)
        if found is None:
            return pages.render("refused.html", operator, 404, reason="unknown")
        return pages.render("_update.html", operator, 200, **_parts(pages, operator, found))
