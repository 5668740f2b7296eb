"""Logs say where something went wrong and never with which values."""

from __future__ import annotations

import json

import pytest
import structlog

from bot import logs


@pytest.mark.parametrize("as_json", [True, False])
def test_a_logged_exception_shows_no_local_value(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    logs.configure(as_json=as_json)
    try:
        secret = "13800000009"
        try:
            raise RuntimeError(str(len(secret)))
        except RuntimeError as error:
            structlog.get_logger().error("went_wrong", kind="x", exc_info=error)
    finally:
        structlog.configure(**before)
    printed = capsys.readouterr()
    assert "went_wrong" in printed.out + printed.err
    assert "13800000009" not in printed.out + printed.err
    if as_json:
        assert json.loads((printed.out + printed.err).splitlines()[-1])["event"] == "went_wrong"
