"""Sums of money in renminbi as borrowers write them. Results are integer fen."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.text.numerals import DIGITS, Numeral, find_numerals, parse_number
from bot.text.reading import Claims, Reading

_LONGEST_LINK = 8
_MAX_YUAN = Decimal(10) ** 10


@dataclass(frozen=True, slots=True)
class AmountRange:
    """A sum in fen, or the two ends of a range; ``approximate`` when the borrower said so (左右, 多, 两三千)."""

    low_fen: int
    high_fen: int
    approximate: bool


_YUAN = r"(?:元|块|圆|蚊|rmb|cny|人民币|软妹币|大洋|¥)"
_SIGN_BEFORE = re.compile(r"(?:¥|rmb|cny|人民币)[ :]{0,2}$")
_DIGIT = rf"[{DIGITS}\d]"
_TAIL = re.compile(
    rf" {{0,2}}(?P<yuan>{_YUAN})(?:钱|人民币)?"
    rf"(?:(?:零|〇)?(?:(?P<jiao>{_DIGIT})[角毛](?!票)(?:(?P<fen>{_DIGIT})分?)?|(?P<fen_only>{_DIGIT})分"
    rf"|(?P<short>\d{{1,2}}(?!\d|[.,%个天期年月号日次万千百wk元块])"
    rf"|[{DIGITS}](?![{DIGITS}十百千万个天期年月号日次元块]))))?[整正]?"
)
_SMALL = re.compile(
    rf"(?<![{DIGITS}十百千万\d.])(?P<jiao>[二两三四五六七八九2-9])(?:毛(?!病)|角(?![度色落]))(?:(?P<jiao_fen>[{DIGITS}\d])分?|钱)?"
    rf"|(?<![{DIGITS}十百千万\d.块毛角])(?P<fen>[{DIGITS}2-9])分钱"
)
_BLOCK_FIRST = re.compile(
    rf"(?<![{DIGITS}十百千万\d几这那板整大方地区模一])块(?P<jiao>[一二三四五六七八九])(?:毛(?P<fen>[一二三四五六七八九])?"
    rf"|(?=[{DIGITS}]?$|钱|[,。]))"
)
# 千把块, 上千, 千儿八百, 百八十块: magnitudes without a leading digit.
_MAGNITUDES = {
    "十": Decimal(10),
    "百": Decimal(100),
    "千": Decimal(1000),
    "万": Decimal(10_000),
}
_VAGUE = re.compile(
    rf"(?P<ba>(?<![{DIGITS}\d十百千])[百千万])把(?P<ba_unit>来)?(?P<ba_more>万)?(?P<ba_yuan>块|元)?钱?"
    rf"|(?<![{DIGITS}\d十百千万])(?P<er>[百千万])(?:儿|二)?八(?P<er_small>[十百千])(?P<er_yuan>块|元|的)?钱?"
    rf"|(?P<up>[上近过破小])(?P<up_unit>[百千万])(?P<up_more>万)?(?P<up_yuan>块|元)?钱?"
    rf"|(?<![{DIGITS}\d十百千万成上])(?P<short>[百千万])(?P<short_digit>[二三四五六七八九])(?P<short_yuan>蚊|块"
    rf"|元)?(?![{DIGITS}十百千万年])"
    rf"|(?<![{DIGITS}\d十百千万成上])(?P<lai>[百千万])来(?:块|元)钱?"
)
_LINK = re.compile(r" {0,2}(?:元|块钱?|万元)? {0,2}(?:到|至|~|-{1,2}|—{1,2}|–|或者?|(?P<pause>、)) {0,2}")
_ROUGH_BEFORE_UNIT = re.compile(rf"[多来余](?={_YUAN})")
_ROUGH_BEFORE = re.compile(
    r"(?:大概|大约|约|差不多|差唔多|将近|接近|近|快|不到|小|至少|起码|最多|最少|顶多|超过|上下|左右|好)(?:是|有|要|就"
    r"|能|在)?$"
)
_ROUGH_AFTER = re.compile(r"[块元]?钱?(?:左右|上下|出头|多|来块|来元|以上|以内|不到)")

# These begin like a counter but are words of their own: 欠5000年底还, 转500支付宝. Said of sums, from a hundred up.
_NO_COUNTER = re.compile(
    r" {0,2}(?:周转|周[一二三四五六日天末]|年[底末终前内利化息费薪]|月[底末初中供薪息租收]|日[利息子常]|天[天亮黑]"
    r"|次[日月年]|家[里人用]|人家(?![庭属])|里面|路[上费]|通过(?!来)|通知|只[有能够是好要剩还给差想]|支[付持]"
    r"|部分|平[台安时]|代[扣付还缴款偿]|系统"
    r"|回[头来家去款]|条件|成功|本[月人来周期]|名下(?!岗)|名义|节[前后日]|季末"
    r"|期[限间末待满]|群里|门[口店]|套[路现]|批[下准]"
    r"|户头|口[头袋]|强[制行]|股[东份]|声[明称]|线[上下]|间接|秒[到扣]|折[后扣算]|毫[无不]|轮到|步骤|点击)"
)
# What is counted, measured or numbered is not money.
_COUNTER = re.compile(
    r" {0,2}(?:个(?!w)|位|次|天|日|月|号|年|岁|楼|层|路|栋|室|人|家|笔|条|张|期|遍|通|回|件|斤|公里|里|米|小时"
    r"|分(?!钱|\d|[二两三四五六七八九十几]|[成开期批])|秒|点|级|届|页|项|名|只|辆|台|套"
    r"|季|周|星期|礼拜|度|折|成(?![吗吧么嘛不])|%|‰|趴|倍|步|句|字|版|口|胎|封|份|本(?!金|息)|样|种|群|股|克|升|平|亩"
    r"|户|趟|顿|场|批|组|队|排|座|门|块(?:钟|地|表|砖)"
    r"|[:/.]\d|a|强|宗|间|部|课|班|型|系|色|声|票|线|轮|节|代|厘|毫|pt|x|×|\*|\+|#|码|档|支|头|则)"
)
_MONEY_BEFORE = re.compile(
    r"(?:还|欠|付|给|交|缴|转|存|扣|借|拿|凑|筹|花|掏|出|收|赚|挣|汇|充|补|退|畀|俾|剩|免|减|要|罚|贷|差|工资|收入|月薪"
    r"|薪水|底薪|月供|月入|房租|房贷|只有|手里有|手上有|就有|身上有|每期|一期|每次|每笔|每周|每星期|每年|一年"
    r"|车贷|额度|本金|利息|违约金|罚息|手续费|金额|账单|欠款|余额|总共|一共|共|合计|总计|最低|最多|顶多|至少|每月"
    r"|每个月|一个月|月还|首付|首期|先|到手|生活费|能力|预算|上限|下限)"
    r"(?:了|款|掉|过|的|是|到|上|大概|差不多|约|大约|至少|起码|最多|最少|顶多|才|就|只|能|有|得|在|:|我|你们?|他|先"
    r"|再|清|还|给|付|交|都|这|也|够|拿|出|用|快|近|住|返|咗|,| )*$"
)
_MONEY_AFTER = re.compile(
    r" ?(?:每月|一个月|每个月|每期|/月|一期|本金|利息|罚息|违约金|工资|欠款|的(?:本金|利息|工资|欠款|罚息|违约金|额度"
    r"|账单))"
)
_FILLER = re.compile(
    r"(?:就|那|嗯+|哦|我|先|大概|差不多|大约|约|要|还|是|最多|最少|只能|顶多|可以|行|好|吧|呢|啊|呀|了|左右|的|嘛|咯"
    r"|喽|成|哈|不|吗|么|够|得|嘅|啦"
    r"|[,.。!?~、;:()\"'“” ])*"
)


def find_amounts(text: str) -> list[Reading[AmountRange]]:
    """Return the sums in ``text`` (unified characters), left to right.

    A number is money when it carries a currency word or a money word stands by it; one with neither is returned
    as ``bare`` if it could be a sum at all. What cannot be told apart (1万25) is left out. Never raises.
    """
    marked = [*_small_change(text), *_magnitude_words(text)]
    numerals = find_numerals(text)
    readings: list[Reading[AmountRange]] = []
    index = 0
    while index < len(numerals):
        reading, used = _read_at(text, numerals, index)
        if reading is not None:
            readings.append(reading)
        index += used
    claims = Claims()
    # 千把块 and 块六毛二 go first: the digits in them are no sums of their own.
    return sorted((r for r in [*marked, *readings] if claims.claim(r.start, r.end)), key=lambda r: r.start)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sum being read: its span and yuan so far, whether a currency word marked it, and whether 百, 千, w … did."""

    first: Numeral
    start: int
    end: int
    low: Decimal
    high: Decimal
    approximate: bool
    marked: bool
    has_unit: bool


