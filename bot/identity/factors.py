"""Reading identity factors out of what a borrower typed.

The parsers take normalised (half-width, simplified) text. They return what the person claims; whether it is true is
decided against the register by ``bot.services.identity``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_SHARED_PHONE = re.compile(r"(?:\+|00)?86(1[3-9]\d{9})", re.ASCII)
# A sum or a year is no answer: read as one, it would use up an attempt.
_CODE = re.compile(r"(?<![\d.¥])(\d{6})(?!\d|\.\d|[元块万%])")
_TAIL = re.compile(r"(?<![0-9A-Za-z.¥])(\d{3}[0-9Xx])(?![0-9A-Za-z]|\.\d|[年元块万月%])")
_BARE_NUMBER = re.compile(r"\d(?:[ -]?\d){0,29}[Xx]?")
_IN_GROUPS = re.compile(r"(?<=\d)[ -](?=[0-9Xx])")
_WHY = re.compile(
    r"(?:为(?:什么|啥|何)|干(?:嘛|吗|什么|啥)|凭(?:什么|啥)|做(?:什么|啥)|咋|怎么)(?:还|都|就|非)?(?:要|得|需要|让我|给)(?:我|你们?|您|填|发|给|输|报|核对|验证)?(?:的)?"
    r"(?:这(?:个|些)?(?=$|[,。?!吗呢啊呀])|手机|电话|号码|验证码|身份证|后四位|姓名|名字|身份|一下)"
    r"|(?:要|给|发|填|报)(?:我|你们?|您)?(?:的)?(?:这(?:个|些)?|手机号?码?|电话|号码|验证码|身份证号?|后四位|姓名|名字)(?:有)?(?:干|做|啥用|什么用|是为)"
    r"|^(?:这是)?(?:为(?:什么|啥|何)|干(?:嘛|啥))(?:呀|啊|呢|吗|的)?[?]?$"
)
_THING = r"(?:手机号?码?|电话号?码?|号码?|手机卡|电话卡|身份证号?码?|证件|后四位)"
_GONE = (
    r"(?:丢|掉|换|停机|停用|注销|过期|坏|摔坏|欠费|欠费停机|被偷|忘|忘记|没带|不用|没用|用不了|找不[到着])了?|停了|没了|(?:不在|没在|没带在)(?:我)?(?:身边|手边|身上|手上)"
    r"|(?:记|想)不(?:清|得|起来|住)了?|不记得了?"
)
# Said alone, whatever it may mean elsewhere: 手机丢了 is a dispute where a debt is spoken of, and here a missing phone.
_NOTHING_ELSE = re.compile(
    rf"(?:我|我的|我们|那个?|那张|这个?|登记的?|留的?|原来的?|以前的?|旧|老|现在|办卡时)*(?:{_THING})(?:早|早就|已经|都|好久|也|给|弄|刚|前阵子)*(?:{_GONE})"
    r"(?:,? ?(?:也|都|就)?(?:收不到|没法收|还没补)(?:验证码|短信|码)?了?)?"
    rf"|(?:登记|留|填|办)的?(?:是)?(?:哪个|什么|啥)?(?:{_THING})(?:是(?:多少|哪个|啥))?(?:我)?(?:也|都)?(?:{_GONE}|不知道了?)"
    r"|(?:我|我也|我都)?(?:忘了|忘记了|不记得了?|(?:记|想)不(?:清|得|起来)了?|不知道(?:啊|呀|呢|是多少|是哪个)?)"
    rf"|(?:我)?(?:已经|早就|刚)?(?:换了?|没带|找不[到着]|丢了|忘了|不记得|记不清)(?:我的|新|自己的|登记的?|留的?)*(?:{_THING})了?"
)
_OUT_OF_REACH = re.compile(
    rf"{_THING}\S{{0,6}}?(?<![没别不])(?:{_GONE})|(?<![没别不])(?:忘了|忘记了?|换了?|丢了|没带|找不[到着])(?:我的|新|旧|老)*{_THING}"
    r"|(?:记|想)不(?:清|得|起来)|不(?:太)?记得|(?<![别没])忘(?:了|记)(?!还|交|存|扣|日|给)"
)
_ABOUT_SOMETHING_ELSE = re.compile(
    r"还款|还钱|欠(?!费)|逾期|征信|利息|罚息|分期|催|贷|借|账|别人|被人|盗|冒|他|她|咱爸|我爸|我妈|家人|机主|主|换人|不认识|谁|不是我|打错|打来|法院|起诉|投诉|人工|发我|给我"
)
_FULL_ID = re.compile(r"(?<!\d)\d{17}[0-9Xx](?![0-9A-Za-z])")
_INTRODUCED_NAME = re.compile(r"(?:我是|我叫|我名叫|名字是|名字叫|姓名[::是]?|本人)\s*([一-鿿·]{2,12})")
_BARE_NAME = re.compile(r"^[一-鿿]{1,4}(?:·[一-鿿]{1,8})?$")
_NOT_IN_NAMES = re.compile(
    r"[你您他她它们的了吗呢吧啊呀么什谁哪怎钱款债还欠贷卡账催查息罚客服转投诉不没是要再就也都这那呗嘛]"
)
_SELDOM_IN_NAMES = re.compile(r"[人工利有能会可想先在]")
# Bare words are taken for names only behind a surname: 取消, 知道 and 稍等 are answers of another kind.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷"
    "詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司"
    "卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查"
    "麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平"
)
_COMPOUND_SURNAMES = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "夏侯",
    "司徒",
    "端木",
    "南宫",
)
_WORDS_LIKE_NAMES = re.compile(
    r"谢谢|感谢|马上|白天|白条|白费|余额|何时|何必|解决|解释|应该|应付|成功|成都|方便|方案|金额|金条|项目|时间|时候|安全|安排|平安|平台|高兴|"
    r"万一|于是|任何|常常|常用|经常|曾经|单位|江西|江苏|温州|南京|南昌|海南|国家|国庆|明天|明白|明年|程序|关闭|关于|全部|全额|路上|黄金|宁波|宁夏|宁愿|"
    r"甘肃|毛病|申请|申报|包括|连续|连接|强制|强行|和解|平时|支付|支持|权利|封号|封了|冷静|左右|向上|官方|官网|车贷|房租|房东|房子|商量|管理|管用|"
    r"原来|原因|满意|满足|练习|位置|区别|师傅|谈谈|易懂|安心|祝你|文件|武汉|贵阳|石家庄|费用|农业|司机|尚未|尚可|华为|古代|简单|景点|米饭|边上|花呗|"
    r"高利|严重|段时间|范围|章程|纪念|尤其|阳台|时限|查询|查看|牛逼|苦|盖章|豆包|池子|仇人|荣誉|惠州|乐意|储蓄|班车|劳动|闻到|伊始|祖国"
)
_NAME_END = re.compile(r"[,,。.;;、!!??\s]|身份证|手机|电话|尾号|后四位|号码")

_AGAIN = r"重新?发|(?<!别)(?<!不要)(?<!不用)(?<!别给我)(?<!不要给我)再发"
_SEND_AGAIN = re.compile(_AGAIN)
_NEW_CODE = re.compile(rf"{_AGAIN}|没收到|收不到|没看到|没有收到|过期|失效|换一?个(?:验证)?码")


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
        if len(name) >= 2 and _looks_like_a_name(name):
            return Claim(phone=None, name=name)
    bare = text.strip(" ,。.!、")
    if expected and len(bare) >= 2 and _BARE_NAME.match(bare) and _has_surname(bare) and _looks_like_a_name(bare):
        return Claim(phone=None, name=bare)
    return None


def read_shared_phone(number: str) -> str | None:
    """Read the phone number of a shared contact, which is international: a mainland mobile's 11 digits, or None.

    A foreign number must not be read by its digits alone: +1 415 555 2671 would pass for 14155552671.
    """
    match = _SHARED_PHONE.fullmatch(re.sub(r"[ ()\-]", "", number))
    return match.group(1) if match else None


def _has_surname(name: str) -> bool:
    """Tell whether a name begins with a surname; names written with an interpunct have none."""
    return "·" in name or name[0] in _SURNAMES or name.startswith(_COMPOUND_SURNAMES)


def _looks_like_a_name(name: str) -> bool:
    if _NOT_IN_NAMES.search(name) or _WORDS_LIKE_NAMES.search(name):
        return False
    # 李想 and 王可欣 are names; 王小明想分期 is a name and what its bearer wants.
    return not _SELDOM_IN_NAMES.search(name) or (len(name) <= 3 and _has_surname(name))


def read_code(text: str) -> str | None:
    """Read a six-digit one-time code, alone or inside a sentence, also in groups (123 456)."""
    match = _CODE.search(_IN_GROUPS.sub("", text))
    return match.group(1) if match else None


def read_id_tail(text: str) -> str | None:
    """Read the last four characters of an identity number, upper-case X.

    A whole identity number is accepted for its tail, so that someone who typed too much is not turned away; callers
    store nothing but the tail.
    """
    together = _IN_GROUPS.sub("", text)
    if match := _FULL_ID.search(together):
        return match.group(0)[-4:].upper()
    if _PHONE.search(text):
        return None
    match = _TAIL.search(together) or _TAIL.search(text)
    return match.group(1).upper() if match else None


def is_bare_number(text: str) -> bool:
    """Tell whether a message is nothing but digits, whatever their grouping: an answer, if not a fitting one."""
    return _BARE_NUMBER.fullmatch(text.strip(" ,。.!、")) is not None


def asks_why(text: str) -> bool:
    """Tell whether somebody asks what a factor is needed for (为啥要这个, 要我手机号干嘛)."""
    return _WHY.search(text) is not None


def is_out_of_reach(text: str, *, is_about_identity: bool) -> bool:
    """Tell whether somebody cannot give what is asked for (忘了, 号码换了, 身份证没带在身边).

    ``is_about_identity``: nothing speaks for another subject, so it may stand among other words; else it must be all
    that is said.
    """
    said = text.strip(" ,。.!、~")
    if _NOTHING_ELSE.fullmatch(said):
        return True
    return is_about_identity and _OUT_OF_REACH.search(said) is not None and _ABOUT_SOMETHING_ELSE.search(said) is None


def wants_new_code(text: str) -> bool:
    """Tell whether somebody asks for the code again (没收到, 重发一下)."""
    return _NEW_CODE.search(text) is not None


def asks_to_send_again(text: str) -> bool:
    """Tell whether somebody says in so many words that the code is to be sent again (重发, 再发一次)."""
    return _SEND_AGAIN.search(text) is not None
