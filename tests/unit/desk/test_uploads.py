"""What a file is, by its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.uploads import LARGEST_UPLOAD, UploadKind, UploadRefusal, judge_upload


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"", UploadRefusal.EMPTY),
        (b"\xff\xd8\xff\xe1", UploadKind.JPEG),
        (b"\x89PNG\r\n\x1a\n", UploadKind.PNG),
        (b"%PDF-2.0", UploadKind.PDF),
        (b"ID3\x04", UploadKind.MP3),
        (b"%PDF-" + bytes(LARGEST_UPLOAD - 5), UploadKind.PDF),
        (b"%PDF-" + bytes(LARGEST_UPLOAD - 4), UploadRefusal.TOO_LARGE),
        (b"GIF89a", UploadRefusal.UNKNOWN_KIND),
        (b" %PDF-1.7", UploadRefusal.UNKNOWN_KIND),
    ],
)
def test_bytes_decide(content: bytes, verdict: UploadKind | UploadRefusal) -> None:
    assert judge_upload(content) is verdict


@given(st.binary(max_size=64))
def test_nothing_else_is_taken(content: bytes) -> None:
    if isinstance(judge_upload(content), UploadKind):
        assert content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"%PDF-", b"ID3"))
