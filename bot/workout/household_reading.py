"""How many live on somebody's income. Only reading; texts are normalised as for ``bot.workout.told``."""

from __future__ import annotations

import re

_NUMBERS = {
    "一": 1,
    "二": 2,
    "两": 2,
    "俩": 2,
    "三": 3,
    "仨": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_N = r"(\d{1,2}|[一二两俩三仨四五六七八九十])"

MOST = 20
"""More people than that is not a household but a figure about something else."""

_HOUSEHOLD = re.compile(
    rf"一?家(?:里|子|人|中|庭)?(?:一共|总共|有|现在|就|是)*{_N} ?(?:口|个人|人(?!民))"
    rf"|{_N} ?口(?:人|之家|子|$|[,。吧])|全家{_N}"
)
_ALONE = re.compile(
    r"^ ?(?=.*[我己本一1])(?:就|只有|只|光|目前|现在)*(?:我|自己|本人)*(?:一个人|1个人|一个|一口|1口|一人|1人)?"
    r"(?:过|住|生活|自己)?(?:吧|了|,|。|$)"
    r"|单身|独身|一人吃饱|(?:不用|不需要|没有?)(?:人)?(?:要)?养|^ ?(?:没有?|无)(?:了|的|,|。|吧|$)"
)
_NOBODY = re.compile(
    r"一人吃饱|(?:不用|不需要)养(?:家|人|谁|别人)|没有?(?:家人|人)要养|就我(?:自己)?一个人(?:生活|过|吃)"
)
_COUNTED = re.compile(
    rf"(?:{_N}|(?<=[养带供有])(?=个)) ?(?:个|位|名)?(?:小|大)?(?:孩子|小孩|娃|儿子|女儿|老人|家人|人|$)"
)
_PAIRS = re.compile(r"(?<!个)(?<!位)(?:父母|爸妈|双亲|爹妈|公婆|岳父母)(?!给|帮|家|那|的钱)")
_PARTNER = re.compile(r"(?:老婆|妻子|媳妇|老公|丈夫|爱人)(?!给|上班|工资|挣|赚|有|也|收入|那)")
_ONE_EACH = re.compile(
    r"(?<![\d一二两俩三四五六七八九十个位])(?:小?(?:孩子|孩|娃)|儿子|女儿|老人|老妈|老爸|母亲|父亲|奶奶|爷爷)"
)
_KEEPS = re.compile(r"养(?!老)|带(?![^,。]{0,6}[去来到看])|(?<!提)供(?!暖|应|货|房|车)|靠我|拉扯|照顾")
_MYSELF = re.compile(
    r"(?:(?:我|自己|本人)+|单身|独身|[就只光]有?|目前|现在)(?:一个人|1个人|一人|1人|一个$)"
    r"|一个人(?=养|带|供|过|住|生活|吃)"
)
_FAMILY = (
    r"(?:老婆|妻子|媳妇|老公|丈夫|爱人|父母|爸妈|双亲|公婆|岳父母"
    r"|老人|孩子|小孩|儿子|女儿|老妈|老爸|母亲|父亲|奶奶|爷爷)"
)
_NOT_KEPT = re.compile(
    rf"(?:没有?|无|(?:不用|不需要)(?:我)?[养管]){_FAMILY}|{_FAMILY}[^,。]{{0,8}}(?:不用|不需要|不要)我?[养管]"
)
_TELLS_HOW_MANY = re.compile(rf"养(?:着|活|了)?{_N} ?(?:个|口|人)")
_BARE = re.compile(rf"^ ?{_N} ?(?:个|口|人|位)*(?:人)?(?:吧|了|左右|,|。)*$")


def read_dependants(text: str, *, asked: bool = False, known: bool = False) -> int | None:
    """Read how many live on the income besides the borrower; None where nothing says it.

    一家四口 counts the borrower, 养两个孩子 does not. ``asked``: it answers the question how many there are with the
    borrower, so that a bare 3 counts, and family named without 养 does too. ``known``: they have been told already, so
    that only a number of people corrects it, and not somebody's child that is mentioned.
    """
    if asked and (bare := _BARE.match(text)):
        return _fitting(_number(bare.group(1)) - 1)
    if household := _HOUSEHOLD.search(text):
        found = next(group for group in household.groups() if group)
        return _fitting(_number(found) - 1)
    if not asked and known and not _TELLS_HOW_MANY.search(text):
        return None
    kept = _kept(text) if asked or _KEEPS.search(text) else 0
    if not kept and any(words.search(text) for words in ((_ALONE, _NOT_KEPT) if asked else (_NOBODY,))):
        return 0
    return _fitting(kept) if kept else None


def _kept(text: str) -> int:
    text = _NOT_KEPT.sub("", _MYSELF.sub("", text))
    counted = sum(_number(match.group(1) or "一") for match in _COUNTED.finditer(text))
    rest = _COUNTED.sub("个", text)
    counted += 2 * len(_PAIRS.findall(rest)) + len(_PARTNER.findall(rest))
    return counted + len(_ONE_EACH.findall(_PAIRS.sub("个", rest)))


def _number(written: str) -> int:
    return int(written) if written.isdigit() else _NUMBERS[written]


def _fitting(people: int) -> int | None:
    return people if 0 <= people <= MOST else None
