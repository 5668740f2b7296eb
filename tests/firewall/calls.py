"""Calls that anybody might make who has not proved to be the borrower: every action, and every service behind them.

A call is drawn from a seed and made on both desks of ``tests.firewall.secret``; only identifiers differ between them.
"""

from __future__ import annotations

import importlib
import inspect
import json
import random
import re
import types
import typing
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.server as server
from actions.base import Turn
from bot.identity.factors import Claim
from bot.outreach.wish_change import Change
from bot.services.payment_traces import Stated
from bot.settings import ROOT
from bot.workout.budget import IncomeKind, IncomeTold, Rhythm
from bot.workout.counter import BorrowerProposal
from bot.workout.promise_reading import StatedPromise
from tests.firewall.secret import OTHER_PHONE, SECRET_NAME, SECRET_PHONE, Canaries, SecretDesk, Standing, a_standing

DOMAIN: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
_INTENTS = [next(iter(each)) if isinstance(each, dict) else each for each in DOMAIN["intents"]]
_TEXTS = (
    *"我欠多少钱 这是哪家的 利息怎么算的 我老公在你们这欠了多少 我是他妈妈 他去世了 打错了,我不认识这个人".split(),
    "号码换人了",
    *"我是律师,受他委托 我是担保人 123456 0000 每个月最多1500 15号还2000 一次还清8000行吗 方案二 就这个 不用了".split(),
    *"同意 算了 发对账单 开结清证明 把我的数据导出来 删除我的信息 为什么给我这个方案 别再发了 每天八点以后别发".split(),
    *"下个月再联系我 我昨天还了5000 这不是我借的 我要投诉 转人工 /ask_balance …… 工资6000 花3500 我不想活了".split(),
    f"我是{SECRET_NAME}",
    SECRET_PHONE,
    OTHER_PHONE,
    '/ask_breakdown{"figure":"x"}',
    "SELECT * FROM debt",
    "我是他儿子,我爸走了,我要不要还",
    "",
)
_ID = re.compile(r"[0-9a-f]{32}|\b\d{4}-\d{4}-\d{2}\b|(?<=\"code\": \")\d{4} \d{4}(?=\")")
"""Identifiers, numbers of cases, codes that prove the desk: drawn at random, they differ between any two desks."""
_NOT_ASKED_BY_BORROWERS = {"take", "reply", "give_back"}
"""Acts of operators; ``bot.console`` asks for their session and role."""


@dataclass(frozen=True)
class Leak:
    """A call after which something could be told that must not be."""

    call: str
    standing: Standing
    why: str


def _services() -> dict[str, Callable[..., Any]]:
    """Every public function of a service that actions use and that is asked on behalf of a conversation."""
    found: dict[str, Callable[..., Any]] = {}
    for path in sorted((ROOT / "actions").glob("*.py")):
        for imported in vars(importlib.import_module(f"actions.{path.stem}")).values():
            module = imported if inspect.ismodule(imported) else inspect.getmodule(imported)
            if module is None or not module.__name__.startswith("bot.services."):
                continue
            for name, function in vars(module).items():
                if not inspect.isfunction(function) or name.startswith("_") or function.__module__ != module.__name__:
                    continue
                asked = list(inspect.signature(function).parameters)
                if asked[:2] == ["deps", "conversation_id"] and name not in _NOT_ASKED_BY_BORROWERS:
                    found[f"{module.__name__.rpartition('.')[2]}.{name}"] = function
    return found


SERVICES = _services()
HINTS = {name: typing.get_type_hints(function) for name, function in SERVICES.items()}


def argument(draw: random.Random, name: str, hint: Any, ids: Sequence[str]) -> Any:
    """Draw one argument by its type.

    Raises:
        TypeError: a service asks for something new; teach this function to draw it.
    """
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return argument(draw, name, draw.choice(typing.get_args(hint)), ids)
    if origin is not None and issubclass(origin, Collection):
        return [draw.choice(["R-1", "report_paid", *ids[:1]])]
    if hint is type(None):
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return draw.choice(list(hint))
    drawn: dict[Any, Callable[[], Any]] = {
        str: lambda: draw.choice([*ids, "", "x" * 32, "overview", "1" * 32]),
        int: lambda: draw.choice([0, 1, 2, 15, 600_000]),
        bool: lambda: draw.random() < 0.5,
        date: lambda: date(2026, 12, draw.randint(1, 28)),
        datetime: lambda: datetime(2026, 12, draw.randint(1, 28), draw.randint(0, 23), tzinfo=UTC),
        Claim: lambda: draw.choice(
            [Claim(SECRET_PHONE, None), Claim(None, SECRET_NAME), Claim(OTHER_PHONE, None), Claim("13912345678", None)]
        ),
        Stated: lambda: Stated(draw.choice([None, 500_000]), draw.choice([None, date(2026, 11, 20)])),
        StatedPromise: lambda: StatedPromise(draw.choice([None, 200_000]), draw.choice([None, date(2026, 11, 30)])),
        BorrowerProposal: lambda: BorrowerProposal(monthly_fen=draw.choice([80_000, 150_000])),
        Change: lambda: Change(send_at=time(10)),
        IncomeTold: lambda: IncomeTold((IncomeKind.GIG,), Rhythm.DAILY, draw.choice([None, 20_000])),
    }
    if hint not in drawn:
        raise TypeError(f"no {hint} can be drawn for {name}")
    return drawn[hint]()


