"""Laws that hold for any message: normalising settles, offsets lead back, sums survive being spelled out."""

from datetime import datetime
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text.amounts import AmountRange
from bot.text.normalize import normalize, normalize_text
from bot.text.scripts import Script, detect_script, fold_name, to_script
from bot.text.values import SHANGHAI, ValueKind, extract

NOW = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)

_PIECES = [
    *"一二两三四五六七八九十百千万亿零〇廿块元毛分折成号日月年周期个天后前内每下上半点到几多来把过帐單繳聯徵冇唔预期诚信崔收紫砂",
    *["zx", "yq", "wd", "1.5w", "1k5", "2026", "12-15", "30", "[流泪]",
      "(huán)", "😭", "百分之", "万分之", "a\u0301", "\u200b", "而家"],
]  # fmt: skip
messages = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(_PIECES)), max_size=14).map("".join)
any_text = st.one_of(st.text(st.characters(), max_size=60), messages)
kinds = st.one_of(st.none(), st.frozensets(st.sampled_from(list(ValueKind))))


@settings(max_examples=200, deadline=None)
@given(any_text)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalize_text(text)
    assert normalize_text(once) == once


@settings(max_examples=200, deadline=None)
@given(any_text)
def test_offsets_are_monotone_and_inside_the_message(text: str) -> None:
    result = normalize(text)
    assert len(result.offsets) == len(result.text)
    assert all(0 <= start < end <= len(text) for start, end in result.offsets)
    starts, ends = [s for s, _ in result.offsets], [e for _, e in result.offsets]
    assert starts == sorted(starts)
    assert ends == sorted(ends)


@settings(max_examples=200, deadline=None)
@given(any_text, kinds)
def test_extracting_never_raises_and_gives_separate_spans_of_the_kinds_asked(
    text: str, asked: frozenset[ValueKind] | None
) -> None:
    last = 0
    for value in extract(text, NOW, asked):
        assert asked is None or value.kind in asked
        assert 0 <= value.start < value.end <= len(text)
        assert value.start >= last or value.start == value.end - 1
        last = value.start


@settings(max_examples=200, deadline=None)
@given(any_text)
def test_scripts_take_any_text(text: str) -> None:
    detect_script(text)
    fold_name(text)
    for script in Script:
        to_script(text, script)


_CHARACTERS = "零一二三四五六七八九"
_FORMAL = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")


def _section(number: int) -> str:
    """Spell 1 to 9999 in full."""
    text, gap = "", False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += ("零" if gap and text else "") + _CHARACTERS[digit] + unit
            gap = False
        else:
            gap = True
    return text


def spell(yuan: int) -> str:
    """Spell a whole sum below a hundred million in Chinese characters, in full."""
    if yuan == 0:
        return "零"
    high, low = divmod(yuan, 10_000)
    text = _section(high) + "万" if high else ""
    if low:
        text += ("零" if high and low < 1000 else "") + _section(low)
    return text


def colloquial(yuan: int) -> str:
    """Spell a sum as it is said, dropping the last unit (两千五) where that is unambiguous."""
    text = spell(yuan)
    if yuan >= 100 and text[-1] in "十百千" and text[-3:-2] in ("百", "千", "万") and "零" not in text[-3:]:
        text = text[:-1]
    return text[1:] if text.startswith("一十") else text


def _read(text: str) -> list[AmountRange]:
    values = extract(text, NOW, frozenset({ValueKind.AMOUNT}))
    return [v.payload for v in values if isinstance(v.payload, AmountRange)]


fen = st.one_of(st.integers(1, 99_999_999), st.integers(1, 9_999_999_999))
whole_yuan = st.one_of(st.integers(1, 9999), st.integers(1, 99_999_999))


@settings(max_examples=200, deadline=None)
@given(fen)
def test_a_sum_in_figures_comes_back_to_the_fen(amount: int) -> None:
    yuan, rest = divmod(amount, 100)
    expected = [AmountRange(amount, amount, False)]
    jiao, last = divmod(rest, 10)
    change = (f"{jiao}角" if jiao else "零" if last else "") + (f"{last}分" if last else "")
    for text in (
        f"¥{yuan:,}.{rest:02}",
        f"{yuan}.{rest:02}元",
        f"{yuan:,}.{rest:02}块",
        f"还{yuan}元{change}吧",
    ):
        assert _read(text) == expected, text


@settings(max_examples=200, deadline=None)
@given(whole_yuan)
def test_a_sum_in_characters_comes_back(yuan: int) -> None:
    expected = [AmountRange(yuan * 100, yuan * 100, False)]
    for text in (
        f"{spell(yuan)}元",
        f"{spell(yuan)}块钱",
        f"{spell(yuan).translate(_FORMAL)}元整",
        f"我先还{colloquial(yuan)}块钱",
        to_script(f"欠{spell(yuan)}块钱", Script.HANT),
    ):
        assert _read(text) == expected, text


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 99), st.integers(0, 9))
def test_short_forms_with_a_unit_come_back(whole: int, tenth: int) -> None:
    for unit, size in (("w", 10_000), ("万", 10_000), ("k", 1000), ("千", 1000)):
        amount = (whole * size + tenth * size // 10) * 100
        for text in (f"{whole}.{tenth}{unit}", f"还{whole}{unit}{tenth or ''}"):
            assert _read(text) == [AmountRange(amount, amount, False)], text


@settings(max_examples=200, deadline=None)
@given(whole_yuan, whole_yuan)
def test_a_range_keeps_its_two_ends(one: int, other: int) -> None:
    low, high = sorted((one, other + 1))
    if low == high:
        high += 1
    assert _read(f"{low}到{high}元") == [AmountRange(low * 100, high * 100, False)]


@settings(max_examples=25, deadline=None)
@given(messages.filter(bool))
def test_long_messages_are_read_in_linear_time(piece: str) -> None:
    text = (piece * 5000)[:5000]
    began = perf_counter()
    extract(text, NOW)
    normalize(text)
    # A quadratic reader takes far longer; the bound leaves room for a slow, busy machine.
    assert perf_counter() - began < 3
