"""Files that were brought, sealed in the row that tells of them: kept, read, and emptied when their time is over."""

from __future__ import annotations

import base64
import hashlib

from bot.desk.uploads import UploadKind
from bot.services.deps import Deps
from bot.store.tables import ApprovalNote, CaseNote

LONGEST_NAME = 120

MOST_FILES = 20
"""Files that are taken from a borrower for one matter: what nobody will ever look through would only fill the disk."""

FileRow = CaseNote | ApprovalNote


def digest(content: bytes) -> str:
    """Return the SHA-256 by which the same file is known again; it stays when the file is deleted."""
    return hashlib.sha256(content).hexdigest()


def name_of(name: str, kind: UploadKind) -> str:
    """Return what a file is called at the desk."""
    return name[:LONGEST_NAME] or kind.name.lower()


def fill(deps: Deps, row: FileRow, seal: str, kind: UploadKind, content: bytes) -> None:
    """Put a file into its row; ``seal`` binds it to the matter it was brought for."""
    row.content_sealed = deps.vault.seal(seal, base64.b64encode(content).decode())
    row.media_type, row.sha256 = kind.value, digest(content)


def content_of(deps: Deps, row: FileRow, seal: str) -> tuple[str, bytes] | None:
    """Return media type and content; None where the row holds no file, or none any more."""
    if row.content_sealed is None or row.media_type is None:
        return None
    return row.media_type, base64.b64decode(deps.vault.unseal(seal, row.content_sealed))


def clear(deps: Deps, row: FileRow, seal: str) -> None:
    """Delete what a file holds and how it was called; that there was one stays, with its hash."""
    row.content_sealed, row.media_type = None, None
    row.text_sealed = deps.vault.seal(seal, "")
