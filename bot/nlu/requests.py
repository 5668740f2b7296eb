"""Two requests in one message: one is done, the other must not be lost.

A message is read as a whole; clause by clause a reason or an aside is too easily taken for a request. Only where the
writer announces a second request (另外, 顺便 …) or asks two questions are the clauses looked at: what is to be done
comes before what is to be told, else the writer's order holds, and the other request is reported beside it.

A greeting or thanks around a request is no request: 你好，我还不上了 is not answered with a greeting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STAND_ALONE = ("ask_", "request_", "rights/", "dispute_debt", "set_reminder", "modify_plan", "stop_contact")
"""Labels with an answer of their own. A reason, an offer or a figure belongs to the request beside it."""

_ACTS = ("request_", "dispute_debt", "modify_plan", "stop_contact", "set_reminder")
"""Labels that ask for something to be done, not only to be told."""

_COURTESIES = frozenset({"greet", "thank", "affirm", "chitchat"})

_SURE = 0.6
_LIKELY = 0.35
_SHORTEST_CLAUSE = 3

_ANNOUNCED = re.compile(r"另外|还有(?:就是|个|一个|件事|一件事)?[,，:]?|顺便|对了|再问一?[下个句]|再就是|还想问|同时")
_BREAK = re.compile(r"[?？\n]+|(?=" + _ANNOUNCED.pattern + ")")
_INNER_BREAK = re.compile(r"[,，。;；!！~]+")

_SPACE = r"[\s,，。.;；!！?？~、…]"
_GREETING = r"[你您]好|哈[喽啰罗]|嗨|hi|hello|早上好|上午好|中午好|下午好|晚上好|早|在吗|在不在|有人吗|打扰了|不好意思"
_THANKS = r"谢谢(?:[你您]们?|了|啦)?|多谢[你您]?|感谢|辛苦(?:[你您]们?)?了|麻烦(?:[你您]们?)?了|拜托了?"
_YES = r"好的?|嗯+|行|可以|ok"
_BEFORE = re.compile(
    rf"^(?:[你您]好[啊呀]?{_SPACE}*|(?:{_GREETING}|{_THANKS}|{_YES})[啊呀哈哦啦吧]?{_SPACE}+)+", re.IGNORECASE
)
_AFTER = re.compile(rf"{_SPACE}+(?:{_THANKS}){_SPACE}*$")
_SHORTEST_CORE = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text reads as: labels with their probabilities, the likeliest first."""

    ranking: tuple[tuple[str, float], ...]

    @property
    def label(self) -> str:
        """The likeliest label."""
        return self.ranking[0][0]

    @property
    def confidence(self) -> float:
        """Its probability."""
        return self.ranking[0][1]


@dataclass(frozen=True, slots=True)
class Understood:
    """The ranking of the request that is done now, and the label of another one, or None."""

    ranking: tuple[tuple[str, float], ...]
    also: str | None = None


def clauses(text: str) -> tuple[str, ...]:
    """Return the parts of a normalised text that may each hold a request, in order; fewer than two where none may."""
    parts = (_ANNOUNCED.sub("", part).strip(" ,，。") for part in _BREAK.split(text))
    return tuple(part for part in parts if len(_INNER_BREAK.sub("", part)) >= _SHORTEST_CLAUSE)


def core(text: str) -> str | None:
    """Return a normalised text without the greetings and thanks around it; None where that leaves all or nothing."""
    left = _AFTER.sub("", _BEFORE.sub("", text)).strip()
    return left if left != text.strip() and len(_INNER_BREAK.sub("", left)) >= _SHORTEST_CORE else None


def understand(whole: Reading, parts: Sequence[Reading], core: Reading | None = None) -> Understood:
    """Decide what a message asks first and what else, from the whole, its ``clauses`` and its ``core`` as read."""
    if core is not None and _says_more(core, whole):
        whole = core
    found: dict[str, Reading] = {}
    for part in parts:
        if part.confidence >= _SURE and part.label.startswith(_STAND_ALONE):
            found.setdefault(part.label, part)
    requests = list(found.values())
    if whole.label not in _COURTESIES and all(part.label != whole.label for part in parts):
        return Understood(whole.ranking)
    if whole.label in _COURTESIES or whole.label in found:
        first = _first(requests)
        if first is None:
            return Understood(whole.ranking)
        return Understood(first.ranking, _other(requests, first.label))
    return Understood(whole.ranking, _other(requests, whole.label))


def _says_more(core: Reading, whole: Reading) -> bool:
    if core.label in _COURTESIES or core.label == "inform":  # 谢谢，知道了 gives no figure
        return False
    return core.confidence > whole.confidence or (whole.label in _COURTESIES and core.confidence >= _LIKELY)


def _first(requests: Sequence[Reading]) -> Reading | None:
    """Return what is done first: something to be done before something to be told, else in the writer's order."""
    acts = (request for request in requests if request.label.startswith(_ACTS))
    return next(acts, next(iter(requests), None))


def _other(requests: Sequence[Reading], label: str) -> str | None:
    return next((request.label for request in requests if request.label != label), None)
