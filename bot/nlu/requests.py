"""Two requests in one message: one is done, the other must not be lost.

A message is read as a whole; clause by clause a reason or an aside is too easily taken for a request. Only where the
writer announces a second request (另外, 顺便 …) or asks two questions are the clauses looked at: what is to be done
comes before what is to be told, else the writer's order holds, and the other request is reported beside it.
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
_SHORTEST_CLAUSE = 3

_ANNOUNCED = re.compile(r"另外|还有(?:就是|个|一个|件事|一件事)?[,，:]?|顺便|对了|再问一?[下个句]|再就是|还想问|同时")
_BREAK = re.compile(r"[?？\n]+|(?=" + _ANNOUNCED.pattern + ")")
_INNER_BREAK = re.compile(r"[,，。;；!！~]+")


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


def understand(whole: Reading, parts: Sequence[Reading]) -> Understood:
    """Decide what a message asks first and what else, from the readings of the whole and of its ``clauses``."""
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


def _first(requests: Sequence[Reading]) -> Reading | None:
    """Return what is done first: something to be done before something to be told, else in the writer's order."""
    acts = (request for request in requests if request.label.startswith(_ACTS))
    return next(acts, next(iter(requests), None))


def _other(requests: Sequence[Reading], label: str) -> str | None:
    return next((request.label for request in requests if request.label != label), None)
