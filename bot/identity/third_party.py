"""Who speaks when it is not the borrower, what each may learn, and what the desk does then.

By default nobody but the borrower learns anything, not even whether there is anything to learn (rules P1, P2, P4 of
``docs/contact-rules.md``; Personal Information Protection Law arts. 5, 6, 23). What an heir, a guarantor or a lawyer
may be told is decided by a person who has seen their papers. Reading takes normalised text and only sorts what was
said: no answer depends on whether the desk knows the person spoken of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Speaker(StrEnum):
    """Who speaks."""

    WRONG_NUMBER = "wrong_number"
    NUMBER_CHANGED_HANDS = "number_changed_hands"
    REPORTS_DEATH = "reports_death"
    HEIR = "heir"
    LAWYER = "lawyer"
    GUARANTOR = "guarantor"
    COLLEAGUE = "colleague"
    RELATIVE = "relative"
    OTHER = "other"


class Learns(StrEnum):
    """What a speaker may learn about the borrower."""

    NOTHING = "nothing"
    AFTER_PAPERS = "after_papers"
    """Nothing from the bot; from a person, once papers have been checked, what those papers give a right to."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done for a speaker.

    ``lets_go``: the conversation's binding ends, and with it every notice to this address. ``holds``: nothing more is
    sent about the borrower of this conversation until a person has looked. ``calls_person``: somebody at the desk reads
    it. ``rule`` names what it rests on.
    """

    learns: Learns
    rule: str
    lets_go: bool = False
    holds: bool = False
    calls_person: bool = True


TREATMENTS: dict[Speaker, Treatment] = {
    Speaker.WRONG_NUMBER: Treatment(Learns.NOTHING, "P1", lets_go=True, calls_person=False),
    Speaker.NUMBER_CHANGED_HANDS: Treatment(Learns.NOTHING, "P1", lets_go=True, calls_person=False),
    Speaker.REPORTS_DEATH: Treatment(Learns.NOTHING, "F6", holds=True),
    Speaker.HEIR: Treatment(Learns.AFTER_PAPERS, "F6", holds=True),
    Speaker.LAWYER: Treatment(Learns.AFTER_PAPERS, "P4"),
    Speaker.GUARANTOR: Treatment(Learns.AFTER_PAPERS, "P4"),
    Speaker.COLLEAGUE: Treatment(Learns.NOTHING, "P2"),
    Speaker.RELATIVE: Treatment(Learns.NOTHING, "P2"),
    Speaker.OTHER: Treatment(Learns.NOTHING, "P2"),
}
"""Total over ``Speaker``."""

_KIN = (
    r"爸爸?|妈妈?|父亲|母亲|老公|老婆|丈夫|妻子|爱人|媳妇|儿子|女儿|闺女|哥哥?|弟弟?|姐姐?|妹妹?|叔叔?|舅舅?|姑姑?|姨妈?|姨|爷爷"
    r"|奶奶|外公|外婆|公公|婆婆|岳父|岳母|女婿|儿媳|外甥女?|侄[子女]|孙[子女]|表[哥弟姐妹]|堂[哥弟姐妹]|家属|家里人|亲戚|亲属"
    r"|(?:男|女)朋友|对象|未婚[夫妻]|前[夫妻]"
)
_DEAD = re.compile(
    r"去世|过世|离世|病逝|病故|身故|亡故|辞世|往生|不在人世|人没了|(?:已经|都|早就)不在了|后事|丧事|死了|车祸走了"
    r"|(?<![出搬带拿逃溜调])走了(?=[,。!,\s]|$|[一二三四五六七八九十几两\d]+个?[年月天])"
)
_NOT_DEAD = re.compile(r"(?:没有?|不是|还没|又没|差点)[^,。]{0,2}$|(?:离家出|搬|带|调|逃|辞职|离职|离婚)[^,。]{0,3}$")
_INHERITS = re.compile(
    r"继承|遗产|遗嘱|遗物|留下的?(?:债|钱|账|贷|欠|卡)|父债|要不要(?:我|我们)?还|该不该(?:我|我们)还"
)
_LAW = re.compile(r"律师|律所|法务|代理人|受(?:他|她|其|当事人|[一-鿿]{2,3})?的?委托|委托书|授权书")
_VOUCHES = re.compile(r"担保人|保证人|担保|共同借款|共借人|联保")
_WORK = re.compile(r"同事|领导|老板|主管|经理|单位|人事|前台|房东|室友|邻居|店里|老乡|介绍人|同学|战友|中介")
_RELATED = re.compile(rf"(?:我是|我就?是|这是|替|帮|我)(?:他|她|机主|本人|借款人|[一-鿿]{{2,3}})?的?(?:{_KIN})")
_CHANGED_HANDS = re.compile(
    r"(?:号码?|手机号?|电话|微信|账号|这个?号|此号)[^,。]{0,6}(?:换|刚办|新办|才办|新买|刚买|二手|过户|回收|转给|给我了|归我)"
    r"|(?:刚|新|才)(?:办|买|换|开)的?[^,。]{0,3}(?:号|卡)|换(?:了)?(?:机主|主人|人用|人了)|以前的?(?:机主|号主|主人)|前任?机主"
)
_INTRODUCES_SELF = re.compile(
    rf"我(?:们)?(?:就|才)?是(?:他|她|机主|本人|借款人)?的?(?:代理)?(?:{_KIN}|律师|担保人|保证人|同事|领导|老板|朋友|房东|室友)|不是(?:他|她)?本人"
)
_NOT_THE_ONE = re.compile(
    r"(?:我|这里|这儿|这边|这)(?:真的?|根本|确实|可|就)?不是(?!说|在|要|想|问|指|那个意思)"
    r"|不是(?:他|她|本人|机主|我本人)|(?:打|发|找|认|弄|搞|寄)错(?:了|人|号)|查无此人"
)


def says_not_the_one(text: str) -> bool:
    """Whether the words say that whoever writes is not the one addressed, or that the number is somebody else's now."""
    return (_NOT_THE_ONE.search(text) or _CHANGED_HANDS.search(text)) is not None


def read_wrong_person(text: str) -> Speaker:
    """Tell whether somebody who is not the person has the number now, or was only written to by mistake."""
    return Speaker.NUMBER_CHANGED_HANDS if _CHANGED_HANDS.search(text) else Speaker.WRONG_NUMBER


def read_third_party(text: str) -> Speaker:
    """Sort who speaks for or about somebody else; the one with the most to be taken care of comes first."""
    if any(not _NOT_DEAD.search(text[: match.start()]) for match in _DEAD.finditer(text)):
        return Speaker.HEIR if _INHERITS.search(text) else Speaker.REPORTS_DEATH
    for speaker, words in (
        (Speaker.HEIR, _INHERITS),
        (Speaker.LAWYER, _LAW),
        (Speaker.GUARANTOR, _VOUCHES),
        (Speaker.COLLEAGUE, _WORK),
        (Speaker.RELATIVE, _RELATED),
    ):
        if words.search(text):
            return speaker
    return Speaker.OTHER


def introduces_self(text: str) -> bool:
    """Whether the words say that somebody else is writing now, rather than ask about somebody else."""
    return _INTRODUCES_SELF.search(text) is not None
