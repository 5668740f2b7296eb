"""What a file that somebody sends in is, by its bytes: names and declared types say what they like."""

from __future__ import annotations

from enum import StrEnum

LARGEST_UPLOAD = 10_000_000
"""Bytes that are taken of one file."""


class UploadKind(StrEnum):
    """The kinds of files that are taken, as their media types."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"
    MP3 = "audio/mpeg"


class UploadRefusal(StrEnum):
    """Why a file is not taken; ``evidence_…`` in ``data/templates/desk.yml`` has the words."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNKNOWN_KIND = "unknown_kind"


class Brought(StrEnum):
    """What became of a file that a borrower sent; ``evidence_…`` has the words."""

    KEPT = "kept"
    KEPT_FOR_PLAN = "kept_for_plan"
    NO_CASE = "no_case"
    """Nothing of theirs is open that a file could be for and that may be spoken of in this conversation."""
    NOT_VERIFIED = "not_verified"
    """It could only be for the decision on a plan, and is taken from the right party only."""
    NO_CONSENT = "no_consent"
    """It may be about health or means, and the consent of its own that this takes was not given (P6)."""
    ENOUGH = "enough"
    """There are ``sealed_files.MOST_FILES`` already."""


KEEPS = (Brought.KEPT, Brought.KEPT_FOR_PLAN)

_BEGINNINGS = (
    (b"\xff\xd8\xff", UploadKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", UploadKind.PNG),
    (b"%PDF-", UploadKind.PDF),
    (b"ID3", UploadKind.MP3),
)


def judge_upload(content: bytes) -> UploadKind | UploadRefusal:
    """Return what a file is, or why it is not taken."""
    if not content:
        return UploadRefusal.EMPTY
    if len(content) > LARGEST_UPLOAD:
        return UploadRefusal.TOO_LARGE
    found = next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), None)
    return found or UploadRefusal.UNKNOWN_KIND