def _read_at(text: str, numerals: list[Numeral], index: int) -> tuple[Reading[AmountRange] | None, int]:
    """Read the sum that begins with one numeral; the count tells how many numerals it used up."""
    first = numerals[index]
    second = numerals[index + 1] if index + 1 < len(numerals) else None
    ends = _join(text, first, second)
    if ends is None or second is None:
        candidate = _Candidate(
            first, first.start, first.end, first.low, first.high, first.approximate, False, first.has_unit
        )
        return _finish(text, _with_currency(text, candidate)), 1
    rough = first.approximate or second.approximate
    linked = any(c in "元块" for c in text[first.end : second.start])
    has_unit = first.has_unit or second.has_unit
    candidate = _Candidate(first, first.start, second.end, *ends, rough, linked, has_unit)
    return _finish(text, _with_currency(text, candidate)), 2


def _with_currency(text: str, candidate: _Candidate) -> _Candidate:
    """Take in the words around the number that make it money: 多块, 元5角, ¥ in front."""
    more = _ROUGH_BEFORE_UNIT.match(text, candidate.end)
    if more:
        candidate = replace(candidate, approximate=True, end=more.end())
    tail = _TAIL.match(text, candidate.end)
    if tail is not None and not _is_together(text, candidate, tail):
        change = _change(tail)
        # Change belongs to the sum it follows: of a range, to the upper end.
        low = candidate.low + change if candidate.low == candidate.high else candidate.low
        candidate = replace(candidate, low=low, high=candidate.high + change, marked=True, end=tail.end())
    sign = _SIGN_BEFORE.search(text, max(0, candidate.start - 8), candidate.start)
    return candidate if sign is None else replace(candidate, marked=True, start=sign.start())