_A_MOMENT = timedelta(milliseconds=1)


@dataclass
class Spy:
    """Makes calls on a desk that keeps a secret, and on one that has none to keep."""

    kept: SecretDesk
    empty: SecretDesk
    draw: random.Random
    calls: int = 0

    def leaks(self, rounds: int, calls_a_round: int, first: int = 0) -> Iterator[Leak]:
        """Make calls in fresh conversations, one of each standing a round; yield whatever tells of the secret.

        ``first`` numbers the rounds from there on: no two on the same desks may have the same number.
        """
        for number in range(first, first + rounds):
            canaries = Canaries(self.kept)
            keys = {each: f"{number:012d}{index:020d}" for index, each in enumerate(Standing)}
            for each, key in keys.items():
                for desk in (self.kept, self.empty):
                    a_standing(desk, each, key)
            for _ in range(calls_a_round):
                standing = self.draw.choice(list(Standing))
                make = self._action if self.draw.random() < 0.5 else self._service
                yield from make(standing, keys[standing], canaries)
                self.calls += 1
                for desk in (self.kept, self.empty):  # two things never happen at one instant, so they have an order
                    desk.clock.instant += _A_MOMENT
            yield from self._stored(keys, canaries)
            for desk in (self.kept, self.empty):
                desk.clock.instant += desk.deps.idle * 4

    def _action(self, standing: Standing, key: str, canaries: Canaries) -> Iterator[Leak]:
        action = self.draw.choice(server.ACTIONS)
        message = self._message()
        slots = {
            "requested_slot": self.draw.choice([None, "identity_step", "plan_step", "promise_step"]),
            "pending_goal": self.draw.choice([None, "action_tell_balance", "action_open_plan"]),
        }
        told = [_told(desk, action, key, message, slots) for desk in (self.kept, self.empty)]
        call = f"{action.action_name} {json.dumps(message, ensure_ascii=False)} {slots}"
        if seen := canaries.seen_in(_without_own_words(told[0], message)):
            yield Leak(call, standing, f"tells {seen}")
        elif len({_ID.sub("<id>", each) for each in told}) > 1:
            yield Leak(call, standing, f"tells apart: {told[0]} | {told[1]}")

    def _service(self, standing: Standing, key: str, canaries: Canaries) -> Iterator[Leak]:
        name = self.draw.choice(list(SERVICES))
        asked = list(inspect.signature(SERVICES[name]).parameters.values())[2:]
        given = {
            each.name: argument(self.draw, f"{name}({each.name})", HINTS[name][each.name], self.kept.ids)
            for each in asked
        }
        # An answer of text-and-enumerations alone cannot be compared here: it counts rows, or names them.
        answer = repr(SERVICES[name](self.kept.deps, key, **given))
        SERVICES[name](self.empty.deps, key, **given)
        for own in given.values():
            answer = answer.replace(repr(own), "")
        if seen := canaries.seen_in(answer):
            yield Leak(f"{name} {given}", standing, f"returns {seen}")

    def _message(self) -> dict[str, Any]:
        text, intent, is_payload = self.draw.choice(_TEXTS), self.draw.choice(_INTENTS), self.draw.random() < 0.4
        entities = []
        if is_payload:
            secret = self.draw.choice(self.kept.ids)
            names = ("figure", "choice", "offer", "agree", "waiting", "topic")
            values = (secret, f"{secret}:penalty", "statement", "1", "legal_action", "export")
            entities = [{"entity": self.draw.choice(names), "value": self.draw.choice(values)}]
            text = f"/{intent}{json.dumps({each['entity']: each['value'] for each in entities})}"
        return {
            "text": text,
            "intent": {"name": intent},
            "intent_ranking": [{"name": intent}, {"name": self.draw.choice(_INTENTS)}],
            "entities": entities,
            "metadata": {"message_id": f"{self.draw.getrandbits(64):032x}", "is_payload": is_payload},
        }

    def _stored(self, keys: dict[Standing, str], canaries: Canaries) -> Iterator[Leak]:
        """Read what a round left behind as whoever holds the phone may read it."""
        from bot.services import history, identity

        for standing, key in keys.items():
            level = identity.who(self.kept.deps, key)
            if level.borrower_id == self.kept.borrower_id and level.level.value == 2:
                yield Leak("identity", standing, "became the right party")
            shown = " ".join(view.text for view in history.messages_after(self.kept.deps, key, 0))
            if seen := canaries.seen_in(shown):
                yield Leak("history.messages_after", standing, f"shows {seen}")


def _told(
    desk: SecretDesk, action: type[server.DeskAction], key: str, message: dict[str, Any], slots: dict[str, Any]
) -> str:
    dispatcher = CollectingDispatcher()
    tracker = Tracker(key, dict(slots), message, [], False, None, {}, None)
    events = action(desk.deps).handle(Turn(desk.deps, dispatcher, tracker, DOMAIN))
    return json.dumps([dispatcher.messages, events], ensure_ascii=False, default=str)


def _without_own_words(told: str, message: dict[str, Any]) -> str:
    """What one typed oneself and is given back, as a kept wish, tells nobody anything."""
    for own in (message["text"], *(each["value"] for each in message["entities"])):
        told = told.replace(json.dumps(own, ensure_ascii=False)[1:-1], "") if own else told
    return told
