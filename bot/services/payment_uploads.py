"""Files of payments that an operator has tried on the console and not applied yet: sealed, for half an hour.

They lie in the database, so the yes may reach another gateway than the file did.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from bot.services.deps import Deps
from bot.store.tables import PaymentUpload

KEPT_FOR = timedelta(minutes=30)

MOST_KEPT = 3
"""Of one operator; the oldest makes room."""

LONGEST_NAME = 120
"""Characters of a file's name that are kept, as in the record of what was imported."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was brought."""

    name: str
    content: bytes


def keep(deps: Deps, operator_id: str, name: str, content: bytes) -> str:
    """Keep a file and return the id by which whoever brought it gets it back."""
    packed = base64.b64encode(zlib.compress(content)).decode()
    with deps.begin() as session:
        own = select(PaymentUpload.id).where(PaymentUpload.operator_id == operator_id)
        surplus = session.scalars(own.order_by(PaymentUpload.brought_at.desc()).offset(MOST_KEPT - 1)).all()
        session.execute(delete(PaymentUpload).where(PaymentUpload.id.in_(surplus)))
        upload = PaymentUpload(
            operator_id=operator_id,
            file_name=name[:LONGEST_NAME],
            content_sealed=deps.vault.seal(f"payment_upload:{operator_id}", packed),
            brought_at=deps.now(),
        )
        session.add(upload)
        session.flush()
        return upload.id


def take(deps: Deps, upload_id: str, operator_id: str) -> Upload | None:
    """Return a file to whoever brought it, once; None if it is not there, is another's, or has lain too long."""
    with deps.begin() as session:
        found = session.execute(
            delete(PaymentUpload)
            .where(PaymentUpload.id == upload_id, PaymentUpload.operator_id == operator_id)
            .returning(PaymentUpload.file_name, PaymentUpload.content_sealed, PaymentUpload.brought_at)
        ).one_or_none()
    if found is None or deps.now() - found.brought_at > KEPT_FOR:
        return None
    packed = deps.vault.unseal(f"payment_upload:{operator_id}", found.content_sealed)
    return Upload(found.file_name, zlib.decompress(base64.b64decode(packed)))


def forget_old(deps: Deps) -> int:
    """Delete the files that nobody can apply any more; returns how many."""
    with deps.begin() as session:
        gone = delete(PaymentUpload).where(PaymentUpload.brought_at < deps.now() - KEPT_FOR)
        return len(session.execute(gone.returning(PaymentUpload.id)).all())
