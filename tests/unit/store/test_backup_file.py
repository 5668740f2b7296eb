"""A backup's file comes back as it went in, and whatever is done to it in between is noticed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.backup import BackupError, Manifest
from bot.store.backup.container import BLOCK_BYTES, key_id, new_header, read, read_header, write

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
MANIFEST = Manifest({"message": 3, "offer": 1}, "a test")


def written(content: list[bytes], key: bytes | None) -> bytes:
    file = io.BytesIO()
    write(file, new_header("sqlite", "0001", "2026-11-22T00:00:00+00:00", key), key, MANIFEST, content)
    return file.getvalue()


def read_whole(file: bytes, key: bytes | None) -> tuple[Manifest, bytes]:
    _, manifest, content = read(io.BytesIO(file), key)
    return manifest, b"".join(content)


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])
def test_what_went_in_comes_out(key: bytes | None, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert read_whole(written([content[:100], content[100:]], key), key) == (MANIFEST, content)


@given(st.data(), st.sampled_from([None, KEY]))
def test_any_changed_byte_is_noticed(data: st.DataObject, key: bytes | None) -> None:
    file = bytearray(written([b"what people owe " * 50], key))
    place = data.draw(st.integers(0, len(file) - 1))
    file[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BackupError):
        read_whole(bytes(file), key)


@given(st.data(), st.sampled_from([None, KEY]))
def test_a_file_cut_short_is_noticed(data: st.DataObject, key: bytes | None) -> None:
    file = written([b"what people owe " * 50], key)
    with pytest.raises(BackupError):
        read_whole(file[: data.draw(st.integers(0, len(file) - 1))], key)


def test_a_file_that_goes_on_is_noticed() -> None:
    with pytest.raises(BackupError, match="follows its end"):
        read_whole(written([b"x"], KEY) + b"x", KEY)


def test_blocks_of_a_sealed_file_cannot_change_places() -> None:
    file = written([b"a" * BLOCK_BYTES + b"b" * BLOCK_BYTES + b"c"], KEY)
    start = file.index(b"}\n") + 2
    blocks = []
    while start < len(file):
        size = int.from_bytes(file[start : start + 4], "big") & 0x7FFFFFFF
        blocks.append(file[start : start + 4 + size])
        start += 4 + size
    head = file[: file.index(b"}\n") + 2]
    assert read_whole(head + b"".join(blocks), KEY)[0] == MANIFEST
    with pytest.raises(BackupError, match="tampered"):
        read_whole(head + blocks[0] + blocks[2] + blocks[1] + b"".join(blocks[3:]), KEY)


def test_a_sealed_file_shows_nothing_of_its_content() -> None:
    file = written([b"13800000001"], KEY)
    assert b"13800000001" not in file
    assert b"message" not in file


def test_the_wrong_key_is_named_by_its_fingerprint() -> None:
    file = written([b"x"], KEY)
    with pytest.raises(BackupError, match=key_id(KEY)):
        read_whole(file, None)
    with pytest.raises(BackupError, match=f"{key_id(KEY)}.*{key_id(OTHER_KEY)}"):
        read_whole(file, OTHER_KEY)
    assert KEY.hex() not in key_id(KEY)


def test_an_open_file_is_read_although_a_key_is_set_now() -> None:
    assert read_whole(written([b"x"], None), KEY) == (MANIFEST, b"x")


@pytest.mark.parametrize("file", [b"", b"hello", b"desk-backup 1\n", b"desk-backup 1\nnull\n", b"desk-backup 2\n{}\n"])
def test_something_else_is_no_backup(file: bytes) -> None:
    with pytest.raises(BackupError):
        read_header(io.BytesIO(file))
