"""The file a backup is kept in: a line of plain facts, then blocks that cannot be changed, cut or moved unnoticed.

With a key each block is AES-256-GCM under a key of this file alone; its number, whether it is the last one and the
plain facts are bound in. Without a key each block carries the running SHA-256 of all before it: damage is found, a
forger is not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK_BYTES = 1 << 20
"""How much of the copy one block holds before it is compressed."""

_MAGIC = b"desk-backup 1\n"
_HEADER_MAXIMUM = 4096
_LENGTH = struct.Struct(">I")
_LAST = 1 << 31
"""Set in a block's length when no other follows."""
_STORED_MAXIMUM = BLOCK_BYTES + (1 << 16)
"""No block is longer than this in the file, so that a damaged length cannot ask for the memory of the machine."""


class BackupError(Exception):
    """A backup cannot be made, read or restored. The text says what to do and holds no data."""


@dataclass(frozen=True, slots=True)
class Header:
    """What can be read of a backup without a key."""

    engine: str
    """``sqlite`` or ``postgresql``: a copy goes back only to the kind of database that it came from."""
    revision: str
    """The schema of the copy."""
    made_at: str
    """ISO 8601, UTC."""
    salt: str
    """Hexadecimal; makes the file's own key."""
    key_id: str | None
    """Fingerprint of the backup key; None for a backup that is not encrypted."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in the copy: rows by table, in the state that was copied, and what wrote it."""

    rows: dict[str, int]
    written_by: str

    @property
    def total(self) -> int:
        """Rows of all tables together."""
        return sum(self.rows.values())


class _Guard(Protocol):
    def close(self, number: int, is_last: bool, content: bytes) -> bytes: ...
    def open(self, number: int, is_last: bool, stored: bytes) -> bytes: ...


def key_id(key: bytes) -> str:
    """Return the fingerprint of a key, 12 hexadecimal characters; it does not tell the key."""
    return hmac.new(key, b"backup key", hashlib.sha256).hexdigest()[:12]


def new_header(engine: str, revision: str, made_at: str, key: bytes | None) -> Header:
    """Return the header of a new file."""
    return Header(engine, revision, made_at, secrets.token_hex(16), key_id(key) if key is not None else None)


def write(target: BinaryIO, header: Header, key: bytes | None, manifest: Manifest, content: Iterable[bytes]) -> None:
    """Write a whole backup; ``content`` may come in pieces of any size."""
    facts = json.dumps(asdict(header), sort_keys=True).encode() + b"\n"
    target.write(_MAGIC + facts)
    guard = _guard(header, facts, key)
    described = json.dumps(asdict(manifest), sort_keys=True).encode()
    blocks = _one_ahead(_chain(described, _blocks(content)))
    for number, (block, is_last) in enumerate(blocks):
        stored = guard.close(number, is_last, zlib.compress(block, 6))
        target.write(_LENGTH.pack(len(stored) | (_LAST if is_last else 0)) + stored)


def read_header(source: BinaryIO) -> Header:
    """Read the plain facts at the start of a file.

    Raises:
        BackupError: this is no backup, or one of a later form.
    """
    return _header(source)[0]


