"""A copy of data shows by itself whether it is whole, unchanged and the desk's."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.export_chain import (
    ExportFault,
    ExportHead,
    ExportRecord,
    ExportRefused,
    VerifiedExport,
    verify_export,
    write_export,
)
from bot.store.vault import Vault

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
DESK, OTHER = (Vault(key, key) for key in KEYS)
HEAD = ExportHead("SJ1", "示例银行", "由 AI 助手生成", datetime(2026, 11, 22, tzinfo=UTC))
RECORDS = [
    ExportRecord("person", {"name": "王小明"}),
    ExportRecord("debt", {"fen": 1}),
    ExportRecord("debt", {"fen": 2}),
]
FILE = write_export(HEAD, RECORDS, DESK.public_key(), DESK.sign)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def changed(change: Any) -> bytes:
    file = json.loads(FILE)
    change(file)
    return json.dumps(file, ensure_ascii=False).encode()


@given(st.lists(st.builds(ExportRecord, st.text(min_size=1), st.dictionaries(st.text(), values)), max_size=6))
def test_what_was_written_is_whole(records: list[ExportRecord]) -> None:
    found = verify_export(write_export(HEAD, records, DESK.public_key(), DESK.sign), DESK.public_key())
    assert isinstance(found, VerifiedExport), found
    assert sum(found.counts.values()) == len(records)


@pytest.mark.parametrize(
    ("change", "fault", "record"),
    [
        (lambda file: file["records"][1]["content"].update(fen=9), ExportFault.RECORD_CHANGED, 2),
        (lambda file: file["records"].reverse(), ExportFault.RECORD_CHANGED, 1),
        (lambda file: file["records"].pop(1), ExportFault.RECORD_CHANGED, 2),
        (lambda file: file["records"].pop(), ExportFault.NOT_SIGNED_BY_KEY, None),
        (lambda file: file.update(producer="别家"), ExportFault.NOT_SIGNED_BY_KEY, None),
        (lambda file: file.update(made_at="2020-01-01T00:00:00+00:00"), ExportFault.NOT_SIGNED_BY_KEY, None),
        (lambda file: file.update(public_key=OTHER.public_key()), ExportFault.NOT_SIGNED_BY_KEY, None),
        (lambda file: file.update(signature="zz"), ExportFault.NOT_A_COPY, None),
        (lambda file: file.update(format="other/1"), ExportFault.NOT_A_COPY, None),
        (lambda file: file.pop("records"), ExportFault.NOT_A_COPY, None),
    ],
)
def test_whatever_was_changed_shows(change: Any, fault: ExportFault, record: int | None) -> None:
    assert verify_export(changed(change)) == ExportRefused(fault, record)


def test_a_file_that_somebody_else_signed_whole_is_not_the_desks() -> None:
    forged = write_export(HEAD, RECORDS, OTHER.public_key(), OTHER.sign)
    assert isinstance(verify_export(forged), VerifiedExport)
    assert verify_export(forged, DESK.public_key()) == ExportRefused(ExportFault.OTHER_KEY)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"%PDF-1.7", b"\xff\xfe", b'{"format": 1}'])
def test_what_is_no_copy_is_refused(content: bytes) -> None:
    assert verify_export(content) == ExportRefused(ExportFault.NOT_A_COPY)
