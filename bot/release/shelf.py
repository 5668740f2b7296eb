"""The folder of trained models: a record beside each file, and one small file that says which of them is served.

Every file is written under another name and moved into place whole, and a model is read to its end before it is
served, so that half a file is never loaded, whoever was killed while writing it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.model import Model, model_path

POINTER = "serving.json"
MOST_REMEMBERED = 20
"""Promotions that the pointer keeps, the newest last: as far back as a rollback can go."""

_READ_AT_ONCE = 1024 * 1024
_METADATA = "metadata.json"


class ShelfFault(StrEnum):
    """Why a model cannot be served, or nothing was changed."""

    UNKNOWN = "there is no such model"
    DAMAGED = "the file is damaged or only half written"
    CHANGED = "the file is not the one that was recorded"
    NOTHING_BEFORE = "no other model was served before"
    POINTER = "serving.json cannot be read; promote a model to write it anew"


class Quality(BaseModel):
    """How a model read the held-out messages: ``right`` of ``rows``; ``recall`` of labels where a miss may hurt."""

    model_config = ConfigDict(frozen=True)

    rows: int
    right: int
    macro_f1: float
    recall: dict[str, float]


class ReleaseRecord(BaseModel):
    """What is known of a model file. ``model_id`` is the engine's own, by which every stored turn names its model."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    model_id: str
    engine: str
    trained_at: datetime
    sha256: str
    file_bytes: int
    quality: Quality | None = None


class Promotion(BaseModel):
    """That a model began to be served at an instant (aware)."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    at: datetime


class _Pointer(BaseModel):
    """The file that says what is served: the last of the promotions."""

    model_config = ConfigDict(frozen=True)

    promotions: tuple[Promotion, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on the shelf: its record, or why it cannot be used."""

    fingerprint: str
    record: ReleaseRecord | ShelfFault
    is_served: bool


