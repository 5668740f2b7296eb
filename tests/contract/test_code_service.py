"""One-time codes over real HTTP: what the lender's service gets, and what its answers lead to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from bot.channels.code_webhook import WebhookCodeSender
from bot.services.deps import CodeFate
from tests.doubles.code_service import KEY, CodeService

pytestmark = pytest.mark.timeout(60)

PHONE, CODE = "13800000001", "271828"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeService]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with CodeService() as running:
        yield running


def test_a_code_goes_with_its_phone_to_a_service_that_knows_the_desk_by_its_key(service: CodeService) -> None:
    assert WebhookCodeSender(service.url, KEY).send("letter-1", PHONE, CODE) is CodeFate.TAKEN
    assert service.taken == [(PHONE, CODE)]


def test_a_code_whose_receipt_was_lost_is_offered_again_under_its_id(service: CodeService) -> None:
    service.answers.append(0)
    sender = WebhookCodeSender(service.url, KEY)
    assert sender.send("letter-1", PHONE, CODE) is CodeFate.LATER
    assert sender.send("letter-1", PHONE, CODE) is CodeFate.TAKEN
    assert service.letters == ["letter-1", "letter-1"]
    assert len(service.taken) == 1


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        *((status, CodeFate.LATER) for status in (302, 401, 403, 404, 408, 429, 500, 503)),
        *((status, CodeFate.NEVER) for status in (400, 410, 422)),
    ],
)
def test_what_is_not_taken_is_seen_in_the_log_without_phone_or_code(
    service: CodeService, status: int, fate: CodeFate
) -> None:
    service.answers.append(status)
    with structlog.testing.capture_logs() as logged:
        assert WebhookCodeSender(service.url, KEY).send("letter-1", PHONE, CODE) is fate
    assert logged == [{"event": "code_attempt_failed", "status": status, "log_level": "warning"}]
    assert (service.taken, len(service.letters)) == ([], 1), "a redirect is not followed"


def test_a_wrong_key_gets_no_code_out(service: CodeService) -> None:
    other = WebhookCodeSender(service.url, "another-key-that-the-service-has-never-seen")
    assert other.send("letter-1", PHONE, CODE) is CodeFate.LATER
    assert service.taken == []


def test_a_service_that_is_away_is_seen_in_the_log() -> None:
    with structlog.testing.capture_logs() as logged:
        assert WebhookCodeSender("http://127.0.0.1:1/codes", KEY).send("letter-1", PHONE, CODE) is CodeFate.LATER
    assert logged == [{"event": "code_attempt_failed", "kind": "ConnectError", "log_level": "warning"}]
