"""Answering stored messages: one conversation at a time and in order, many conversations side by side.

A message is stored before it gets here, and stays ``pending`` in the database until its answer is stored. So nothing is
lost when this process, the engine or the machine dies: the sweep finds what is left over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from bot.channels.rasa_client import EngineDown, RasaClient, Trouble
from bot.desk.ownership import QueueReason
from bot.metrics import TurnOutcome, count_turn
from bot.services import handoff, turns
from bot.services.conversations import Reply
from bot.services.deps import Deps
from bot.services.turns import MAX_ATTEMPTS, Claimed, Understanding

log = structlog.get_logger()

SWEEP_SECONDS = 1.0
OTHERS_FIRST_SECONDS = 2.0
"""How long a gateway whose engine is away leaves a message to the others, which look every ``SWEEP_SECONDS``."""

_OUTCOMES = {
    Trouble.ABSENT: TurnOutcome.ENGINE_ABSENT,
    Trouble.LATE: TurnOutcome.ENGINE_LATE,
    Trouble.FAILED: TurnOutcome.ENGINE_FAILED,
}


class TurnRunner:
    """Answers messages. ``on_typing`` and ``on_change`` tell the channels' live connections."""

    def __init__(
        self,
        deps: Deps,
        rasa: RasaClient,
        on_typing: Callable[[str, bool], None],
        on_change: Callable[[str], None],
        side_by_side: int = 16,
    ) -> None:
        self._deps = deps
        self._rasa = rasa
        self._on_typing = on_typing
        self._on_change = on_change
        self._slots = asyncio.Semaphore(side_by_side)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._engine_away = False
        self._lease = timedelta(seconds=deps.settings.rasa_timeout_seconds + 5)

    def start(self) -> None:
        """Begin to look for messages left unanswered."""
        self._sweeper = asyncio.create_task(self._sweep(), name="turn-sweeper")

    async def stop(self) -> None:
        """Stop; turns under way are cancelled and taken up again by whoever sweeps next."""
        tasks = [task for task in (self._sweeper, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self, conversation_id: str) -> None:
        """Have a conversation's unanswered messages answered soon. Must be called on the event loop."""
        if conversation_id in self._running:
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._answer_all(conversation_id), name=f"turns-{conversation_id}")
        self._running[conversation_id] = task
        task.add_done_callback(partial(self._finished, conversation_id))

    def _finished(self, conversation_id: str, task: asyncio.Task[None]) -> None:
        self._running.pop(conversation_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn_crashed", conversation=conversation_id, kind=type(error).__name__, exc_info=error)
        elif conversation_id in self._again and not task.cancelled():
            self._again.discard(conversation_id)
            self.wake(conversation_id)

    async def _sweep(self) -> None:
        while True:
            try:
                for conversation_id in await asyncio.to_thread(turns.waiting_conversations, self._deps):
                    self.wake(conversation_id)
            except Exception as error:
                log.error("turn_sweep_failed", kind=type(error).__name__, exc_info=error)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _answer_all(self, conversation_id: str) -> None:
        structlog.contextvars.bind_contextvars(conversation=conversation_id)  # of this task and what it calls
        if self._engine_away:
            await asyncio.sleep(OTHERS_FIRST_SECONDS)
            self._engine_away = not await self._rasa.is_ready()
        async with self._slots:
            while await self._answer_next(conversation_id):
                pass

    async def _answer_next(self, conversation_id: str) -> bool:
        claimed = await asyncio.to_thread(turns.claim_next, self._deps, conversation_id, self._lease)
        while claimed is not None:
            if (is_done := await self._answer(claimed)) is not None:
                return is_done
            # Our own engine is still making the answer. Another gateway's would begin it once more beside it.
            claimed = await asyncio.to_thread(turns.claim_again, self._deps, claimed, self._lease)
        return False

    async def _answer(self, claimed: Claimed) -> bool | None:
        """Answer a claimed message; False if it has to wait, None if the answer takes longer than one waits."""
        conversation_id = claimed.conversation_id
        if claimed.attempts > MAX_ATTEMPTS and await self._rasa.is_ready():
            await self._give_up(claimed)
            return True
        began = time.monotonic()
        self._on_typing(conversation_id, True)
        slow = asyncio.create_task(self._say_if_slow(claimed))
        try:
            turn = await self._rasa.turn(claimed)
        except EngineDown as error:
            log.warning("engine_down", conversation=conversation_id, attempt=claimed.attempts, kind=str(error))
            count_turn(_OUTCOMES[error.trouble], time.monotonic() - began)
            if error.trouble is Trouble.LATE:
                return None
            await self._try_later(claimed, error.trouble)
            return False
        finally:
            slow.cancel()
            self._on_typing(conversation_id, False)
        recorded = await asyncio.to_thread(
            turns.record_turn, self._deps, claimed.message_id, turn.replies, turn.understanding
        )
        count_turn(TurnOutcome.ANSWERED if recorded else TurnOutcome.OVERTAKEN, time.monotonic() - began)
        self._on_change(conversation_id)
        return True

    async def _say_if_slow(self, claimed: Claimed) -> None:
        await asyncio.sleep(self._deps.settings.rasa_slow_seconds)
        await asyncio.to_thread(turns.notice_once, self._deps, claimed.message_id, "engine_slow")
        self._on_change(claimed.conversation_id)

    async def _try_later(self, claimed: Claimed, trouble: Trouble) -> None:
        """Give the claim back. An attempt at which no engine was there does not count against the message.

        It is then free at once: another gateway may have an engine.
        """
        self._engine_away = trouble is Trouble.ABSENT
        wait = timedelta(seconds=min(2**claimed.attempts, 15) if trouble is Trouble.FAILED else 0)
        await asyncio.to_thread(turns.notice_once, self._deps, claimed.message_id, "engine_down")
        retry_at, counts = self._deps.now() + wait, trouble is not Trouble.ABSENT
        await asyncio.to_thread(turns.release, self._deps, claimed.message_id, retry_at, counts=counts)
        self._on_change(claimed.conversation_id)

    async def _give_up(self, claimed: Claimed) -> None:
        """The engine is up but cannot answer this message: a person will."""
        began = time.monotonic()
        log.error("turn_given_up", conversation=claimed.conversation_id, attempts=claimed.attempts)
        await asyncio.to_thread(handoff.ask_human, self._deps, claimed.conversation_id, QueueReason.NOT_UNDERSTOOD)
        words = Reply(self._deps.wording.one("engine_gave_up"))
        await asyncio.to_thread(
            turns.record_turn, self._deps, claimed.message_id, (words,), Understanding(actions=("gave_up",))
        )
        count_turn(TurnOutcome.GIVEN_UP, time.monotonic() - began)
        self._on_change(claimed.conversation_id)
