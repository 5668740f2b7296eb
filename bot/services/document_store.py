"""Keeping documents sealed, and who may have them: the verified borrower they are about, and operators."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.visibility import Reader
from bot.documents.words import DocumentWords, Speech
from bot.services import audit
from bot.services.accounts import NotVerified, right_party
from bot.services.conversations import FACT
from bot.services.deps import Deps
from bot.services.reading_rights import readable
from bot.store.tables import Borrower, Conversation, Document, Message, MessageDocument, Outbox
from bot.text.scripts import Script

_ID = re.compile(r"[0-9a-f]{32}")


class DocumentKind(StrEnum):
    """What a document is; ``data/templates/documents.yml`` has a name and a file name for each."""

    AGREEMENT = "agreement"
    SCHEDULE = "schedule"
    STATEMENT = "statement"
    CLEARANCE_LETTER = "clearance_letter"
    DATA_EXPORT = "data_export"

    @property
    def media_type(self) -> str:
        """The content's media type."""
        if self is DocumentKind.DATA_EXPORT:
            return "application/json"
        return "image/png" if self.is_picture else "application/pdf"

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown where it stands."""
        return self is DocumentKind.SCHEDULE


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document just made. ``number`` is what it is numbered with, ``size`` a picture's width and height in pixels."""

    kind: DocumentKind
    number: str
    content: bytes
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class DocumentView:
    """What a message says about the document it carries; ``title`` is in the script of its reader."""

    id: str
    kind: DocumentKind
    title: str
    size: tuple[int, int] | None

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown where it stands."""
        return self.kind.is_picture


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document's content, with a file name that says nothing of a debt."""

    name: str
    kind: DocumentKind
    content: bytes

    @property
    def media_type(self) -> str:
        """The content's media type."""
        return self.kind.media_type

    @property
    def disposition(self) -> str:
        """The ``Content-Disposition`` for a browser: a picture is shown, anything else saved."""
        return f"{'inline' if self.kind.is_picture else 'attachment'}; filename*=UTF-8''{quote(self.name, safe='')}"


def speech_in(deps: Deps, script: Script) -> Speech:
    """Return the words of documents in a script.

    Raises:
        bot.documents.words.DocumentWordsError: they cannot be used.
    """
    return Speech(_words(deps.data / "templates" / "documents.yml"), script)


def keep(
    session: Session,
    deps: Deps,
    made: NewDocument,
    borrower_id: str,
    conversation_id: str | None = None,
    agreement_id: str | None = None,
) -> Document:
    """Seal and store a document; one that the borrower has already is returned as it is."""
    digest = hashlib.sha256(made.content).hexdigest()
    # One at a time for each borrower: two that make the same document would both find that it is not there.
    session.scalar(select(Borrower.id).where(Borrower.id == borrower_id).with_for_update(key_share=True))
    known = session.scalar(
        select(Document).where(
            Document.borrower_id == borrower_id, Document.kind == made.kind.value, Document.sha256 == digest
        )
    )
    if known is not None:
        return known
    width, height = made.size or (None, None)
    document = Document(
        borrower_id=borrower_id,
        conversation_id=conversation_id,
        agreement_id=agreement_id,
        kind=made.kind.value,
        number=made.number,
        sha256=digest,
        width=width,
        height=height,
        content_sealed=deps.vault.seal(_purpose(borrower_id), base64.b64encode(made.content).decode()),
        created_at=deps.now(),
    )
    session.add(document)
    session.flush()
    subject = ("document", document.id)
    audit.record(session, deps.now(), audit.BOT, "document_made", subject, kind=document.kind, sha256=digest)
    return document


def view_of(deps: Deps, document: Document, script: Script) -> DocumentView:
    """Describe a document to a reader of a script."""
    kind = DocumentKind(document.kind)
    size = (document.width, document.height) if document.width and document.height else None
    return DocumentView(document.id, kind, speech_in(deps, script).say(f"name_{kind.value}"), size)


def carried_by(session: Session, deps: Deps, message_ids: Iterable[str]) -> dict[str, DocumentView]:
    """Return the documents that messages carry, by message, whoever looks."""
    rows = session.execute(
        select(MessageDocument.message_id, Document, Conversation.script)
        .join(Document, Document.id == MessageDocument.document_id)
        .join(Message, Message.id == MessageDocument.message_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(MessageDocument.message_id.in_(list(message_ids)))
    )
    return {message_id: view_of(deps, document, Script(script)) for message_id, document, script in rows}


def fetch(deps: Deps, conversation_id: str | None, document_id: str) -> DocumentFile | None:
    """Return a document to the verified borrower it is about; None to anybody else, and where there is none.

    Whoever gets None cannot tell why.
    """
    if conversation_id is None or _ID.fullmatch(document_id) is None:
        return None
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        document = session.get(Document, document_id)
        if isinstance(party, NotVerified) or document is None or document.borrower_id != party.borrower_id:
            return None
        return _file(session, deps, document, conversation_id)


def fetch_as_operator(deps: Deps, document_id: str, reader: Reader) -> DocumentFile | None:
    """Return a document to an operator who may read a talk with its borrower, and put on record that they had it.

    None to anybody else, and where there is none.
    """
    if _ID.fullmatch(document_id) is None:
        return None
    with deps.begin() as session:
        document = session.get(Document, document_id)
        if document is None:
            return None
        talk = readable(reader).where(Conversation.borrower_id == document.borrower_id).limit(1)
        if not reader.reads_all and session.scalar(talk) is None:
            return None
        actor = audit.Actor("operator", reader.operator_id)
        audit.record(session, deps.now(), actor, "document_read", ("document", document.id), kind=document.kind)
        return _file(session, deps, document, document.conversation_id)


def to_push(deps: Deps, outbox_id: str) -> DocumentFile | None:
    """Return the document to be delivered with a message of the outbox, or None when it is to go without one.

    Only what was said to somebody verified brings its document along, and only while the conversation is still that
    borrower's: a notice may reach a phone that somebody else is holding.
    """
    with deps.read() as session:
        found = session.execute(
            select(Document, Conversation.id)
            .join(MessageDocument, MessageDocument.document_id == Document.id)
            .join(Message, Message.id == MessageDocument.message_id)
            .join(Outbox, Outbox.message_id == Message.id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Outbox.id == outbox_id, Message.purpose == FACT, Conversation.borrower_id == Document.borrower_id)
        ).one_or_none()
        return None if found is None else _file(session, deps, found[0], found[1])


def _file(session: Session, deps: Deps, document: Document, conversation_id: str | None) -> DocumentFile:
    conversation = session.get(Conversation, conversation_id) if conversation_id else None
    speech = speech_in(deps, Script(conversation.script) if conversation else Script.HANS)
    kind = DocumentKind(document.kind)
    content = base64.b64decode(deps.vault.unseal(_purpose(document.borrower_id), document.content_sealed))
    return DocumentFile(speech.say(f"file_{kind.value}", number=document.number), kind, content)


def _purpose(borrower_id: str) -> str:
    """Bind the sealed content to its borrower: it opens under no other's name."""
    return f"document:{borrower_id}"


@lru_cache(maxsize=4)
def _words(path: Path) -> DocumentWords:
    return DocumentWords.load(path)
