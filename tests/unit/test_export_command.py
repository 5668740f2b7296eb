"""`bot export verify`: anybody can check a copy of data with the file alone."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.documents.export_chain import ExportHead, ExportRecord, write_export
from bot.store.vault import Vault

KEY = base64.b64encode(bytes(32)).decode()
DESK = Vault(KEY, KEY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    head = ExportHead("SJ1", "示例银行", "由 AI 助手生成", datetime(2026, 11, 22, tzinfo=UTC))
    path = tmp_path / "副本.json"
    path.write_bytes(write_export(head, [ExportRecord("debt", {"fen": 1})], DESK.public_key(), DESK.sign))
    return path


def test_a_whole_copy_is_counted(file: Path) -> None:
    result = CliRunner().invoke(app, ["export", "verify", str(file), "--public-key", DESK.public_key()])
    assert result.exit_code == 0, result.output
    assert "SJ1" in result.output
    assert "debt 1" in result.output


def test_a_changed_copy_names_the_record_and_fails(file: Path) -> None:
    file.write_text(file.read_text("utf-8").replace('"fen": 1', '"fen": 2'), "utf-8")
    result = CliRunner().invoke(app, ["export", "verify", str(file)])
    assert result.exit_code == 1
    assert "record_changed (record 1)" in result.output


def test_another_key_is_not_the_desks(file: Path) -> None:
    result = CliRunner().invoke(app, ["export", "verify", str(file), "--public-key", "0" * 64])
    assert result.exit_code == 1
    assert "other_key" in result.output
