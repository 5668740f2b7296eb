"""What each amount in a message is said to be: earned, spent, owed here, or paid to somebody else every month.

Only reading. Texts are normalised (``bot.text.normalize``), and values are those that ``bot.text.values.extract`` found
in the same text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.text.amounts import AmountRange
from bot.text.values import Value

_EARNED = (
    r"收入|工资|到手|挣|赚|进账|月薪|年薪|周薪|日薪|底薪|薪水|退休金|养老金|失业金|低保|补助|补贴"
    r"|日结|周结|月入|提成|奖金|兼职|外快|每月有"
)
_SPENT = (
    r"开销|开支|支出|花销|花费|花掉|要花|生活费|房租|租金|吃饭|饭钱|伙食|必需|必须|水电|物业|话费|交通|奶粉|学费|药费|药钱|看病"
    r"|社保|赡养|抚养|基本"
)
_ELSEWHERE = (
    r"房贷|车贷|按揭|网贷|花呗|借呗|白条|微粒贷|别家|别的(?:平台|贷款|债|卡|地方|信用卡|家)|其[他它](?:平台|贷款|债|卡|地方|信用卡|家|几家)"
    r"|另(?:外)?一?(?:张|家)(?:卡|信用卡|平台|贷款)?"
)
_PAYING = r"(?:那边|的|每个?月|一个?月|每期|大概|差不多|也|都|得|需?要|还要|还得|还有|还款|月供|还|供|交|付| ){0,6}"
_OWED = r"欠|借|逾期|本金|利息|额度|罚|剩|月供|每期|还(?!有|要|得|是|需|差|算)"
_ROLE_WORDS = re.compile(
    rf"(?P<income>{_EARNED})|(?P<elsewhere>(?:{_ELSEWHERE}){_PAYING})|(?P<spending>{_SPENT})|(?P<debt>{_OWED})"
)
_ROLE_BEHIND = re.compile(
    rf"(?:元|块钱?)?(?:左右|多)?的?(?:(?P<income>{_EARNED})|(?P<elsewhere>{_ELSEWHERE})|(?P<spending>{_SPENT}))"
)


class AmountRole(Enum):
    """What an amount is said to be."""

    INCOME = auto()
    SPENDING = auto()
    ELSEWHERE = auto()
    """What is paid to others every month."""
    DEBT = auto()


_ROLES = {
    "income": AmountRole.INCOME,
    "spending": AmountRole.SPENDING,
    "elsewhere": AmountRole.ELSEWHERE,
    "debt": AmountRole.DEBT,
}


@dataclass(frozen=True, slots=True)
class Told:
    """An amount with its role (None when no word tells it) and the words in front of and behind it."""

    amount: AmountRange
    role: AmountRole | None
    before: str
    behind: str


def amounts_told(text: str, values: Sequence[Value]) -> list[Told]:
    """Tell for each amount, left to right, what it is: by the words before it, else behind it, else as the last one."""
    amounts = [(value, value.payload) for value in values if isinstance(value.payload, AmountRange)]
    told: list[Told] = []
    cursor, last = 0, None
    for place, (value, amount) in enumerate(amounts):
        until = amounts[place + 1][0].start if place + 1 < len(amounts) else len(text)
        before, behind = text[cursor : value.start], text[value.end : until]
        role = _last_role(before)
        cursor = value.end
        if role is None or role is AmountRole.DEBT:
            match = _ROLE_BEHIND.match(text, value.end, until)
            # In 4500工资,1500房租 the words stand behind; in 工资4500,房租1500 the next amount has them.
            if match and (until == len(text) or match.end() < until):
                role = _role(match)
                cursor = match.end()
        last = role or last
        told.append(Told(amount, last, before, behind))
    return told


def _last_role(words: str) -> AmountRole | None:
    found = None
    for match in _ROLE_WORDS.finditer(words):
        found = _role(match)
    return found


def _role(match: re.Match[str]) -> AmountRole:
    return _ROLES[match.lastgroup or "debt"]
