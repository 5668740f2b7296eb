"""Handing over the one-time codes that wait, at once after each answer and whatever a crash has left."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog

from bot.channels.pacing import Pace, pause, whereabouts
from bot.services import code_letters
from bot.services.code_letters import Letter
from bot.services.deps import CodeFate, CodeSender, Deps

ABREAST = 4
MISSED_AFTER = 3
"""Attempts in vain, some seconds, after which somebody waits for a code: an alarm counts each code once."""
LEASE = timedelta(minutes=1)
"""Longer than one attempt takes with the connection, the request and the answer each running into their time limit."""

log = structlog.get_logger()


class CodeDelivery:
    """A part of the gateway that starts and stops with it. Several of them share the work by claims.

    Where codes are shown in the chat there is nothing to do, and it never looks.
    """

    def __init__(self, deps: Deps, pace: Pace | None = None) -> None:
        self._deps = deps
        self._pace = pace or Pace(look=1.0)
        self._nudged = asyncio.Event()
        self._stopping = asyncio.Event()
        # Threads of its own: a service that hangs must not keep anything else waiting.
        self._threads = ThreadPoolExecutor(ABREAST, thread_name_prefix="codes")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start working in the background and return at once."""
        if self._deps.code_sender is not None:
            self._task = asyncio.create_task(self._run(self._deps.code_sender), name="codes")

    async def stop(self) -> None:
        """Finish what is being handed over. What waits is left to whoever looks next."""
        self._stopping.set()
        self._nudged.set()
        if self._task is not None:
            await self._task
        self._threads.shutdown(wait=False)

    def nudge(self) -> None:
        """Look now. Call it on the event loop."""
        self._nudged.set()

    async def round(self, sender: CodeSender) -> int:
        """Hand over what is due, at most ``ABREAST`` codes; returns how many were attempted."""
        letters = await asyncio.to_thread(code_letters.claim_due, self._deps, ABREAST, LEASE)
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(
            *(loop.run_in_executor(self._threads, self._deliver, sender, letter) for letter in letters),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(letters)

    async def _run(self, sender: CodeSender) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                worked = await self.round(sender)
            except Exception as error:  # noqa: BLE001  # nothing may end delivery for everybody
                failures += 1
                log.error("code_round_failed", kind=type(error).__name__, at=whereabouts(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
                continue
            failures = 0
            if not worked:
                await pause(self._nudged, self._pace.look)

    def _deliver(self, sender: CodeSender, letter: Letter) -> None:
        match sender.send(letter.id, letter.phone, letter.code):
            case CodeFate.TAKEN:
                code_letters.done(self._deps, letter)
            case CodeFate.NEVER:
                code_letters.done(self._deps, letter)
                log.error("code_not_sent", letter=letter.id, attempts=letter.attempts)
            case CodeFate.LATER:
                waits = code_letters.put_off(self._deps, letter)
                if letter.attempts == MISSED_AFTER:
                    log.error("code_not_sent", letter=letter.id, attempts=letter.attempts)
                elif not waits:
                    log.warning("code_given_up", letter=letter.id, attempts=letter.attempts)
