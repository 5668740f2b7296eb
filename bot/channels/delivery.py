"""Delivering what waits in the outbox, the same for every channel that is pushed to.

A channel says how to send one message and what became of it; claiming, order, retries and the record are here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from bot.channels.pacing import Pace, pause, whereabouts
from bot.metrics import DeliveryOutcome, count_delivery
from bot.services.deps import Deps
from bot.services.intake import is_outage
from bot.services.mailboxes import mark_unreachable, move_address
from bot.services.outbox import (
    OutboxItem,
    begin_attempt,
    claim_due,
    mark_dead,
    mark_failed,
    mark_sent,
    mark_unknown,
    retry_delay,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Taken:
    """The channel took the message, under an id of its own if it has such."""

    channel_message_id: str


@dataclass(frozen=True, slots=True)
class Later:
    """It surely did not arrive, and may another time; ``after`` is what the channel asks for."""

    code: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """It can never arrive. ``unreachable``: nothing else will at this address; ``defect``: the fault is the desk's."""

    code: str
    unreachable: bool = False
    defect: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have arrived or not."""

    code: str


@dataclass(frozen=True, slots=True)
class Moved:
    """It did not arrive: the address is another one now."""

    address: str


Outcome = Taken | Later | Never | Unclear | Moved


@dataclass(frozen=True, slots=True)
class Lane:
    """How a channel is worked off: so many messages at a time, so many of them side by side.

    ``lease`` is longer than a whole batch can take with every request running into its time limit; what takes longer
    all the same is not sent. ``may_repeat``: the channel recognises a message that it gets twice by its key.
    """

    channel: str
    batch: int = 20
    abreast: int = 20
    lease: timedelta = timedelta(minutes=3)
    may_repeat: bool = False


class Delivery:
    """The delivery loop of one channel."""

    def __init__(
        self,
        deps: Deps,
        lane: Lane,
        send: Callable[[OutboxItem], Awaitable[Outcome]],
        stopping: asyncio.Event,
        pace: Pace,
    ) -> None:
        self._deps = deps
        self._lane = lane
        self._send = send
        self._stopping = stopping
        self._pace = pace
        self._nudged = asyncio.Event()
        self._places = asyncio.Semaphore(lane.abreast)
        self._log = structlog.get_logger(__name__).bind(channel=lane.channel)

    def nudge(self) -> None:
        """Look at the outbox now. Call it on the event loop."""
        self._nudged.set()

    async def run(self) -> None:
        """Deliver until told to stop; what is being sent then is finished and recorded first."""
        failures = 0
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                worked = await self._deliver_due()
            except Exception as error:  # noqa: BLE001  # nothing may end delivery for everybody
                failures += 1
                self._log.error("outbox_failed", error=type(error).__name__, at=whereabouts(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
                continue
            failures = 0
            if not worked:
                await pause(self._nudged, self._pace.look)

    async def database(self, work: Callable[[], Result]) -> Result:
        """Ask or tell the database, however long it is away: a delivery that is not recorded would happen again."""
        failures = 0
        while True:
            try:
                return await asyncio.to_thread(work)
            except Exception as error:
                if not is_outage(error) or self._stopping.is_set():
                    raise
                failures += 1
                self._log.warning("outbox_database_away", error=type(error).__name__, failures=failures)
                await pause(self._stopping, self._pace.pause(failures))

    async def _deliver_due(self) -> bool:
        lane = self._lane
        claim = partial(claim_due, self._deps, lane.channel, lane.batch, lane.lease, may_repeat=lane.may_repeat)
        items = await asyncio.to_thread(claim)
        # Each is of another conversation, so one slow address holds up nobody else.
        results = await asyncio.gather(*(self._deliver(item) for item in items), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(items)

    async def _deliver(self, item: OutboxItem) -> None:
        async with self._places:
            if not await self.database(partial(begin_attempt, self._deps, item)):
                self._log.warning("outbox_claim_ended", outbox_id=item.outbox_id)
                return
            outcome = await self._attempt(item)
        await self._record(item, outcome)

    async def _attempt(self, item: OutboxItem) -> Outcome:
        try:
            return await self._send(item)
        except Exception as error:  # noqa: BLE001  # one odd message must not be tried for ever, nor stop the others
            self._log.error(
                "outbox_failed", outbox_id=item.outbox_id, error=type(error).__name__, at=whereabouts(error)
            )
            return Unclear("defect")

    async def _record(self, item: OutboxItem, outcome: Outcome) -> None:
        deps, outbox_id = self._deps, item.outbox_id
        match outcome:
            case Taken(channel_message_id):
                await self.database(partial(mark_sent, deps, outbox_id, channel_message_id))
                self._count(DeliveryOutcome.SENT)
            case Unclear(code) if item.is_notice and not self._lane.may_repeat:
                self._log.warning("notice_fate_unknown", outbox_id=outbox_id, code=code)
                await self.database(partial(mark_unknown, deps, outbox_id, code))
                self._count(DeliveryOutcome.UNKNOWN)
            case Later(code) | Unclear(code):
                await self._put_off(item, code, outcome.after if isinstance(outcome, Later) else None)
            case Moved(address):
                if await self.database(partial(move_address, deps, item.conversation_id, address)):
                    await self._put_off(item, "moved", timedelta(0))
                else:
                    await self.database(partial(mark_dead, deps, outbox_id, "moved"))
                    self._count(DeliveryOutcome.UNDELIVERABLE)
            case Never(code, unreachable=unreachable, defect=defect):
                # A defect of ours must be seen; an address that takes nothing any more is everyday.
                log = self._log.error if defect else self._log.info
                log("message_undeliverable", outbox_id=outbox_id, code=code)
                await self.database(partial(mark_dead, deps, outbox_id, code))
                self._count(DeliveryOutcome.UNDELIVERABLE)
                if unreachable:
                    await self.database(partial(mark_unreachable, deps, item.conversation_id, code))

    async def _put_off(self, item: OutboxItem, code: str, asked: timedelta | None) -> None:
        delay = retry_delay(item.attempts) if asked is None else asked
        retry_at = self._deps.now() + delay
        record = partial(mark_failed, self._deps, item.outbox_id, retry_at, code, item.attempts)
        if await self.database(record):
            self._count(DeliveryOutcome.DELAYED)
            self._log.warning("message_delayed", outbox_id=item.outbox_id, code=code, seconds=delay.total_seconds())
        else:
            self._count(DeliveryOutcome.GIVEN_UP)
            self._log.warning("message_given_up", outbox_id=item.outbox_id, code=code)

    def _count(self, outcome: DeliveryOutcome) -> None:
        count_delivery(self._lane.channel, outcome)


class PushChannel:
    """A channel that only pushes: a part of the gateway that starts and stops with it.

    ``send`` may block: it is called on threads, ``Lane.abreast`` of them at most. ``close`` is called once, at the end.
    """

    def __init__(
        self,
        deps: Deps,
        lane: Lane,
        send: Callable[[OutboxItem], Outcome],
        close: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self._stopping = asyncio.Event()
        self._close = close

        async def on_a_thread(item: OutboxItem) -> Outcome:
            return await asyncio.to_thread(send, item)

        self._delivery = Delivery(deps, lane, on_a_thread, self._stopping, pace or Pace(look=2.0))
        self._channel = lane.channel
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start working in the background and return at once. A channel is started once."""
        self._task = asyncio.create_task(self._delivery.run(), name=self._channel)

    async def stop(self) -> None:
        """Finish the messages in hand, then close what is open."""
        self._stopping.set()
        self._delivery.nudge()
        if self._task is not None:
            await self._task
        await asyncio.to_thread(self._close)
