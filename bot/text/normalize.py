"""Bring a borrower's message into one spelling for the classifier and the word lists.

Only the machine reads the result: what is stored and shown is the original, and ``Normalized.offsets`` leads
back to it. Values (amounts, dates) are read from the original by ``values.extract``, not from here.
"""

import re
import unicodedata
from dataclasses import dataclass

from bot.text.alignment import Aligned, Span, unify_characters
from bot.text.spelling import RULES

# Each pass shortens the text or moves it to canonical spellings; real messages settle in one or two.
_MAX_PASSES = 12

# Runs written by leaning on a key. Digits, in figures or in characters, are values and never shortened; three
# Latin letters can be a word of their own (www), so Latin runs start at four.
_DIGITS = r"\d\*一二三四五六七八九十百千万亿零〇○两壹贰叁肆伍陆柒捌玖拾佰仟"
_RUN = re.compile(rf"([^\s{_DIGITS}a-z])\1{{2,}}|([a-z])\2{{3,}}")
_UNIT_RUN = re.compile(rf"([^\s{_DIGITS}]{{2,4}}?)\1{{2,}}")
_SPACES = re.compile(r"\s+")
_EDGES = re.compile(r"^\s+|\s+$")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_SPACED_OUT = re.compile(rf"(?<![{_HAN}])[{_HAN}](?: [{_HAN}](?![{_HAN}])){{2,}}")

_INITIAL = "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])"
_TONED = "a-zāáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜ"
_FINAL = (
    "(?:iang|iong|uang|ueng|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ou|ia|ie|in|iu|ua|ui|un|uo|ue|ve|van"
    "|a|e|i|o|u|v)"
)
_PINYIN = re.compile(rf"(?:{_INITIAL}?{_FINAL}[1-5]?[ '-]?){{1,8}}")
_BRACKETED = re.compile(rf"(?<=[{_HAN}]) ?[(\[【〔]\s?([{_TONED}1-5 '-]{{1,40}})\s?[)\]】〕]")

_STICKER_NAMES = (
    "微笑 撇嘴 色 发呆 得意 流泪 害羞 闭嘴 睡 大哭 尴尬 发怒 调皮 呲牙 惊讶 难过 囧 抓狂 吐 偷笑 愉快 白眼 傲慢 困 "
    "惊恐 "
    "憨笑 悠闲 咒骂 疑问 嘘 晕 衰 骷髅 敲打 再见 擦汗 抠鼻 鼓掌 坏笑 鄙视 委屈 快哭了 阴险 亲亲 可怜 笑脸 生病 脸红 "
    "破涕为笑 "
    "恐惧 失望 无语 嘿哈 捂脸 奸笑 机智 皱眉 耶 吃瓜 加油 汗 天啊 旺柴 好的 打脸 哇 翻白眼 叹气 苦涩 裂开 嘴唇 爱心 "
    "心碎 "
    "拥抱 强 弱 握手 胜利 抱拳 拳头 合十 玫瑰 凋谢 炸弹 月亮 太阳 庆祝 礼物 红包 发 福 烟花 跳跳 发抖 转圈 ok"
)
_STICKER = re.compile(r"[\[【](?:" + "|".join(_STICKER_NAMES.split()) + r")[\]】]")


@dataclass(frozen=True, slots=True)
class Normalized:
    """A message in canonical spelling.

    ``offsets[i]`` is the half-open span of the original message that produced character ``i`` of ``text``; starts
    and ends never decrease. ``is_only_symbols`` tells that the message has neither letters nor digits (emoji,
    stickers, punctuation); its emoji are then kept in ``text`` so that it is not mistaken for an empty one.
    """

    text: str
    offsets: tuple[Span, ...]
    is_only_symbols: bool

    def original_span(self, start: int, end: int) -> Span:
        """Return where ``text[start:end]`` stands in the original; raises ValueError for an empty or bad span."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError("span outside the normalised text")
        return self.offsets[start][0], self.offsets[end - 1][1]


def normalize(text: str) -> Normalized:
    """Return ``text`` in canonical spelling, aligned with the original. Idempotent; never raises.

    In order: NFKC, invisible characters out, lower-case Latin, Simplified script, emoji and stickers out, bracketed
    pinyin out, leaned-on keys shortened to two, white space tidied, the rewrites of ``spelling``.
    """
    aligned = Aligned.of(text)
    for _ in range(_MAX_PASSES):
        before = aligned.text
        aligned = _one_pass(aligned)
        if aligned.text == before:
            break
    return Normalized(aligned.text, aligned.spans, bool(aligned.text) and not _has_words(aligned.text))


def normalize_text(text: str) -> str:
    """Return only the text of ``normalize``."""
    return normalize(text).text


def _one_pass(aligned: Aligned) -> Aligned:
    aligned = unify_characters(aligned)
    aligned = _without_emoji(aligned)
    aligned = aligned.replace(_BRACKETED, _drop_pinyin)
    aligned = aligned.replace(_RUN, lambda m: m.group()[:2])
    aligned = aligned.replace(_UNIT_RUN, lambda m: m.group(1) * 2)
    aligned = aligned.replace(_SPACES, " ")
    aligned = aligned.replace(_SPACED_OUT, lambda m: m.group().replace(" ", ""))
    aligned = aligned.replace(_EDGES, "")
    for pattern, replacement in RULES:
        aligned = aligned.replace(pattern, replacement)
    return aligned


def _without_emoji(aligned: Aligned) -> Aligned:
    if not _has_words(aligned.text):
        return aligned
    return aligned.replace(_STICKER, "").keep(_is_not_emoji)


def _is_not_emoji(character: str) -> bool:
    if character < "\u00a9":
        return True
    # A circle is how some type a zero in a date; skin tones are modifiers, not pictures.
    if character in "○◯":
        return True
    return unicodedata.category(character) != "So" and not "\U0001f3fb" <= character <= "\U0001f3ff"


def _has_words(text: str) -> bool:
    """Tell whether letters or digits are left once stickers, which are spelled with letters, are set aside."""
    return any(map(str.isalnum, _STICKER.sub("", text)))


def _drop_pinyin(match: re.Match[str]) -> str:
    inside = unicodedata.normalize("NFD", match.group(1))
    plain = "".join("v" if c == "\u0308" else c for c in inside if c == "\u0308" or not unicodedata.combining(c))
    return "" if _PINYIN.fullmatch(plain.replace("uv", "v").strip()) else match.group()
