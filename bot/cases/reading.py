"""What a message says about a case: its kind, that all is said, that it is taken back. Only reading.

Texts are normalised as for the classifier (``bot.text.normalize``). Where several kinds fit, the one that weighs more
comes first; where none does, the borrower is asked.
"""

from __future__ import annotations

import re

from bot.cases.kinds import CaseKind, Family

_DISPUTES: tuple[tuple[CaseKind, re.Pattern[str]], ...] = (
    (CaseKind.DECEASED, re.compile(r"去世|过世|病逝|离世|人已经(?:走|没|不在)了")),
    (
        CaseKind.IDENTITY_THEFT,
        re.compile(
            r"冒用|冒名|盗用|盗刷|顶替|(?:被|有)(?:人|别人|他人)(?:拿|用|偷)|(?:别人|他人|有人)(?:拿|用|借)(?:了|着)?我"
            r"|(?:身份证|证件|手机|卡)(?:被偷|丢|掉了|被人)|不知情"
        ),
    ),
    (
        CaseKind.ALREADY_PAID,
        re.compile(r"(?:已经|已|早|都|全)[^,。?]{0,4}(?:还|结|付|缴)(?:清|完|过|了|掉)|(?:还|结|付)(?:清|完)(?:了|过)"),
    ),
    (
        CaseKind.AMOUNT,
        re.compile(
            r"(?:多|重复|错)(?:算|收|扣|记|入)|算错|算多|扣(?:了)?(?:两|2|三|3)(?:次|遍|回)|对不上|没(?:有)?(?:借|欠|花|用|拿)过?(?:这么|那么)多"
            r"|(?:金额|数额|数字|数目|本金|利息|罚息|费用|违约金|账单)[^,。?]{0,6}(?:不对|错|有问题|不符)"
        ),
    ),
    (
        CaseKind.WRONG_PRODUCT,
        re.compile(
            r"(?:产品|业务|种类)[^,。?]{0,4}(?:不对|错)|办的(?:不是|是另)|没(?:有)?(?:开|办|买|要|同意)过?[^,。?]{0,6}"
            r"(?:分期|保险|会员|附加|服务)|(?:不是|并非)我(?:办|选|要)的(?:产品|业务|那个|这个)"
        ),
    ),
    (
        CaseKind.NOT_MINE,
        re.compile(
            r"不是我(?:的|借|贷|欠|本人|办|申请|弄)|没(?:有)?(?:借|贷|申请|办理?|用)过|从来没|从没|根本没|不(?:认识|知道)这(?:笔|个)"
            r"|跟我(?:没|无)关|与我无关"
        ),
    ),
)

_COMPLAINTS: tuple[tuple[CaseKind, re.Pattern[str]], ...] = (
    (
        CaseKind.THREATS,
        re.compile(
            r"威胁|恐吓|吓唬|恫吓|(?:打|弄|砍|杀|废)(?:死|了|残|断)?我|泼(?:油)?漆|放狠话|等着瞧|走着瞧|要我(?:好看|命)"
        ),
    ),
    (
        CaseKind.VISIT,
        re.compile(
            r"上门|(?:到|来|去|跑到?)我?(?:家|家里|单位门口)(?:来|闹|堵|骂|找)|堵(?:我|在|门)|敲门|砸门|蹲(?:点|守)"
        ),
    ),
    (
        CaseKind.DATA_LEAK,
        re.compile(
            r"泄露|泄漏|曝光|公开我|贴(?:条|纸|大字报|出来)|发(?:到|在)?(?:群|朋友圈|网上)|(?:信息|资料|照片|身份证)[^,。?]{0,6}(?:卖|传|发给|外传)"
        ),
    ),
    (
        CaseKind.THIRD_PARTY,
        re.compile(
            r"通讯录|(?:打|找|联系|骚扰|发|问|告诉|通知|给|跟)[^,。?]{0,6}"
            r"(?:家人|家里人|爸|妈|父母|老公|老婆|媳妇|丈夫|妻子|孩子|亲戚|亲友|朋友|同事|单位|公司|老板|领导|邻居|村里|学校|老师)"
        ),
    ),
    (
        CaseKind.FREQUENCY,
        re.compile(
            r"天天|每天|整天|(?:一|1)天[^,。?]{0,4}(?:打|发|几|十|好多|\d)|轰炸|(?:打|发)个?(?:没完|不停)|半夜|深夜|凌晨|大晚上|没完没了|太频繁"
            r"|(?:几|十|\d)(?:十|多)?(?:个|通)电话"
        ),
    ),
    (CaseKind.TONE, re.compile(r"骂|辱|脏话|态度|(?:很|太|特别|这么)凶|凶我|难听|人格|口气|语气|吼|阴阳怪气|嘲|挖苦")),
    (CaseKind.FEES, re.compile(r"(?:乱|多|重复)收|收费|手续费|会员费|服务费|担保费|砍头息|咨询费|保险费")),
    (
        CaseKind.SERVICE,
        re.compile(
            r"太慢|不回|没人(?:理|接|管|回)|推(?:诿|脱|来推去)|踢皮球|系统|打不通|服务(?:很|太|差|不)|效率|答非所问|敷衍"
        ),
    ),
)

