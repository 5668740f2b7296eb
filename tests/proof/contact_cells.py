"""The questions that the gate is asked, and asking a gate (the real one, or one with a fault) all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import combinations
from types import ModuleType

from tests.proof.contact_oracle import DAY, HOUR, MINUTE, MONDAY, WEEK, Answer, Case, History, Timetable, Wish, answers

DUE = "instalment:1"

EVERY_MINUTE = range(7 * 24 * 60)
"""Of the week from ``MONDAY`` on."""

PURPOSES = ("plan_notice", "due_notice", "collection")
ANSWERS = ("reply", "safety")

HISTORIES: Mapping[str, History] = {
    "never written to": History(),
    "just short of a day ago": History(((DAY - 1, None),)),
    "one in seven days, answered": History(((3 * DAY, None),), answered=HOUR),
    "three in seven days, answered": History(((2 * DAY, None), (4 * DAY, None), (6 * DAY, None)), answered=HOUR),
    "two unanswered": History(((2 * DAY, None), (4 * DAY, None))),
    "the due date announced twice, answered": History(((8 * DAY, DUE), (10 * DAY, DUE)), answered=HOUR),
}
EDGE_HISTORIES: Mapping[str, History] = {
    "this moment": History(((0, None),), answered=0),
    "a day ago": History(((DAY, None),)),
    "an hour ago": History(((HOUR, None),)),
    "an hour ahead": History(((-HOUR, None),)),
    "five seconds ahead": History(((-5, None),)),
    "six seconds ahead": History(((-6, None),)),
    "three, the first seven days ago": History(((2 * DAY, None), (4 * DAY, None), (WEEK, None)), answered=HOUR),
    "three, the first nearly seven days ago": History(((2 * DAY, None), (4 * DAY, None), (WEEK - 1, None)), HOUR),
    "four in seven days": History(tuple((span * DAY, None) for span in (1, 3, 5, 6)), answered=HOUR),
    "two unanswered seven days ago": History(((WEEK, None), (9 * DAY, None))),
    "one unanswered": History(((2 * DAY, None),)),
    "answered between": History(((2 * DAY, None), (4 * DAY, None)), answered=3 * DAY),
    "answered at the moment of the first": History(((2 * DAY, None), (4 * DAY, None)), answered=4 * DAY),
    "answered before both": History(((2 * DAY, None), (4 * DAY, None)), answered=5 * DAY),
    "another due date announced twice": History(((8 * DAY, "instalment:2"), (10 * DAY, "instalment:2")), HOUR),
    "the due date announced once": History(((8 * DAY, DUE), (10 * DAY, None)), HOUR),
}

WISHES: Mapping[str, Wish] = {
    "none": Wish(),
    "quiet over noon": Wish(quiet=(12 * 60, 14 * 60)),
    "quiet from the evening to the morning": Wish(quiet=(18 * 60 + 30, 10 * 60 + 15)),
    "at seven in the evening": Wish(preferred=19 * 60),
    "once in seven days": Wish(at_most=1),
}
EDGE_WISHES: Mapping[str, Wish] = {
    "quiet the whole window": Wish(quiet=(9 * 60, 20 * 60)),
    "quiet longer than the window": Wish(quiet=(8 * 60, 22 * 60)),
    "quiet until the window opens": Wish(quiet=(22 * 60, 9 * 60)),
    "quiet from the opening on": Wish(quiet=(9 * 60, 11 * 60)),
    "quiet until it closes": Wish(quiet=(18 * 60, 20 * 60)),
    "when it opens": Wish(preferred=9 * 60),
    "when it closes": Wish(preferred=20 * 60),
    "in the night": Wish(preferred=23 * 60),
    "before it opens": Wish(preferred=7 * 60),
    "in the own quiet hours": Wish(quiet=(18 * 60, 20 * 60), preferred=19 * 60),
    "when the own quiet hours end": Wish(quiet=(12 * 60, 14 * 60), preferred=14 * 60),
    "twice in seven days": Wish(at_most=2),
    "more than there may be": Wish(at_most=30),
}

HOLDS: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "one that leaves plan notices": frozenset({"plan"}),
    "opted out": frozenset({"opt_out"}),
    "one that silences": frozenset({"complaint"}),
}
KINDS = (
    "dispute",
    "complaint",
    "distress",
    "deceased",
    "incapacity",
    "minor",
    "pause",
    "person",
    "payment_sought",
    "plan",
    "opt_out",
)
EVERY_HOLD_SET = {
    "+".join(some): frozenset(some) for count in range(len(KINDS) + 1) for some in combinations(KINDS, count)
}


@dataclass(frozen=True)
class Panel:
    """Every combination of the classes given, at every minute given."""

    minutes: Iterable[int]
    histories: Mapping[str, History]
    wishes: Mapping[str, Wish]
    holds: Mapping[str, frozenset[str]]
    purposes: tuple[str, ...] = PURPOSES
    due_key: str | None = DUE
    rests: bool = True
    second: int = 0
    """Of the minute at which the gate is asked."""


EVERY_CELL = Panel(EVERY_MINUTE, HISTORIES, WISHES, HOLDS)
CELLS = len(EVERY_MINUTE) * len(HISTORIES) * len(WISHES) * len(HOLDS) * len(PURPOSES)


_TIMETABLES: dict[tuple[Wish, bool], Timetable] = {}


@dataclass(frozen=True)
class Disagreement:
    """What a gate answered to a question, and what the table says."""

    now: datetime
    question: str
    answered: str
    expected: Answer

    def __str__(self) -> str:
        return f"{self.now:%a %H:%M:%S}, {self.question}: {self.answered} instead of {' '.join(self.expected[:2])}"


class Examined:
    """A gate under examination; ``cells`` counts the questions it was asked, ``allowed`` those it said yes to."""

    def __init__(self, gate: ModuleType, wishes: ModuleType) -> None:
        self._gate = gate
        self._wishes = wishes
        self._instants: dict[int, datetime] = {}
        self.cells = 0
        self.allowed = 0

    def disagreements(self, panel: Panel) -> Iterator[Disagreement]:
        """Ask everything in a panel; yield where gate and table differ, in verdict, rule or the end of a deferral."""
        gate = self._gate
        limits = gate.Limits(rest_on_holidays=panel.rests)
        purposes = [gate.Purpose(name) for name in panel.purposes]
        may_send, recipient_of, notice_of = gate.may_send, gate.Recipient, gate.PastNotice
        asked = [
            (
                history,
                [
                    (
                        f"{history_name}, {wish_name}, {hold_name}",
                        self._wishes_of(wish),
                        frozenset(gate.HoldKind(kind) for kind in kinds),
                        [
                            (
                                purpose,
                                answers(
                                    Case(purpose.value, history, wish, kinds, panel.due_key, rests=panel.rests),
                                    _TIMETABLES,
                                ),
                            )
                            for purpose in purposes
                        ],
                    )
                    for wish_name, wish in panel.wishes.items()
                    for hold_name, kinds in panel.holds.items()
                ],
            )
            for history_name, history in panel.histories.items()
        ]
        due_key = panel.due_key
        for minute in panel.minutes:
            second = minute * MINUTE + panel.second
            now = self._instant(second)
            for history, cells in asked:
                sent = tuple([notice_of(now - timedelta(seconds=ago), key) for ago, key in history.sent])
                wrote_at = None if history.answered is None else now - timedelta(seconds=history.answered)
                for name, wishes, holds, questions in cells:
                    recipient = recipient_of(True, sent, holds, wrote_at, wishes)
                    self.cells += len(questions)
                    for purpose, answer in questions:
                        expected = answer(second)
                        try:
                            made = may_send(purpose, due_key, recipient, now, limits)
                        except Exception as error:
                            yield Disagreement(now, f"{purpose}, {name}", repr(error), expected)
                            continue
                        verdict, rule, until = expected
                        if made.verdict == verdict == "allowed":
                            self.allowed += 1
                        ends = None if until is None else self._instant(until)
                        if made.verdict != verdict or made.rule != rule or made.until != ends:
                            told = f"{made.verdict} {made.rule}" + (
                                f" until {made.until:%a %H:%M:%S}" if made.until else ""
                            )
                            yield Disagreement(now, f"{purpose}, {name}", told, expected)

    def _instant(self, second: int) -> datetime:
        known = self._instants.get(second)
        if known is None:
            known = self._instants[second] = MONDAY + timedelta(seconds=second)
        return known

    def _wishes_of(self, wish: Wish) -> object:
        def clock(minute: int | None) -> time | None:
            return None if minute is None else time(minute // 60, minute % 60)

        quiet_from, quiet_to = wish.quiet or (None, None)
        return self._wishes.ContactWishes(
            quiet_from=clock(quiet_from),
            quiet_to=clock(quiet_to),
            send_at=clock(wish.preferred),
            per_seven_days=wish.at_most,
        )
