"""Builders for cases: a complaint, a confirmed dispute, an operator as the console knows them."""

from __future__ import annotations

from sqlalchemy import select

from bot.cases.kinds import CaseKind
from bot.cases.question import CaseStep
from bot.identity.roles import Role
from bot.services import cases
from bot.services.case_questions import Asked
from bot.services.cases import Complained
from bot.services.conversations import Author, append, locked
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store.tables import CaseFile, Hold, Operator
from tests.builders.desk import an_operator


def a_complaint(
    deps: Deps, conversation_id: str, kind: CaseKind | None = CaseKind.TONE, said: str = "催收员骂人"
) -> str:
    """Complain in a conversation; returns the case's id."""
    done = cases.complain(deps, conversation_id, kind, said, None)
    assert isinstance(done, Complained), done
    return done.case.case_id


def says(deps: Deps, conversation_id: str, text: str, author: Author = Author.BORROWER) -> str:
    """Store a message; the bot's answers the one before it. Returns its id."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        return append(session, conversation, deps.now(), author=author, text=text).id


def answers(deps: Deps, conversation_id: str, asked_in: str) -> None:
    """Store an answer of the bot's to a message."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        append(session, conversation, deps.now(), author=Author.BOT, text="要登记吗？", in_reply_to=asked_in)


def a_draft(
    deps: Deps,
    conversation_id: str,
    kind: CaseKind | None = CaseKind.NOT_MINE,
    positions: tuple[int, ...] | None = None,
) -> str:
    """Begin a dispute and have it read back; returns the id of the draft."""
    said = says(deps, conversation_id, "这笔账不对")
    begun = cases.begin_dispute(deps, conversation_id, kind, "这笔账不对", said)
    if isinstance(begun, Asked) and begun.step is CaseStep.DEBT:
        begun = cases.choose_debts(deps, conversation_id, positions)
    assert isinstance(begun, Asked), begun
    assert begun.draft_id is not None
    cases.put_question(deps, conversation_id, said)
    answers(deps, conversation_id, said)
    return begun.draft_id


def a_dispute(
    deps: Deps, conversation_id: str, kind: CaseKind = CaseKind.NOT_MINE, positions: tuple[int, ...] | None = None
) -> str:
    """Dispute debts, all of them without ``positions``, with the yes that opens the case; returns its id."""
    a_draft(deps, conversation_id, kind, positions)
    done = cases.confirm(deps, conversation_id, says(deps, conversation_id, "是的"))
    assert isinstance(done, Asked), done
    assert done.case is not None, done
    return done.case.case_id


def case_of(deps: Deps, case_id: str) -> CaseFile:
    """Return a case's row."""
    with deps.read() as session:
        return session.get_one(CaseFile, case_id)


def open_holds_of(deps: Deps, case_id: str) -> list[tuple[str, str | None]]:
    """Return kind and debt of the holds of a case that stand."""
    with deps.read() as session:
        ids = session.get_one(CaseFile, case_id).hold_ids
        rows = session.execute(select(Hold.kind, Hold.debt_id).where(Hold.id.in_(ids), Hold.lifted_at.is_(None)))
        return sorted((kind, debt) for kind, debt in rows)


def somebody(deps: Deps, role: Role = Role.SUPERVISOR, login: str = "boss") -> OperatorView:
    """Create an operator as the console knows them."""
    operator_id = an_operator(deps, login, login, role)
    with deps.read() as session:
        row = session.get_one(Operator, operator_id)
        return OperatorView(row.id, row.login, row.display_name, role, "csrf")
