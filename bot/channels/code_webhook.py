"""Sending one-time codes through the lender's own text-message service."""

from __future__ import annotations

import httpx
import structlog

log = structlog.get_logger()


class WebhookCodeSender:
    """Posts ``{"phone": …, "code": …}`` to the lender's service; any 2xx means that it took the code for delivery."""

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        self._http = httpx.Client(timeout=timeout_seconds)
        self._url = url

    def send(self, phone: str, code: str) -> bool:
        """Hand a code over; False when the service is away or refuses. Logs neither phone nor code."""
        try:
            response = self._http.post(self._url, json={"phone": phone, "code": code})
        except httpx.HTTPError as error:
            log.error("code_not_sent", kind=type(error).__name__)
            return False
        if not response.is_success:
            log.error("code_not_sent", status=response.status_code)
        return response.is_success