def read(source: BinaryIO, key: bytes | None) -> tuple[Header, Manifest, Iterator[bytes]]:
    """Return header, manifest and the copy's pieces; each piece is checked before it is handed out.

    The copy is whole only once the iterator has ended by itself.

    Raises:
        BackupError: the file is damaged, cut short, or made with another key.
    """
    header, facts = _header(source)
    pieces = _opened(source, _guard(header, facts, key))
    try:
        described = json.loads(next(pieces))
        manifest = Manifest({str(name): int(rows) for name, rows in described["rows"].items()}, described["written_by"])
    except (StopIteration, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError("the backup is damaged: it does not say what is in it") from error
    return header, manifest, pieces


def _header(source: BinaryIO) -> tuple[Header, bytes]:
    if source.read(len(_MAGIC)) != _MAGIC:
        raise BackupError("this is not a backup of the desk, or one made by a later release")
    facts = source.readline(_HEADER_MAXIMUM)
    try:
        header = Header(**json.loads(facts))
        if not all(isinstance(fact, str) for fact in (header.engine, header.revision, header.made_at, header.salt)):
            raise TypeError
        return header, facts
    except (ValueError, TypeError) as error:
        raise BackupError("the backup is damaged at its beginning") from error


def _opened(source: BinaryIO, guard: _Guard) -> Iterator[bytes]:
    number, is_last = 0, False
    while not is_last:
        length = source.read(_LENGTH.size)
        if len(length) != _LENGTH.size:
            raise BackupError("the backup is cut short")
        (told,) = _LENGTH.unpack(length)
        is_last, size = bool(told & _LAST), told & ~_LAST
        stored = source.read(size) if size <= _STORED_MAXIMUM else b""
        if len(stored) != size:
            raise BackupError("the backup is cut short or damaged")
        yield _unpacked(guard.open(number, is_last, stored))
        number += 1
    if source.read(1):
        raise BackupError("the backup is damaged: something follows its end")


def _unpacked(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        block = unpacking.decompress(packed, BLOCK_BYTES + 1)
    except zlib.error as error:
        raise BackupError("the backup is damaged") from error
    if not unpacking.eof or len(block) > BLOCK_BYTES:
        raise BackupError("the backup is damaged")
    return block


def _guard(header: Header, facts: bytes, key: bytes | None) -> _Guard:
    if header.key_id is None:
        return _Summed(facts)
    if key is None:
        raise BackupError(f"the backup is encrypted: set DESK_BACKUP_KEY to the key {header.key_id}")
    if key_id(key) != header.key_id:
        raise BackupError(f"the backup was made with the key {header.key_id}; DESK_BACKUP_KEY is {key_id(key)}")
    return _Sealed(hmac.new(key, b"backup file\0" + header.salt.encode(), hashlib.sha256).digest(), facts)


class _Sealed:
    """Encrypts each block under this file's own key; the nonce is its number and whether it is the last."""

    def __init__(self, key: bytes, facts: bytes) -> None:
        self._cipher = AESGCM(key)
        self._facts = facts

    def close(self, number: int, is_last: bool, content: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce(number, is_last), content, self._facts)

    def open(self, number: int, is_last: bool, stored: bytes) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(number, is_last), stored, self._facts)
        except InvalidTag as error:
            raise BackupError(f"the backup is damaged or was tampered with (block {number})") from error

    @staticmethod
    def _nonce(number: int, is_last: bool) -> bytes:
        return (number << 1 | is_last).to_bytes(12, "big")


class _Summed:
    """Puts the running SHA-256 behind each block."""

    def __init__(self, facts: bytes) -> None:
        self._sum = hashlib.sha256(facts)

    def close(self, number: int, is_last: bool, content: bytes) -> bytes:
        return content + self._next(number, is_last, content)

    def open(self, number: int, is_last: bool, stored: bytes) -> bytes:
        content, told = stored[: -self._sum.digest_size], stored[-self._sum.digest_size :]
        if self._next(number, is_last, content) != told:
            raise BackupError(f"the backup is damaged: its checksum is wrong (block {number})")
        return content

    def _next(self, number: int, is_last: bool, content: bytes) -> bytes:
        self._sum.update(b"%d %d\0" % (number, is_last) + content)
        return self._sum.digest()


def _blocks(content: Iterable[bytes]) -> Iterator[bytes]:
    kept = bytearray()
    for piece in content:
        kept += piece
        while len(kept) >= BLOCK_BYTES:
            yield bytes(kept[:BLOCK_BYTES])
            del kept[:BLOCK_BYTES]
    yield bytes(kept)


def _chain(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _one_ahead(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each block with whether it is the last."""
    before = next(blocks)
    for block in blocks:
        yield before, False
        before = block
    yield before, True