class Shelf:
    """The folder ``models`` below the project's root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self, fingerprint: str) -> ReleaseRecord | ShelfFault:
        """Return a model's record after reading its file to the end; a file without one is given one."""
        path = model_path(self._folder, fingerprint)
        if not path.is_file():
            return ShelfFault.UNKNOWN
        read = _read(path, fingerprint)
        if isinstance(read, ShelfFault):
            return read
        known = self._known(fingerprint)
        if known is None:
            self._write(self._record_path(fingerprint), read.model_dump_json(indent=1))
            return read
        return known if known.sha256 == read.sha256 else ShelfFault.CHANGED

    def add_quality(self, fingerprint: str, quality: Quality) -> ReleaseRecord | ShelfFault:
        """Keep with a model how well it reads."""
        record = self.record(fingerprint)
        if isinstance(record, ShelfFault):
            return record
        record = record.model_copy(update={"quality": quality})
        self._write(self._record_path(fingerprint), record.model_dump_json(indent=1))
        return record

    def listing(self) -> tuple[Listed, ...]:
        """Return every model that is kept, the newest file first. Reads each to its end."""
        served = self.served_fingerprint()
        return tuple(Listed(name, self.record(name), name == served) for name in self._names())

    def find(self, model_id: str) -> Model | None:
        """Return the model that a stored turn names, None when it is no longer kept or is damaged."""
        names = self._names()
        # Those whose record names it come first: reading every model to its end takes long.
        names.sort(key=lambda name: (known := self._known(name)) is None or known.model_id != model_id)
        for name in names:
            known = self._known(name)
            if known is not None and known.model_id != model_id:
                continue
            record = self.record(name)
            if isinstance(record, ReleaseRecord) and record.model_id == model_id:
                return Model(model_path(self._folder, name), name)
        return None

    def promotions(self) -> tuple[Promotion, ...] | ShelfFault:
        """Return what was served since when, the present one last; empty when nothing was ever promoted."""
        path = self._folder / POINTER
        try:
            return _Pointer.model_validate_json(path.read_text("utf-8")).promotions
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError, ValidationError):
            return ShelfFault.POINTER

    def served_fingerprint(self) -> str | None:
        """Return which model was promoted last, whether or not its file is whole."""
        promotions = self.promotions()
        return promotions[-1].fingerprint if promotions and not isinstance(promotions, ShelfFault) else None

    def served(self) -> Model | ShelfFault | None:
        """Return the model to serve, read to its end; None when nothing was ever promoted."""
        promotions = self.promotions()
        if isinstance(promotions, ShelfFault):
            return promotions
        return self._whole(promotions[-1].fingerprint) if promotions else None

    def last_whole(self) -> Model | None:
        """Return the model promoted last whose file is whole: what to serve when the present one is damaged."""
        promotions = self.promotions()
        if isinstance(promotions, ShelfFault):
            return None
        for promotion in reversed(promotions):
            if isinstance(model := self._whole(promotion.fingerprint), Model):
                return model
        return None

    def promote(self, fingerprint: str, at: datetime) -> ReleaseRecord | ShelfFault:
        """Have a model served from the next start of Rasa on. Refused unless its file is whole."""
        record = self.record(fingerprint)
        if isinstance(record, ShelfFault):
            return record
        before = self.promotions()
        kept = () if isinstance(before, ShelfFault) else before
        if not kept or kept[-1].fingerprint != fingerprint:
            self._point((*kept, Promotion(fingerprint=fingerprint, at=at)))
        return record

    def rollback(self) -> ReleaseRecord | ShelfFault:
        """Go back to the model that was served before the present one. Refused unless its file is whole."""
        promotions = self.promotions()
        if isinstance(promotions, ShelfFault):
            return promotions
        if len(promotions) < 2:
            return ShelfFault.NOTHING_BEFORE
        record = self.record(promotions[-2].fingerprint)
        if isinstance(record, ReleaseRecord):
            self._point(promotions[:-1])
        return record

    def _names(self) -> list[str]:
        paths = sorted(self._folder.glob("desk-*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.name.removeprefix("desk-").removesuffix(".tar.gz") for path in paths]

    def _whole(self, fingerprint: str) -> Model | ShelfFault:
        record = self.record(fingerprint)
        if isinstance(record, ShelfFault):
            return record
        return Model(model_path(self._folder, fingerprint), fingerprint)

    def _point(self, promotions: tuple[Promotion, ...]) -> None:
        pointer = _Pointer(promotions=promotions[-MOST_REMEMBERED:])
        self._write(self._folder / POINTER, pointer.model_dump_json(indent=1))

    def _known(self, fingerprint: str) -> ReleaseRecord | None:
        try:
            return ReleaseRecord.model_validate_json(self._record_path(fingerprint).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            return None  # no record, or half a one: it can be made anew from the file

    def _record_path(self, fingerprint: str) -> Path:
        return self._folder / f"desk-{fingerprint}.json"

    def _write(self, path: Path, text: str) -> None:
        """Write a file that is either the old one or the new one, whenever the machine stops."""
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _read(path: Path, fingerprint: str) -> ReleaseRecord | ShelfFault:
    """Read an archive to its end, which also checks it, and return what it says of itself."""
    metadata: object = None
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None:
                    continue
                with content:
                    is_metadata = member.name.removeprefix("./") == _METADATA
                    whole = b"".join(_blocks(content)) if is_metadata else _skipped(content)
                if whole:
                    metadata = json.loads(whole)
        if not isinstance(metadata, dict):
            return ShelfFault.DAMAGED
        return ReleaseRecord(
            fingerprint=fingerprint,
            model_id=metadata["model_id"],
            engine=metadata["rasa_open_source_version"],
            trained_at=f"{metadata['trained_at']}Z",
            sha256=digest,
            file_bytes=path.stat().st_size,
        )
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, KeyError):
        return ShelfFault.DAMAGED


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    while block := content.read(_READ_AT_ONCE):
        yield block


def _skipped(content: IO[bytes]) -> bytes:
    for _ in _blocks(content):
        pass
    return b""
