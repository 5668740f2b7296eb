"""Reading identity factors out of what a borrower typed.

The parsers take normalised (half-width, simplified) text. They return what the person claims; whether it is true is
decided against the register by ``bot.services.identity``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_TAIL = re.compile(r"(?<![0-9A-Za-z])(\d{3}[0-9Xx])(?![0-9A-Za-z])")
_FULL_ID = re.compile(r"(?<!\d)\d{17}[0-9Xx](?![0-9A-Za-z])")
_INTRODUCED_NAME = re.compile(r"(?:我是|我叫|我名叫|名字是|名字叫|姓名[::是]?|本人)\s*([一-鿿·]{2,12})")
_BARE_NAME = re.compile(r"^[一-鿿]{1,4}(?:·[一-鿿]{1,8})?$")
_NOT_A_NAME = re.compile(
    r"[你您他她它们的了吗呢吧啊呀么什谁哪怎钱款债还欠贷卡账催查利息罚人工客服转投诉不没是有要能会可想先再就也都在这那]"
)
_NAME_END = re.compile(r"[,,。.;;、!!??\s]|身份证|手机|电话|尾号|后四位|号码")


_NEW_CODE = re.compile(r"重新?发|再发|没收到|收不到|没看到|没有收到|过期|失效|换一?个(?:验证)?码")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says they are: a phone (11 digits) or a name, never both empty."""

    phone: str | None
    name: str | None


def read_claim(text: str, *, expected: bool) -> Claim | None:
    """Read a phone number or a name.

    ``expected`` says that the desk has just asked for it; only then is a bare name such as 王小明 taken for one.
    """
    if match := _PHONE.search(text):
        return Claim(phone="".join(match.groups()), name=None)
    if match := _INTRODUCED_NAME.search(text):
        name = _NAME_END.split(match.group(1))[0]
        if 2 <= len(name) <= 12 and not _NOT_A_NAME.search(name):
            return Claim(phone=None, name=name)
    bare = text.strip(" ,,。.!!")
    if expected and len(bare) >= 2 and _BARE_NAME.match(bare) and not _NOT_A_NAME.search(bare):
        return Claim(phone=None, name=bare)
    return None


def read_code(text: str) -> str | None:
    """Read a six-digit one-time code, alone or inside a sentence."""
    match = _CODE.search(text.replace(" ", ""))
    return match.group(1) if match else None


def read_id_tail(text: str) -> str | None:
    """Read the last four characters of an identity number, upper-case X.

    A whole identity number is accepted for its tail, so that someone who typed too much is not turned away; callers
    store nothing but the tail.
    """
    if match := _FULL_ID.search(text):
        return match.group(0)[-4:].upper()
    match = _TAIL.search(text)
    return match.group(1).upper() if match else None


def wants_new_code(text: str) -> bool:
    """Tell whether somebody asks for the code again (没收到, 重发一下)."""
    return _NEW_CODE.search(text) is not None
