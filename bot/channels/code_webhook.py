"""Sending one-time codes through the lender's own text-message service."""

from __future__ import annotations

import httpx
import structlog

from bot.services.deps import CodeFate

_CANNOT_HELP = frozenset({400, 410, 413, 415, 422})
"""Answers that say that this very code will never be taken."""

log = structlog.get_logger()


class WebhookCodeSender:
    """Posts ``{"phone": …, "code": …}`` with a key; any 2xx means that the service took the code for delivery."""

    def __init__(self, url: str, key: str, timeout_seconds: float = 5.0) -> None:
        # A redirect would lead the code to an address that nobody has set.
        self._http = httpx.Client(
            timeout=timeout_seconds, headers={"Authorization": f"Bearer {key}"}, follow_redirects=False
        )
        self._url = url

    def send(self, letter_id: str, phone: str, code: str) -> CodeFate:
        """Hand a code over. Logs neither phone nor code."""
        try:
            response = self._http.post(
                self._url, json={"phone": phone, "code": code}, headers={"Idempotency-Key": letter_id}
            )
        except httpx.HTTPError as error:
            log.warning("code_attempt_failed", kind=type(error).__name__)
            return CodeFate.LATER
        if response.is_success:
            return CodeFate.TAKEN
        log.warning("code_attempt_failed", status=response.status_code)
        return CodeFate.NEVER if response.status_code in _CANNOT_HELP else CodeFate.LATER
