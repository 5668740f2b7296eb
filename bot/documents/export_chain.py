"""A copy of a person's data as one file whose every record can be checked without the desk.

The file is JSON: a head, then records in order. Each record carries the SHA-256 of the record before it and of its own
content, so that none can be changed, left out, added or moved. The last of these hashes and the head are signed with
Ed25519: whoever has the desk's public key can tell that the desk wrote the file, whole and as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

FORMAT = "borrower-data-copy/1"
_START = hashlib.sha256(FORMAT.encode()).hexdigest()


class ExportFault(StrEnum):
    """Why a file is not a whole and unchanged copy."""

    NOT_A_COPY = "not_a_copy"
    RECORD_CHANGED = "record_changed"
    NOT_SIGNED_BY_KEY = "not_signed_by_key"
    OTHER_KEY = "other_key"


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One thing on record: its kind, and its content as JSON."""

    kind: str
    content: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ExportHead:
    """What the file says about itself. ``made_at`` is aware."""

    number: str
    producer: str
    label: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class VerifiedExport:
    """A whole and unchanged copy: how many records of which kind, when it was made, and by which key it is signed."""

    number: str
    made_at: str
    counts: Mapping[str, int]
    public_key: str


@dataclass(frozen=True, slots=True)
class ExportRefused:
    """The file does not hold what it claims. ``record`` counts from 1 where one record is at fault."""

    fault: ExportFault
    record: int | None = None


class _Link(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    content: dict[str, JsonValue]
    hash: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str
    number: str
    producer: str
    label: str
    made_at: str
    records: list[_Link]
    public_key: str
    signature: str


def write_export(
    head: ExportHead, records: Sequence[ExportRecord], public_key: str, sign: Callable[[bytes], str]
) -> bytes:
    """Return the file. ``public_key`` is 32 bytes in hex; ``sign`` returns the Ed25519 signature of bytes in hex."""
    links, last = [], _START
    for record in records:
        last = _hash(last, record.kind, record.content)
        links.append({"kind": record.kind, "content": dict(record.content), "hash": last})
    told = {"number": head.number, "producer": head.producer, "label": head.label, "made_at": head.made_at.isoformat()}
    file = {
        "format": FORMAT,
        **told,
        "records": links,
        "public_key": public_key,
        "signature": sign(_signed(told, last)),
    }
    return json.dumps(file, ensure_ascii=False, indent=1).encode()


def verify_export(content: bytes, public_key: str | None = None) -> VerifiedExport | ExportRefused:
    """Check a file record by record, then its signature. Needs nothing but the file.

    ``public_key`` is the desk's own, in hex, as it publishes it. Without it the file is only shown to be unchanged
    since whoever holds the key inside it has signed it.
    """
    try:
        file = _File.model_validate_json(content)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(file.public_key))
        signature = bytes.fromhex(file.signature)
    except (ValidationError, ValueError):
        return ExportRefused(ExportFault.NOT_A_COPY)
    if file.format != FORMAT:
        return ExportRefused(ExportFault.NOT_A_COPY)
    last, counts = _START, dict[str, int]()
    for number, link in enumerate(file.records, start=1):
        last = _hash(last, link.kind, link.content)
        if last != link.hash:
            return ExportRefused(ExportFault.RECORD_CHANGED, number)
        counts[link.kind] = counts.get(link.kind, 0) + 1
    told = {"number": file.number, "producer": file.producer, "label": file.label, "made_at": file.made_at}
    try:
        key.verify(signature, _signed(told, last))
    except InvalidSignature:
        return ExportRefused(ExportFault.NOT_SIGNED_BY_KEY)
    if public_key is not None and public_key.strip().lower() != file.public_key:
        return ExportRefused(ExportFault.OTHER_KEY)
    return VerifiedExport(file.number, file.made_at, counts, file.public_key)


def _hash(before: str, kind: str, content: Mapping[str, JsonValue]) -> str:
    return hashlib.sha256(f"{before}\n{kind}\n{_canonical(content)}".encode()).hexdigest()


def _signed(head: Mapping[str, str], last: str) -> bytes:
    return f"{FORMAT}\n{_canonical(head)}\n{last}".encode()


def _canonical(content: Mapping[str, JsonValue]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
