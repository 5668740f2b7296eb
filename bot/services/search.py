"""Looking through transcripts: by words, by what was understood, and by how the conversation went.

Every look is on record. What was looked for may be personal data itself, so the record has its keyed hash: whoever
suspects that somebody searched for a name can check it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, cast, column, exists, func, literal, not_, select, table, true, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from bot.cases.kinds import Family
from bot.clock import SHANGHAI
from bot.desk.fulltext import LONGEST_QUERY, Term, fold, query_terms
from bot.identity.masking import mask_name
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.reading_rights import may_look_through
from bot.services.shown_text import shown_text
from bot.store.base import UtcDateTime
from bot.store.tables import (
    Agreement,
    AuditEntry,
    Borrower,
    CaseFile,
    Contract,
    Conversation,
    Debt,
    Hold,
    Message,
    Product,
    Promise,
    SearchEntry,
)
from bot.store.tables.review import FULL_TEXT

A_PAGE = 30
"""Turns on one page of results."""

LOW_CONFIDENCE = 0.6
"""A reading below this is worth a look; below the fallback's own threshold the bot asked back."""

FALLBACK_INTENT = "nlu_fallback"

_ROUND_A_MATCH = 40
_LONG_BEGINNING = 3
"""Characters of a Latin word or a number from which few words begin with it."""
_WALKED = 20_000
"""So many turns are read one by one before the index of words is asked for all there are."""

_FIRST_DAY = date(1970, 1, 1)
"""No desk is older; a day long before has no beginning that can be written in UTC."""
_MOST_ID = 2**63 - 1
_full_text = table(FULL_TEXT, column("rowid"), column(FULL_TEXT))
_NEVER_MADE = ("draft", "dropped")


