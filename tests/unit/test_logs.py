"""Logs say where something went wrong and never with which values."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot import logs


@pytest.mark.parametrize("as_json", [True, False])
def test_a_logged_exception_shows_no_local_value(
    as_json: bool, capsys: pytest.CaptureFixture[str], logging_afterwards: None
) -> None:
    logs.configure(as_json=as_json)
    secret = "13800000009"
    try:
        raise RuntimeError(str(len(secret)))
    except RuntimeError as error:
        structlog.get_logger().error("went_wrong", kind="x", exc_info=error)
    printed = capsys.readouterr()
    assert "went_wrong" in printed.out + printed.err
    assert "13800000009" not in printed.out + printed.err
    if as_json:
        assert json.loads((printed.out + printed.err).splitlines()[-1])["event"] == "went_wrong"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_logged_exception_says_kind_and_place_and_not_its_text(
    as_json: bool, capsys: pytest.CaptureFixture[str], logging_afterwards: None
) -> None:
    logs.configure(as_json=as_json)
    try:
        try:
            int("13800000009 张三")
        except ValueError as error:
            raise RuntimeError("13800000009 张三") from error
    except RuntimeError as error:
        structlog.get_logger().error("went_wrong", kind="x", exc_info=error)
        logging.getLogger("library").error("library failed", exc_info=error)
    printed = capsys.readouterr().out
    assert printed.count("RuntimeError") == printed.count("ValueError") == 2
    assert "test_logs.py" in printed
    assert "13800000009" not in printed
    assert "张三" not in printed


def test_lines_of_libraries_are_json_as_well(capsys: pytest.CaptureFixture[str], logging_afterwards: None) -> None:
    logs.configure(as_json=True)
    logging.getLogger("library").warning("late by %d s", 3)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["level"], line["logger"]) == ("late by 3 s", "warning", "library")


async def test_every_request_has_an_id_of_its_own_in_its_lines_and_its_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(structlog.contextvars.get_contextvars()["request"])
        await PlainTextResponse("ok")(scope, receive, send)

    seen: list[str] = []
    transport = httpx.ASGITransport(logs.RequestIds(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        answers = [await client.get("/", headers={"X-Request-Id": "evil\n"[:4]}) for _ in range(2)]
    assert [answer.headers["x-request-id"] for answer in answers] == seen
    assert len(set(seen)) == 2
    assert "evil" not in seen
    assert "request" not in structlog.contextvars.get_contextvars()


@pytest.fixture
def logging_afterwards() -> Iterator[None]:
    """Put logging back as it was."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
