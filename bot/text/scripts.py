"""Simplified and Traditional script: telling them apart, converting replies, folding names."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from opencc import OpenCC


class Script(StrEnum):
    """The written form of a borrower's Chinese; values are the ISO 15924 codes in lower case."""

    HANS = "hans"
    HANT = "hant"


# A character the Simplified table rewrites may also be an everyday Traditional one (后, 里, 台 ...): Big5 has
# those. These few are in Big5 too, but hardly anybody who writes Traditional uses them.
_SIMPLIFIED_IN_PRACTICE = frozenset(
    "厂触党蚕虫吨儿复赶构柜怀坏机极价洁惊据夸蜡腊篱离怜么扑确洒胜圣虱适体听网蝎痒异优与愿种筑庄凄气万"
)

# What OpenCC takes for another word than the desk means: 簽 to sign, 發 in the number of a document, 裡 inside. Replies
# have the quotation marks of the script.
_REPLY_FIXES = (
    (re.compile("(?<![標書抽牙竹])籤"), "簽"),
    (re.compile("銀髮(?=〔)"), "銀發"),
    (re.compile("瞭解"), "了解"),
    (re.compile("寫明瞭"), "寫明了"),
    (re.compile("(?<=別)隻|隻(?=有)"), "只"),
    (re.compile("(?<=[卡金同])里"), "裡"),
    (re.compile("松(?=一點)"), "鬆"),
    (re.compile("周(?=[幾算])"), "週"),
    (re.compile("盡(?=快)"), "儘"),
    (re.compile("回復"), "回覆"),
)
_REPLY_CHARACTERS = str.maketrans("賬“”‘’", "帳「」『』")

_URL = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+", re.IGNORECASE)
_NAME_NOISE = re.compile(r"[\s\u00b7\u0387\u2022\u2027\u2218\u22c5\u2e31\u30fb\uff65.]+")
_UNENCODABLE = re.compile(r"[\x00\ud800-\udfff]")


@lru_cache(maxsize=4)
def _converter(config: str) -> OpenCC:
    return OpenCC(config)


def _convert(text: str, config: str) -> str:
    """Convert with OpenCC, which can take neither NUL nor lone surrogates: those come back as U+FFFD."""
    if not text or text.isascii():
        return text
    converted: str = _converter(config).convert(_UNENCODABLE.sub("\ufffd", text))
    return converted


def to_simplified(text: str) -> str:
    """Return ``text`` in Simplified script. The length may change in rare phrases; never raises."""
    # OpenCC maps this everyday Cantonese character to one that few fonts have.
    return _convert(text, "t2s").replace("\U00020bb6", "嗰")


@lru_cache(maxsize=8192)
def _script_of(character: str) -> Script | None:
    """Return the only script ``character`` belongs to, or None when both use it."""
    if to_simplified(character) != character:
        return Script.HANT
    if _convert(character, "s2t") == character:
        return None
    return None if _in_big5(character) and character not in _SIMPLIFIED_IN_PRACTICE else Script.HANS


def _in_big5(character: str) -> bool:
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


def detect_script(text: str) -> Script | None:
    """Return the script most of the telling characters belong to; None when there is none, or a tie."""
    hans = hant = 0
    for character in text:
        if character < "\u3400":
            continue
        script = _script_of(character)
        if script is Script.HANS:
            hans += 1
        elif script is Script.HANT:
            hant += 1
    if hans == hant:
        return None
    return Script.HANS if hans > hant else Script.HANT


def to_script(text: str, script: Script) -> str:
    """Return a reply in the borrower's script; digits, currency signs and web addresses stay as they are.

    Traditional follows Taiwan's character choices (帳 for money). Words are not exchanged: a word-level table
    would turn a legal 程序 into software.
    """
    parts: list[str] = []
    last = 0
    for match in _URL.finditer(text):
        parts.append(_reply_part(text[last : match.start()], script))
        parts.append(match.group())
        last = match.end()
    parts.append(_reply_part(text[last:], script))
    return "".join(parts)


def _reply_part(text: str, script: Script) -> str:
    if script is Script.HANS:
        return to_simplified(text)
    converted = _convert(text, "s2tw").translate(_REPLY_CHARACTERS)
    for wrong, right in _REPLY_FIXES:
        converted = wrong.sub(right, converted)
    return converted


def fold_name(text: str) -> str:
    """Return the key under which a person's or a lender's name is looked up.

    NFKC, Simplified, case-folded, without spaces, dots and interpuncts. For comparing only, never for showing.
    """
    folded = to_simplified(unicodedata.normalize("NFKC", text))
    return _NAME_NOISE.sub("", folded).casefold()
