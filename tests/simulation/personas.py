"""Invented borrowers who talk: what each says next, by what was asked last. No clock, no desk, only words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from bot.text.normalize import normalize_text

GOAL = "还不上，能不能分期"
CONSENT, AGREED, PROVED = "同意，就这样定", "协议已经生效", "核对好了"
PERSON = "转人工"
MOST_TURNS = 18
MOST_REPEATS = 3
"""After the goal was said so often in vain, somebody asks for a person, and leaves."""

_CODE = re.compile(r"验证码[:\uff1a]\s?(\d{6})")


class Persona(StrEnum):
    """How somebody behaves towards a desk that asks about money."""

    HONEST = "honest"
    EVASIVE = "evasive"
    ANGRY = "angry"
    CONFUSED = "confused"
    IN_CRISIS = "in crisis"
    THIRD_PARTY = "third party"
    FRAUDSTER = "fraudster"
    TIME_BARRED = "time-barred"
    TRADITIONAL = "Traditional script"
    TYPOS = "typos"


SAME_FACTS = (Persona.HONEST, Persona.ANGRY, Persona.CONFUSED, Persona.TRADITIONAL, Persona.TYPOS)
"""They owe, earn and need the same, and differ in how they put it: what they are offered must not differ."""

_OWN_WORDS: Mapping[Persona, str] = {
    Persona.TRADITIONAL: "還不上，能不能分期",
    Persona.TYPOS: "还不尚，能不能分其",
    Persona.ANGRY: "钱我没有，给我分期",
    Persona.CONFUSED: "我也不懂，能不能分期慢慢还",
}
_ASIDES: Mapping[Persona, Sequence[str]] = {
    Persona.EVASIVE: ("再说吧", "现在不方便", "我想想"),
    Persona.ANGRY: ("你们烦不烦", "天天催有意思吗"),
    Persona.CONFUSED: ("什么意思", "罚息是怎么算的", "逾期会上征信吗"),
}
_STRANGERS: Mapping[Persona, Sequence[str]] = {
    Persona.THIRD_PARTY: ("我是他老婆，他欠你们多少钱", "我替他还，你告诉我金额", "他的账单发我看看"),
    Persona.TIME_BARRED: ("这笔钱都好几年了，过了诉讼时效还要还吗", "我现在一共欠多少钱", "那我不还会怎么样"),
}
CRISIS = "我真的撑不下去了，不想活了"


@dataclass(frozen=True, slots=True)
class Means:
    """Who somebody is for the desk, and what they have a month; yuan as typed."""

    phone: str
    id_tail: str
    income: str = "6000"
    essential: str = "3500"


@dataclass(frozen=True, slots=True)
class Say:
    """Something typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """A quick reply."""

    title: str


@dataclass(slots=True)
class Talker:
    """One borrower; ``next`` returns what they do, None when they have left."""

    persona: Persona
    means: Means
    draw: Random
    turns: int = 0
    is_proved: bool = False
    has_plan: bool = False
    told_crisis: bool = False
    asked_for_person: bool = False
    _code: str | None = None
    _goals: int = 0
    _questions: list[str] = field(default_factory=list)
    _asides: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._questions = list(_STRANGERS.get(self.persona, ()))
        self._asides = list(_ASIDES.get(self.persona, ()))

    def next(self, answers: Sequence[str], buttons: Sequence[str]) -> Say | Press | None:
        """Say what follows the latest answers; the first call comes with none."""
        heard = normalize_text("\n".join(answers))
        self.is_proved = self.is_proved or PROVED in heard
        self.has_plan = self.has_plan or AGREED in heard
        if code := _CODE.search(heard):
            self._code = code.group(1)
        if self.has_plan or self.asked_for_person or self.turns >= MOST_TURNS:
            return None
        self.turns += 1
        if self.persona is Persona.IN_CRISIS and (self.is_proved or self.turns > 8):
            return self._in_crisis()
        if self._asides and self.turns > 1 and self.draw.random() < 0.5:
            return Say(self._asides.pop(0))
        if CONSENT in buttons:
            return Press(CONSENT)
        return self._answer(heard)

    def _answer(self, heard: str) -> Say | None:
        if self.persona is Persona.THIRD_PARTY:
            return Say(self._questions.pop(0)) if self._questions else None
        asked = self._asked(heard)
        if asked is not None:
            return Say(asked)
        if self.persona is Persona.TIME_BARRED and self.is_proved:
            return Say(self._questions.pop(0)) if self._questions else None
        self._goals += 1
        if self._goals > MOST_REPEATS:
            self.asked_for_person = True
            return Say(PERSON)
        return Say(_OWN_WORDS.get(self.persona, GOAL))

    def _asked(self, heard: str) -> str | None:
        """What the open question asks for, if it is one; the last question of an answer counts."""
        lies = self.persona is Persona.FRAUDSTER
        told = {
            "登记的手机号": self.means.phone,
            "六位验证码": f"{self.draw.randrange(10**6):06d}" if lies else self._code,
            "后四位": f"{self.draw.randrange(10**4):04d}" if lies else self.means.id_tail,
            "到手的收入": self.means.income,
            "必须花的钱": self.means.essential,
            "哪个方案合适": "第一个",
        }
        places = [(heard.rfind(question), answer) for question, answer in told.items() if question in heard]
        return max(places, key=lambda place: place[0])[1] if places else None

    def _in_crisis(self) -> Say | None:
        if self.told_crisis:
            return None
        self.told_crisis = True
        return Say(CRISIS)
