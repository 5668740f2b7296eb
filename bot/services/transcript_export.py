"""Transcripts as a file: what a search finds, masked by role, with the export on record."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from bot.clock import local
from bot.identity.masking import mask_name
from bot.identity.roles import Role
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.search import Wanted, matching, record_look
from bot.services.shown_text import shown_text
from bot.store.tables import Borrower, Conversation, Message, SearchEntry

MOST_ROWS = 10_000
"""Turns in one file; a larger question has to be narrowed, so that nobody carries the whole desk away at once."""

NAMES_SHOWN = frozenset({Role.SUPERVISOR})
"""Roles whose file has the family name. The others review conduct, not persons: they get the pseudonym alone."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FileKind(StrEnum):
    """What the file is."""

    CSV = "csv"
    JSONL = "jsonl"


class NotExported(StrEnum):
    """Why there is no file."""

    TOO_MANY = "too_many"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to be handed over."""

    name: str
    media_type: str
    content: bytes


COLUMNS = ("conversation", "seq", "at", "channel", "author", "borrower", "name", "text", "intent", "confidence")


def export(deps: Deps, operator: OperatorView, wanted: Wanted, kind: FileKind) -> ExportFile | NotExported:
    """Return the turns that fit, oldest first, and put on record who took how many.

    ``borrower`` is a pseudonym: the same for the same person, and of no use outside the desk. Times are in
    Asia/Shanghai. Numbers are masked for every role, as in the transcript.
    """
    with deps.read() as session:
        fitting = matching(session, operator, wanted).order_by(SearchEntry.at, SearchEntry.id).limit(MOST_ROWS + 1)
        entries = session.scalars(fitting).all()
        if len(entries) > MOST_ROWS:
            return NotExported.TOO_MANY
        if not entries:
            return NotExported.NOTHING
        ids = [entry.message_id for entry in entries]
        found = session.execute(
            select(Message, Borrower)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .outerjoin(Borrower, Borrower.id == Conversation.borrower_id)
            .where(Message.id.in_(select(fitting.subquery().c.message_id)))
        )
        by_id = {message.id: (message, borrower) for message, borrower in found}
        rows = [_row(deps, operator, entry, *by_id[entry.message_id]) for entry in entries if entry.message_id in by_id]
    record_look(deps, operator, "transcripts_exported", wanted, len(ids))
    name = f"transcripts-{local(deps.now()):%Y%m%d-%H%M%S}.{kind.value}"
    if kind is FileKind.CSV:
        return ExportFile(name, "text/csv; charset=utf-8", _csv(rows))
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    return ExportFile(name, "application/x-ndjson", "".join(f"{line}\n" for line in lines).encode())


def _row(
    deps: Deps, operator: OperatorView, entry: SearchEntry, message: Message, borrower: Borrower | None
) -> dict[str, str | int | float | None]:
    shown = borrower is not None and operator.role in NAMES_SHOWN
    return {
        "conversation": entry.conversation_id,
        "seq": entry.seq,
        "at": local(entry.at).isoformat(timespec="seconds"),
        "channel": entry.channel,
        "author": entry.author,
        "borrower": deps.vault.lookup("export", borrower.id)[:16] if borrower else None,
        "name": mask_name(deps.vault.unseal("name", borrower.name_sealed)) if borrower is not None and shown else None,
        "text": shown_text(message),
        "intent": entry.intent,
        "confidence": entry.confidence,
    }


def _csv(rows: Iterable[dict[str, str | int | float | None]]) -> bytes:
    """Write rows for spreadsheets: marked as UTF-8, and no cell that one would take for a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_harmless(rows))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(rows: Iterable[dict[str, str | int | float | None]]) -> Iterator[dict[str, str | int | float | None]]:
    for row in rows:
        yield {
            name: f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
            for name, cell in row.items()
        }