_ENOUGH = re.compile(
    r"^[^,。]{0,4}(?:就这(?:些|样|个)|没(?:有)?(?:了|别的|其他|补充|什么)|说完|不(?:用|补充|说)了?|先这样|完了|暂时没有)[^,。]{0,6}$"
)
_TAKES_BACK = re.compile(
    r"撤(?:回|销|掉|了|诉)|(?:取消|收回)[^,。?]{0,6}(?:投诉|异议|申诉)|不(?:想)?(?:再)?(?:投诉|追究|申诉)了|(?:投诉|异议)[^,。?]{0,3}(?:取消|算了|不要了)"
)
_KEEPS = re.compile(r"(?:不|别|没|先不)(?:想|要|会)?撤|(?:能不能|可不可以|怎么|如何)[^,。]{0,4}不(?:能)?撤")
_EVERYTHING = re.compile(r"全部|所有|都(?:不|是|有|要)|^都|每(?:一)?笔|两笔|三笔|几笔都")
_PROGRESS = re.compile(
    r"(?:投诉|异议|核查|举报|编号|处理|申诉|反映)[^,。]{0,8}(?:怎么样|咋样|结果|进展|进度|到哪|多久|几天|有信|没信|结案|好了没|查得|查完|呢)"
    r"|(?:进展|进度|结果)[^,。]{0,6}(?:投诉|异议|核查|申诉|呢|如何|怎么样|出来)|投诉进度"
)


_RATHER_A_PLAN = re.compile(
    r"分期|分[\d一二两三四六八十]+(?:期|个月|次)|慢慢还|(?:没|莫|冇|木)(?:有|得)?钱|钱[^,。?]{0,3}(?:没有|没得|没了)|还不(?:起|上|了|清)"
    r"|宽限|延期|缓(?:一)?缓|减免|少还"
)


def wants_a_plan(text: str) -> bool:
    """Tell whether a text that disputes nothing asks for a way to pay: 钱我没有 is no denial of the debt."""
    return read_kind(Family.DISPUTE, text) is None and _RATHER_A_PLAN.search(text) is not None


def read_kind(family: Family, text: str) -> CaseKind | None:
    """Return the kind of case that a text speaks of, None where it does not say."""
    table = _DISPUTES if family is Family.DISPUTE else _COMPLAINTS
    return next((kind for kind, pattern in table if pattern.search(text)), None)


def says_enough(text: str) -> bool:
    """Whether somebody who is telling what happened has said all."""
    return _ENOUGH.search(text) is not None


def takes_back(text: str) -> bool:
    """Whether somebody wants to withdraw what they had raised."""
    return _TAKES_BACK.search(text) is not None and _KEEPS.search(text) is None


def means_every_debt(text: str) -> bool:
    """Whether an answer to the question which debt means all of them."""
    return _EVERYTHING.search(text) is not None


def asks_for_progress(text: str) -> bool:
    """Whether somebody asks what became of something they had raised."""
    return _PROGRESS.search(text) is not None