def _finish(text: str, candidate: _Candidate) -> Reading[AmountRange] | None:
    """Decide whether the number is money, and how surely."""
    start, end, marked = candidate.start, candidate.end, candidate.marked
    if text[max(0, candidate.first.start - 1) : candidate.first.start] in _CUT_OFF:
        return None
    if not marked and (
        _is_counted(text, end, candidate.low, candidate.has_unit) or text[max(0, start - 1) : start] in _NOT_BEFORE
    ):
        return None
    approximate = candidate.approximate or _is_rough(text, start, end)
    rough = _ROUGH_AFTER.match(text, end)
    if rough is not None:
        if not marked and _is_counted(text, rough.end(), candidate.low, candidate.has_unit):
            return None
        marked |= rough.group()[0] in "块元"
        end = rough.end()
    amount = _amount(candidate.low, candidate.high, approximate)
    if amount is None:
        return None
    if marked or _is_about_money(text, start, end, candidate):
        return Reading(start, end, amount)
    return Reading(start, end, amount, bare=True) if _could_be_sum(text, start, end, candidate) else None


def _is_counted(text: str, end: int, number: Decimal, has_unit: bool) -> bool:
    """Tell whether what follows the number says that it counts or measures things other than money."""
    is_year = text[end : end + 1] == "年" and 1900 <= number < 2100 and not has_unit
    if number >= 100 and not is_year and _NO_COUNTER.match(text, end):
        return False
    return _COUNTER.match(text, end) is not None


_NOT_BEFORE = frozenset("-+#@/:.*×第零几")
# 千五百 is not 500: the beginning of the number could not be read, so neither is its end.
_CUT_OFF = frozenset("百千万亿")


def _is_together(text: str, candidate: _Candidate, tail: re.Match[str]) -> bool:
    """一块 means 'together' unless 钱 or change follows."""
    return text[candidate.start : candidate.end] == "一" and tail.group().strip() == "块"


def _join(text: str, first: Numeral, second: Numeral | None) -> tuple[Decimal, Decimal] | None:
    """Return both ends of 'from first to second'; the unit of the second also counts for 1到2万."""
    if second is None or second.start - first.end > _LONGEST_LINK:
        return None
    link = _LINK.fullmatch(text, first.end, second.start)
    if link is None or (link["pause"] and not _is_pair(first, second)):
        return None
    low, high = first.low, second.high
    if not first.has_unit and second.has_unit:
        unit = _trailing_unit(text[second.start : second.end])
        if unit is not None and low < second.low / unit:
            low *= unit
    return (low, high) if low < high else None


def _is_pair(first: Numeral, second: Numeral) -> bool:
    """Tell the range 4、5千 from two items of a list."""
    if first.has_unit or not second.has_unit or first.high > 9:
        return False
    leading = Decimal(str(second.low.normalize()).partition("E")[0])
    return leading - first.low == 1 or (first.low, leading) == (Decimal(3), Decimal(5))


def _trailing_unit(run: str) -> Decimal | None:
    """Return what the last unit of a run such as 2万 multiplies by, when the run ends with it."""
    for size in (2, 1):
        value = parse_number("1" + run[-size:]) if run[-size:].strip(f"{DIGITS}0123456789., ") == run[-size:] else None
        if value is not None:
            return value
    return None


