"""Lexicon of the misspellings, abbreviations and regional words of this field, as ordered rewrite rules.

Data only: ``normalize`` applies it. Every pattern works on lower-cased Simplified text and no replacement is
matched by another rule, so applying the list again changes nothing. A rule whose wrong form is also a real word
carries the context that decides; when the context does not, the text stays as it was typed.
"""

import re

Rule = tuple[re.Pattern[str], str]


def _literal(wrong: str, right: str) -> Rule:
    """Rewrite any of the space-separated ``wrong`` spellings, longest first."""
    spellings = sorted(wrong.split(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, spellings))), right


def _latin(wrong: str, right: str, before: str = "", after: str = "") -> Rule:
    """Rewrite a Latin abbreviation standing alone; given contexts, only after or in front of one of them."""
    token = rf"(?<![a-z0-9])(?:{'|'.join(wrong.split())})(?![a-z0-9])"
    if not before and not after:
        return re.compile(token), right
    return _with_contexts(token, right, before, after)


def _in_context(wrong: str, right: str, before: str = "", after: str = "") -> Rule:
    """Rewrite a Chinese misspelling only after one of ``before`` or in front of one of ``after``."""
    return _with_contexts(f"(?:{'|'.join(wrong.split())})", right, before, after)


def _with_contexts(token: str, right: str, before: str, after: str) -> Rule:
    options = [f"(?<={word}){token}" for word in before.split()]
    if after:
        options.append(f"{token}(?={'|'.join(after.split())})")
    return re.compile("|".join(options)), right


_CREDIT_BEFORE = "上 查 影响 影响到 黑 入 进 拉 洗 报 修复 我的 我得 个人 央行 人行 显示 到 损 毁 了我"
_CREDIT_AFTER = "报告 记录 纪录 花 黑 中心 系统 修复 怎么 会不会 会有 有问题 有污点 受影响 不好 逾期 异常 上 污点"
_LOAN_AFTER = "逾期 分期 账单 利息 额度"

_ABBREVIATIONS: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![a-z0-9])zx(?![a-z0-9])(?!客服|咨询|人工|一下|银行卡|账户|账号)"),
        "征信",
    ),
    _latin("yq yuqi", "逾期"),
    _latin("xyk xinyongka", "信用卡"),
    (re.compile(r"(?<![a-z0-9])wd(?![a-z0-9])(?!名下|钱|账户|[卡花借信微网])"), "网贷"),
    _latin("wangdai", "网贷"),
    _latin("zhengxin", "征信"),
    _latin("cuishou", "催收"),
    _latin(
        "cs",
        "催收",
        before="被 找 遇到 接到 天天",
        after="电话 打 上门 骚扰 公司 人员 短信",
    ),
    _latin("huankuan", "还款"),
    _latin("fq fenqi", "分期"),
    _latin("wyj weiyuejin", "违约金"),
    _latin("sxf shouxufei", "手续费"),
    _latin("lixi", "利息"),
    _latin("lx", "利息", before="的 还 减 免 算 付 有 交", after="怎么 太 高 减 免 多少"),
    _latin("daikuan", "贷款"),
    _latin("dk", "贷款", before="笔 网 房 车", after="还 逾期 利息"),
    _latin("huabei", "花呗"),
    _latin("hb", "花呗", before="欠 还", after=_LOAN_AFTER),
    _latin("jiebei", "借呗"),
    # Also a swear word, so only in front of what a loan has.
    _latin("jb", "借呗", after=_LOAN_AFTER),
    _latin("wld weilidai", "微粒贷"),
    _latin("baitiao", "白条"),
    _latin("bt", "白条", after=_LOAN_AFTER),
    _latin("kf kefu", "客服"),
    _latin("zrg", "转人工"),
    _latin("rg", "人工", before="转 接 要 找", after="服务 客服 坐席 座席"),
    _latin("txl tongxunlu", "通讯录"),
    _latin("zdhk", "最低还款"),
    _latin("tqhk", "提前还款"),
    _latin("zisha", "自杀"),
    _latin("tiaolou", "跳楼"),
    _latin("zs", "自杀", before="想 要去 不如 只能 只有 逼我"),
)