class TalkOutcome(StrEnum):
    """How a conversation has gone so far; more than one may hold."""

    AGREED = "agreed"
    PROMISED = "promised"
    CASE = "case"
    HANDED_OVER = "handed_over"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is empty does not narrow. Days are in Asia/Shanghai, both included.

    ``product`` is a kind of product among the borrower's debts. ``complaint`` and ``distress`` ask for conversations
    with such a case or hold, whether it is over or not.
    """

    words: str = ""
    since: date | None = None
    until: date | None = None
    channel: str = ""
    author: str = ""
    intent: str = ""
    low_confidence: bool = False
    fallback: bool = False
    outcome: TalkOutcome | None = None
    product: str = ""
    complaint: bool = False
    distress: bool = False

    def codes(self) -> str:
        """Return the filters without the words, as the audit log keeps them."""
        given = {
            "since": self.since,
            "until": self.until,
            "channel": self.channel,
            "author": self.author,
            "intent": self.intent,
            "low_confidence": self.low_confidence,
            "fallback": self.fallback,
            "outcome": self.outcome,
            "product": self.product,
            "complaint": self.complaint,
            "distress": self.distress,
        }
        return ",".join(f"{name}={value}" for name, value in given.items() if value)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One turn that was found, masked: the text before what was looked for, itself, and behind it."""

    conversation_id: str
    seq: int
    at: datetime
    author: str
    channel: str
    borrower: str | None
    before: str
    match: str
    after: str
    intent: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Turns, newest first; ``cursor`` leads to older ones, None at the end."""

    hits: tuple[SearchHit, ...]
    cursor: str | None


def search(deps: Deps, operator: OperatorView, wanted: Wanted, cursor: str = "") -> SearchPage:
    """Return a page of what this operator may read, and put on record that it was looked for.

    A ``cursor`` that no page gave begins anew.
    """
    with deps.read() as session:
        entries = _newest(session, operator, wanted, _read_cursor(cursor))
        hits = _hits(session, deps, entries[:A_PAGE], wanted.words)
    more = entries[A_PAGE - 1] if len(entries) > A_PAGE else None
    record_look(deps, operator, "transcripts_searched", wanted, len(hits))
    return SearchPage(hits, _make_cursor(more) if more is not None else None)


def _newest(
    session: Session, operator: OperatorView, wanted: Wanted, behind: tuple[datetime, int] | None
) -> Sequence[SearchEntry]:
    """Return one turn more than a page holds, newest first, older than ``behind`` where that is given."""
    entry = SearchEntry
    statement = matching(session, operator, wanted).limit(A_PAGE + 1)
    older = true() if behind is None else tuple_(entry.at, entry.id) < tuple_(*map(literal, behind))
    by_time = (entry.at.desc(), entry.id.desc())
    statement = statement.where(older)
    near = None
    # What is often said is found soon by walking back in time, what is seldom said by the index of words. The server
    # guesses from how frequent each word is alone, and two words that hardly ever meet have it walk through everything.
    if wanted.words.strip() and session.get_bind().dialect.name == "postgresql":
        near = session.scalar(select(entry.at).where(older).order_by(*by_time).offset(_WALKED).limit(1))
    if near is None:
        return session.scalars(statement.order_by(*by_time)).all()
    found = session.scalars(statement.where(entry.at >= near).order_by(*by_time)).all()
    if len(found) > A_PAGE:
        return found
    not_by_time = func.date_trunc("microseconds", entry.at, type_=UtcDateTime())
    return session.scalars(statement.order_by(not_by_time.desc(), entry.id.desc())).all()


def record_look(deps: Deps, operator: OperatorView, event: str, wanted: Wanted, found: int) -> None:
    """Put on record what somebody looked through transcripts for, and how much they got."""
    folded = fold(wanted.words.strip())
    with deps.begin() as session:
        audit.record(
            session,
            deps.now(),
            audit.Actor("operator", operator.id),
            event,
            ("desk", "transcripts"),
            words=deps.vault.lookup("search", folded) if folded else None,
            filters=wanted.codes(),
            found=found,
        )


def matching(session: Session, operator: OperatorView, wanted: Wanted) -> Select[SearchEntry]:
    """Return the selection of turns that fit, of conversations this operator may look through, in no order yet."""
    entry = SearchEntry
    statement = select(entry).join(Conversation, Conversation.id == entry.conversation_id)
    statement = statement.where(may_look_through(operator.reader))
    if wanted.words.strip():
        statement = statement.where(_holds_words(session, query_terms(wanted.words)))
    if wanted.since is not None and wanted.since > _FIRST_DAY:
        statement = statement.where(entry.at >= _begins(wanted.since))
    if wanted.until is not None and wanted.until < date.max:
        statement = statement.where(entry.at < _begins(max(wanted.until, _FIRST_DAY) + timedelta(days=1)))
    for attribute, value in (
        (entry.channel, wanted.channel),
        (entry.author, wanted.author),
        (entry.intent, wanted.intent),
    ):
        if value:
            statement = statement.where(attribute == value)
    if wanted.fallback:
        statement = statement.where(entry.intent == FALLBACK_INTENT)
    if wanted.low_confidence:
        statement = statement.where(entry.confidence < LOW_CONFIDENCE)
    return statement.where(*_about_the_talk(wanted))


def products(deps: Deps) -> tuple[str, ...]:
    """Return the kinds of products that can be asked for."""
    with deps.read() as session:
        return tuple(session.scalars(select(Product.kind).distinct().order_by(Product.kind)))


def _about_the_talk(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.outcome is TalkOutcome.NONE:
        conditions += [not_(_went(each)) for each in TalkOutcome if each is not TalkOutcome.NONE]
    elif wanted.outcome is not None:
        conditions.append(_went(wanted.outcome))
    if wanted.complaint:
        conditions.append(_has_case(CaseFile.family == Family.COMPLAINT.value))
    if wanted.distress:
        conditions.append(exists().where(Hold.conversation_id == Conversation.id, Hold.kind == HoldKind.DISTRESS.value))
    if wanted.product:
        conditions.append(
            exists(
                select(Debt.id)
                .join(Contract, Contract.id == Debt.contract_id)
                .join(Product, Product.id == Contract.product_id)
                .where(Debt.borrower_id == Conversation.borrower_id, Product.kind == wanted.product)
                .correlate(Conversation)
            )
        )
    return conditions


def _went(outcome: TalkOutcome) -> ColumnElement[bool]:
    if outcome is TalkOutcome.AGREED:
        return exists().where(Agreement.accepted_conversation_id == Conversation.id)
    if outcome is TalkOutcome.PROMISED:
        return exists().where(Promise.conversation_id == Conversation.id, Promise.state.not_in(_NEVER_MADE))
    if outcome is TalkOutcome.CASE:
        return _has_case()
    return exists().where(
        AuditEntry.subject_kind == "conversation",
        AuditEntry.subject_id == Conversation.id,
        AuditEntry.event.in_(("queued", "taken", "assigned")),
    )


def _has_case(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(CaseFile.conversation_id == Conversation.id, CaseFile.number.is_not(None), *conditions)


def _holds_words(session: Session, terms: Sequence[Term]) -> ColumnElement[bool]:
    """Return the condition that a turn holds every term; nothing holds a question of nothing but punctuation."""
    if not terms:
        return literal(1) == 0
    # Tokens are letters and digits alone, so that nothing in them can end the quotes.
    if session.get_bind().dialect.name == "postgresql":
        by_index, by_reading = _split(terms)
        found = SearchEntry.words.bool_op("@@")(_ts_query(by_index))
        if not by_reading:
            return found
        # No index serves an expression: what the index has found is read for the rest.
        read = func.tsvector_concat(SearchEntry.words, cast("", TSVECTOR))
        return found & read.bool_op("@@")(_ts_query(by_reading))
    asked = " AND ".join('"' + " ".join(each.tokens) + '"' + _end(each).removeprefix(":") for each in terms)
    return SearchEntry.id.in_(select(_full_text.c.rowid).where(_full_text.c[FULL_TEXT].op("MATCH")(asked)))


def _split(terms: Sequence[Term]) -> tuple[Sequence[Term], Sequence[Term]]:
    """Return the terms that an index is asked for, and those that only what it finds is read for.

    A beginning that is short, such as a single character, stands in a good part of all turns: to collect its places
    takes the index far longer than to read what a longer term has found.
    """
    exact = [each for each in terms if not each.is_prefix or len(each.tokens[0]) >= _LONG_BEGINNING] or [
        max(terms, key=lambda each: len(each.tokens[0]))
    ]
    return exact, [each for each in terms if each not in exact]


def _ts_query(terms: Sequence[Term]) -> ColumnElement[str]:
    quoted = (" <-> ".join(f"'{token}'" for token in each.tokens) + _end(each) for each in terms)
    return cast(" & ".join(f"({each})" for each in quoted), TSQUERY)


def _end(term: Term) -> str:
    return ":*" if term.is_prefix else ""


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=SHANGHAI)


def _hits(session: Session, deps: Deps, entries: Sequence[SearchEntry], words: str) -> tuple[SearchHit, ...]:
    found = {
        message.id: (message, borrower)
        for message, borrower in session.execute(
            select(Message, Borrower)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .outerjoin(Borrower, Borrower.id == Conversation.borrower_id)
            .where(Message.id.in_([entry.message_id for entry in entries]))
        )
    }
    hits = []
    for entry in entries:
        if entry.message_id not in found:  # deleted by retention since the entries were read
            continue
        message, borrower = found[entry.message_id]
        before, match, after = excerpt(shown_text(message), words)
        hits.append(
            SearchHit(
                conversation_id=entry.conversation_id,
                seq=entry.seq,
                at=entry.at,
                author=entry.author,
                channel=entry.channel,
                borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)) if borrower else None,
                before=before,
                match=match,
                after=after,
                intent=entry.intent,
                confidence=entry.confidence,
            )
        )
    return tuple(hits)


def excerpt(text: str, words: str) -> tuple[str, str, str]:
    """Return what stands before the first word that was looked for, it, and what follows, shortened on both sides."""
    folded = fold(text)
    looked_for = [part for part in fold(words[:LONGEST_QUERY]).split() if part]
    places = [(folded.find(part), part) for part in looked_for if part in folded]
    if not places or len(folded) != len(text):  # where folding changed lengths, places in it say nothing about the text
        return text[: 2 * _ROUND_A_MATCH] + ("…" if len(text) > 2 * _ROUND_A_MATCH else ""), "", ""
    start, part = min(places)
    end = start + len(part)
    first, last = max(0, start - _ROUND_A_MATCH), min(len(text), end + _ROUND_A_MATCH)
    before = ("…" if first else "") + text[first:start]
    return before, text[start:end], text[end:last] + ("…" if last < len(text) else "")


def _make_cursor(entry: SearchEntry) -> str:
    return base64.urlsafe_b64encode(f"{entry.at.isoformat()} {entry.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, int] | None:
    try:
        at, number = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        place = datetime.fromisoformat(at).astimezone(UTC), int(number)
    except (ValueError, OverflowError, binascii.Error):
        return None
    return place if abs(place[1]) <= _MOST_ID else None
