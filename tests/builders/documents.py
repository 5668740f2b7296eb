"""Builders for documents: making them, handing them over, reading them."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from bot.services import document_store, documents, identity
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.document_store import DocumentFile, DocumentView


def prove(deps: Deps, conversation_id: str, borrower_id: str) -> None:
    with deps.begin() as session:
        identity.bind(session, deps, conversation_id, borrower_id)


def the_statement(deps: Deps, conversation_id: str) -> DocumentView:
    made = documents.statement(deps, conversation_id)
    assert isinstance(made, DocumentView), made
    return made


def tell(deps: Deps, conversation_id: str, reply: Reply, purpose: str = "reply") -> None:
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        say(session, deps, conversation, reply, author=Author.BOT, purpose=purpose)


def text_of(content: bytes, frame_lines: int = 0) -> str:
    """Return a PDF's text without white space, and without the first lines of each page, which are its frame."""
    pages = [page.extract_text().split("\n")[frame_lines:] for page in PdfReader(io.BytesIO(content)).pages]
    return re.sub(r"\s", "", "".join("".join(page) for page in pages))


def fetched(deps: Deps, conversation_id: str, document: DocumentView) -> DocumentFile:
    file = document_store.fetch(deps, conversation_id, document.id)
    assert file is not None
    return file