_HOMOPHONES: tuple[Rule, ...] = (
    (re.compile(r"(?<!蚊)帐(?!篷|子|幕|房|下)"), "账"),
    (
        re.compile(
            r"(?<!达到)(?<![低高大小]于)(?<!超[出过])(?<!符合)(?<!不及)(?<!比)(?<!心理)(?<!按照)"
            r"预期(?!收|年化|目标|效果|结果|中|内|值|回报|利润|不符|一样|的(?:收|效|结|目|不|要|差|那))"
        ),
        "逾期",
    ),
    _literal("愉期 愈期 逾其 逾起 遇期 渝期 喻期", "逾期"),
    _literal("崔收 摧收 吹收 催手 摧手", "催收"),
    (
        re.compile(r"(?<![讲守不])诚信(?=报告|记录|纪录|花|黑|中心|系统|修复|会不会|怎么|污点|受影响|有污点)"),
        "征信",
    ),
    _in_context("诚信", "征信", before="上 查 影响 影响到 黑 入 进 拉 洗 修复 央行 人行"),
    _in_context(
        "正信 政信 征心 整信 怔信 蒸信 证信 挣信 争信",
        "征信",
        _CREDIT_BEFORE,
        _CREDIT_AFTER,
    ),
    (re.compile(r"网(?:待(?!遇)|代(?!办|偿|理|码)|带(?!宽))|惘贷"), "网贷"),
    _literal("粉期", "分期"),
    _in_context("分其 份期 分起", "分期", before="能 办 做 可以 申请", after="还 付 款"),
    (re.compile(r"还宽(?!限|裕|松|容|敞)|换款(?!式|项)|环款|还欵|还筐"), "还款"),
    _literal("利西 力息 立息 离息 例息", "利息"),
    _literal("本斤", "本金"),
    _literal("违约今 为约金 韦约金 围约金 违约斤", "违约金"),
    _literal("花贝 花背 花杯 花坝", "花呗"),
    _literal("借贝 借背 戒呗 界呗", "借呗"),
    (re.compile(r"微[利力立]贷|威力贷|微粒(?:代(?!扣)|待)"), "微粒贷"),
    _literal("停西挂账 听息挂账 停息挂张 停息挂丈 停吸挂账", "停息挂账"),
    _in_context(
        "严期 沿期 言期 岩期",
        "延期",
        before="能 申请 办 可以 想 再 给我 请",
        after="还 几 一 到 吗 行 可",
    ),
    _in_context(
        "宽线 宽现 宽县 款限 宽献",
        "宽限",
        before="再 能 请 可以",
        after="期 几 一 两 我 到 些 个",
    ),
    _literal("减勉 减面 检免 剪免 简免 捡免", "减免"),
    _literal("启诉 起述 起素", "起诉"),
    _literal("结青 节清 洁清 结轻", "结清"),
    _literal("斜商 鞋商 协伤 携商", "协商"),
    _literal("哄炸 轰乍 轰诈", "轰炸"),
    _literal("通讯路 通信录 通迅录 通训录", "通讯录"),
    _literal("身分证", "身份证"),
    _in_context("人公 仁工 人功", "人工", before="转 接 找 要"),
    _literal("律师涵 律师寒 律师含 律师韩", "律师函"),
    _literal("信用咖 信用ka 信佣卡", "信用卡"),
    (re.compile(r"代款(?!项)|袋款|贷宽|贷欵"), "贷款"),
    _literal("冻洁 冻节", "冻结"),
    _literal("头诉 投述 投素", "投诉"),
    _in_context("最底 醉低", "最低", before="还 付", after="还 额 付 要"),
    _in_context("带扣 待扣", "代扣", before="自动 关闭 取消 解除"),
    (
        re.compile(r"(?:(?<=[想要去])|(?<=不如)|(?<=只能)|(?<=逼我))紫砂(?![壶杯茶锅])|紫砂(?=算了|的心|了算)"),
        "自杀",
    ),
    _literal("自鲨 紫杀", "自杀"),
    (re.compile(r"(?<=[我真好只就的])[相像]死(?=$|了|算|啊|的|[,。! ])"), "想死"),
    (
        re.compile(
            r"(?<![报图代手水电列填附课一外发])[表憋嫑](?=再|打(?:电话|我|来|了|过来)|给我|发(?:消息|短信|信息)|联系我|骚扰)"
        ),
        "别",
    ),
    (re.compile(r"打[措搓挫](?=了|电话|人|号)"), "打错"),
    _literal("工姿", "工资"),
    _literal("账丹", "账单"),
)

# Traditional-script and Cantonese users mean the same things by other words.
_REGIONAL: tuple[Rule, ...] = (
    _literal("联征中心", "征信中心"),
    _literal("联征", "征信"),
    _literal("简讯", "短信"),
    _literal("户头", "账户"),
    _literal("缴款", "还款"),
    _literal("点解", "为什么"),
    _literal("几时", "什么时候"),
    (re.compile(r"(?<![反然因从时])而家(?![人里庭属中长])|依家"), "现在"),
    _literal("听日", "明天"),
    _literal("寻日 琴日", "昨天"),
    _literal("边度", "哪里"),
    (re.compile(r"(?<![这那哪里外两身])边个(?![人性股])"), "谁"),
    _literal("乜嘢", "什么"),
    _literal("唔该", "麻烦"),
    _literal("系唔系 系咪", "是不是"),
    _literal("唔系", "不是"),
    _literal("可唔可以", "可不可以"),
    _literal("得唔得", "行不行"),
    _literal("有冇", "有没有"),
    _literal("冇", "没有"),
    _literal("佢哋", "他们"),
    _literal("佢", "他"),
    _literal("你哋", "你们"),
    _literal("我哋", "我们"),
    _literal("点样", "怎样"),
    _literal("咁", "这么"),
    _literal("嘅", "的"),
    _literal("咗", "了"),
    _literal("喺", "在"),
    _literal("畀 俾", "给"),
    _literal("啲", "些"),
    # Alone it is the sound of agreeing, which must not become a refusal.
    (re.compile(r"唔(?=[\u4e00-\u9fff])(?![唔嗯]?$)"), "不"),
)

RULES: tuple[Rule, ...] = _ABBREVIATIONS + _HOMOPHONES + _REGIONAL
