"""Why somebody says they cannot pay, as a policy knows it. Only reading; texts are normalised as for ``reading``."""

import re

from bot.workout.policy_sections import HardshipKind

_WHO = r"(?:我|我们|家[里人]?|老公|老婆|爱人|孩子|小孩|儿子|女儿|爸妈?|妈妈?|父亲|母亲|父母|爷爷|奶奶|老人|他|她)?"

_WORDS: tuple[tuple[HardshipKind, re.Pattern[str]], ...] = (
    (
        HardshipKind.BEREAVEMENT,
        re.compile(rf"{_WHO}(?:去世|过世|离世|病逝|走了(?=,|。|$))|(?:办|料理)(?:丧事|后事)|丧(?:事|葬)|奔丧|下葬"),
    ),
    (
        HardshipKind.ILLNESS,
        re.compile(
            r"生病|得病|大病|重病|病重|患病|有病在|住院|手术|开刀|化疗|透析|癌|肿瘤|瘫痪|中风|骨折|车祸|受伤|工伤|残疾"
            r"|医药费|医疗费|药费|看病|治病|抢救|icu|抑郁症|尿毒症|白血病|重症|病倒|养病|病假|早产"
        ),
    ),
    (
        HardshipKind.DISASTER,
        re.compile(r"水灾|火灾|着火|火烧|地震|台风|洪水|洪涝|暴雨(?:淹|冲)|被淹|泥石流|受灾|遭灾|天灾|旱灾|雪灾"),
    ),
    (
        HardshipKind.JOB_LOSS,
        re.compile(
            r"失业|下岗|待业|被裁|裁员|被(?:公司|单位|厂里?)?(?:辞退|开除|解雇|优化)|丢了?工作|没(?:有|了)?工作|工作没了|没班上"
            r"|没活(?:干|儿|做|路)?|离职|辞职|没上班|不上班|(?:公司|厂子?|店|单位)[^,。]{0,6}(?:关门|没了|黄了|破产)|倒闭"
        ),
    ),
    (
        HardshipKind.INCOME_CUT,
        re.compile(
            r"降薪|减薪|扣工资|降工资|(?:工资|收入|提成|生意|单量|营业额|薪水)[^,。]{0,6}(?:少|低|降|减|差|没发|不发|不好|拖|欠|断|没有?了|发不)"
            r"|(?:拖欠|拖|欠|压|不发|没发|少发)(?:着|了)?(?:我们?|大家)?"
            r"(?:[\d一二三四五六七八九十几两]+个?月|半年|一年)?的?(?:工资|工钱|薪)|(?:工资|薪水)(?:才|只)发"
            r"|欠薪|没(?:有|什么|啥)?(?:收入|生意|进账)|生意(?:亏|赔|不行|难)|亏(?:本|损|了)|赔(?:本|光|了)"
            r"|停(?:工|产|业|薪)|单子少|跑不(?:到|出)|淡季"
        ),
    ),
)

_DENIED = re.compile(r"(?:没有?|不是|并非|又没|从没|不算|不至于)[^,。]{0,2}$")


def read_hardship(text: str) -> HardshipKind | None:
    """Return the hardship a message tells of; None where it names none that a policy knows.

    Of several the graver comes first, in the order bereavement, illness, disaster, loss of work, loss of income.
    """
    for kind, words in _WORDS:
        if any(not _DENIED.search(text[: match.start()]) for match in words.finditer(text)):
            return kind
    return None