def _digit(character: str | None) -> Decimal:
    return (parse_number(character) if character else None) or Decimal(0)


def _change(tail: re.Match[str]) -> Decimal:
    """Return the jiao and fen after the yuan: 12块5 and 12块50 are both twelve and a half."""
    if short := tail["short"]:
        return Decimal(short) / (100 if len(short) == 2 else 10) if short.isdecimal() else _digit(short) / 10
    return _digit(tail["jiao"]) / 10 + (_digit(tail["fen"]) + _digit(tail["fen_only"])) / 100


def _amount(low: Decimal, high: Decimal, approximate: bool) -> AmountRange | None:
    low_fen, high_fen = low * 100, high * 100
    if high > _MAX_YUAN or low_fen != low_fen.to_integral_value() or high_fen != high_fen.to_integral_value():
        return None
    return AmountRange(int(low_fen), int(high_fen), approximate)


def _is_rough(text: str, start: int, end: int) -> bool:
    return _ROUGH_BEFORE.search(text, max(0, start - 6), start) is not None or bool(_ROUGH_AFTER.match(text, end))


def _is_about_money(text: str, start: int, end: int, candidate: _Candidate) -> bool:
    if not candidate.has_unit and candidate.first.high < 10:
        return False
    return _MONEY_BEFORE.search(text, max(0, start - 12), start) is not None or bool(_MONEY_AFTER.match(text, end))


def _could_be_sum(text: str, start: int, end: int, candidate: _Candidate) -> bool:
    """Tell whether an unexplained number may be a sum: alone in the message, or of the size and form of one."""
    run = text[candidate.first.start : candidate.first.end]
    if run.isdecimal() and len(run) > 1 and run[0] == "0":
        # 0512 is a code or the end of one.
        return False
    if _is_alone(text, start, end):
        return True
    if run.isdecimal() and not candidate.has_unit:
        return 3 <= len(run) <= 7
    return (candidate.has_unit and candidate.low >= 100) or "." in run or "," in run


def _is_alone(text: str, start: int, end: int) -> bool:
    before, after = text[:start][-40:], text[end:][:40]
    return len(text) < 80 and bool(_FILLER.fullmatch(before) and _FILLER.fullmatch(after))


def _small_change(text: str) -> list[Reading[AmountRange]]:
    readings = []
    for match in _SMALL.finditer(text):
        yuan = _digit(match["jiao"]) / 10 + (_digit(match["jiao_fen"]) + _digit(match["fen"])) / 100
        amount = _amount(yuan, yuan, False)
        if amount is not None and text[max(0, match.start() - 1) : match.start()] not in ("块", "元"):
            readings.append(Reading(match.start(), match.end(), amount))
    for match in _BLOCK_FIRST.finditer(text):
        yuan = 1 + _digit(match["jiao"]) / 10 + _digit(match["fen"]) / 100
        amount = _amount(yuan, yuan, False)
        if amount is not None:
            readings.append(Reading(match.start(), match.end(), amount))
    return readings


def _magnitude_words(text: str) -> list[Reading[AmountRange]]:
    readings = []
    for match in _VAGUE.finditer(text):
        low, high = _magnitude(match)
        explained = any(match[name] for name in ("ba_yuan", "er_yuan", "up_yuan", "short_yuan")) or bool(match["lai"])
        if not explained and _is_counted(text, match.end(), low, True):
            continue
        bare = False
        if (
            (match["up"] or match["short"])
            and not explained
            and not _MONEY_BEFORE.search(text, max(0, match.start() - 8), match.start())
        ):
            # 千二 alone answers 'how much'; 万五 alone may be a rate.
            bare = match["short"] in ("百", "千") and _is_alone(text, match.start(), match.end())
            if not bare:
                continue
        amount = _amount(low, high, match["short"] is None)
        if amount is not None:
            readings.append(Reading(match.start(), match.end(), amount, bare=bare))
    return readings


def _magnitude(match: re.Match[str]) -> tuple[Decimal, Decimal]:
    if match["er"]:
        return 8 * _MAGNITUDES[match["er_small"]], _MAGNITUDES[match["er"]]
    if match["short"]:
        # 千五, 万五: the leading 一 is dropped in speech.
        exact = parse_number("一" + match["short"] + match["short_digit"]) or Decimal(0)
        return exact, exact
    unit = _MAGNITUDES[match["ba"] or match["up_unit"] or match["lai"]]
    if match["ba_more"] or match["up_more"]:
        unit *= 10_000
    return unit, unit
