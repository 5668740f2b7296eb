"""Posting events to the lender's systems, signed, until they are taken: ``docs/integration.md`` is the contract."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import httpx
import structlog

from bot.services import webhooks
from bot.services.deps import Deps
from bot.services.webhooks import Parcel, signature

LEASE = timedelta(seconds=60)
"""Longer than one attempt may take."""

LOOK_SECONDS = 2.0
SECONDS = 10.0
"""What one attempt may take."""

_ABREAST = 8
_CANNOT_HELP = frozenset({400, 405, 410, 413, 415, 422})
"""Answers that say that this very event will never be taken."""

log = structlog.get_logger()


class WebhookSender:
    """A part of the gateway that starts and stops with it. Several gateways share the work by claims."""

    def __init__(self, deps: Deps, look_seconds: float = LOOK_SECONDS) -> None:
        self._deps = deps
        self._look = look_seconds
        # A redirect would lead the event to an address that nobody has registered.
        self._http = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start working in the background and return at once."""
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """Stop. What is being attempted is attempted again by whoever claims it next."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._http.aclose()

    async def round(self) -> int:
        """Attempt what is due, at most one event of each address; returns how many were attempted."""
        parcels = await asyncio.to_thread(webhooks.claim_due, self._deps, _ABREAST, LEASE)
        await asyncio.gather(*(self._attempt(parcel) for parcel in parcels))
        return len(parcels)

    async def _run(self) -> None:
        while True:
            try:
                while await self.round():
                    pass
            except Exception as error:
                log.error("webhook_round_failed", kind=type(error).__name__, exc_info=error)
            await asyncio.sleep(self._look)

    async def _attempt(self, parcel: Parcel) -> None:
        headers = {
            "Content-Type": "application/json",
            "Desk-Event": str(parcel.event.seq),
            "Desk-Signature": signature(parcel.secret, self._deps.now(), parcel.body),
        }
        try:
            status = await self._post(parcel, headers)
        except TimeoutError:
            await self._failed(parcel, "too_slow", is_final=False)
        except Exception as error:  # noqa: BLE001  # an address that cannot be asked is tried no more often than others
            await self._failed(parcel, type(error).__name__, is_final=False)
        else:
            if httpx.codes.is_success(status):
                await asyncio.to_thread(webhooks.delivered, self._deps, parcel)
            else:
                await self._failed(parcel, f"http_{status}", is_final=status in _CANNOT_HELP)

    async def _post(self, parcel: Parcel, headers: dict[str, str]) -> int:
        """Return the status of the answer, whose body is not read: nothing in it is of use, and it may have no end.

        Raises:
            TimeoutError: all of it took longer than ``SECONDS``; a client's own limit is for each piece it reads.
            httpx.HTTPError: there was no answer.
        """
        async with (
            asyncio.timeout(SECONDS),
            self._http.stream("POST", parcel.url, content=parcel.body, headers=headers) as response,
        ):
            return response.status_code

    async def _failed(self, parcel: Parcel, code: str, *, is_final: bool) -> None:
        is_tried_again = await asyncio.to_thread(webhooks.failed, self._deps, parcel, code, is_final=is_final)
        event = "webhook_delayed" if is_tried_again else "webhook_given_up"
        log.warning(event, delivery=parcel.delivery_id, code=code, attempts=parcel.attempts)
