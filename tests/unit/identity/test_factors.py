"""Reading identity factors: what is taken for one, and above all what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.factors import (
    Claim,
    asks_to_send_again,
    asks_why,
    is_out_of_reach,
    read_claim,
    read_code,
    read_id_tail,
    wants_new_code,
)
from bot.text.normalize import normalize_text

PHONE = "13900001234"


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        "139 0000 1234",
        "139-0000-1234",
        "+8613900001234",
        "+86 139 0000 1234",
        "86-13900001234",
        "我手机号13900001234",
        "号码是13900001234,姓王",
        "我叫王小明,13900001234",
        "13900001234谢谢",
    ],
)
@pytest.mark.parametrize("expected", [True, False])
def test_a_mobile_number_is_read_however_it_is_written(text: str, expected: bool) -> None:
    assert read_claim(text, expected=expected) == Claim(phone=PHONE, name=None)


@pytest.mark.parametrize(
    "text",
    [
        "12900001234",
        "1390000123",
        "139000012345",
        "6222139000012345678",
        "110101199001011234",
        "010-12345678",
        "4001234567",
    ],
)
def test_other_numbers_are_no_mobile_number(text: str) -> None:
    assert read_claim(text, expected=True) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我是王小明", "王小明"),
        ("我叫 李想", "李想"),
        ("我名叫王可欣", "王可欣"),
        ("本人欧阳明月", "欧阳明月"),
        ("姓名:赵有才", "赵有才"),
        ("名字是陈晨,手机停机", "陈晨"),
        ("我叫阿依古丽·买买提", "阿依古丽·买买提"),
        ("你好,我是孙丽身份证后四位", "孙丽"),
        ("我是司马光明。想看账", "司马光明"),
    ],
)
@pytest.mark.parametrize("expected", [True, False])
def test_an_introduced_name_is_read(text: str, name: str, expected: bool) -> None:
    assert read_claim(text, expected=expected) == Claim(phone=None, name=name)


BARE_NAMES = ["王小明", "李想", "王可", "张伟", "欧阳明月", "阿依古丽·买买提", "诸葛亮", "谢婷婷", "马超。", " 于晓 "]


@pytest.mark.parametrize("text", BARE_NAMES)
def test_a_bare_name_is_read_when_it_was_asked_for(text: str) -> None:
    assert read_claim(text, expected=True) == Claim(phone=None, name=text.strip(" 。"))


@pytest.mark.parametrize("text", BARE_NAMES)
def test_a_bare_name_means_nothing_when_it_was_not_asked_for(text: str) -> None:
    assert read_claim(text, expected=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "取消",
        "知道",
        "知道了",
        "稍等",
        "等等",
        "等一下",
        "明天",
        "马上",
        "谢谢",
        "好的",
        "可以",
        "不行",
        "干嘛",
        "为什么",
        "白条",
        "花呗",
        "余额",
        "何时",
        "方便",
        "成功",
        "申请",
        "申诉",
        "转人工",
        "人工",
        "客服",
        "查账",
        "没钱",
        "我是本人",
        "我是",
        "本人",
        "我是来问的",
        "我是想分期",
        "我是你们客户",
        "我是他老婆",
        "我是失业人员",
        "你是谁",
        "高利贷",
        "高利息",
        "没收到",
        "方案一",
        "全部",
        "金额",
        "在吗",
        "你好",
        "您好",
        "退出",
        "返回",
        "房贷",
        "江苏",
        "万一",
        "谈谈",
        "解决",
        "还钱",
        "王",
        "我",
        "重发",
        "忘了",
        "换号了",
        "应该是",
    ],
)
def test_other_short_answers_are_no_name(text: str) -> None:
    assert read_claim(text, expected=True) is None


def test_what_somebody_wants_is_not_read_into_their_name() -> None:
    assert read_claim("我是王小明想分期", expected=True) is None


@pytest.mark.parametrize(
    "text", ["123456", "验证码123456", "123 456", "1 2 3 4 5 6", "是123456。", "123-456", "码:123456 收到了"]
)
def test_a_one_time_code_is_read(text: str) -> None:
    assert read_code(text) == "123456"


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "1234567",
        PHONE,
        "139 0000 1234",
        "123456元",
        "欠了123456块",
        "¥123456",
        "123456.50",
        "0.123456",
        "没收到",
        "",
    ],
)
def test_other_figures_are_no_code(text: str) -> None:
    assert read_code(text) is None


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("1234", "1234"),
        ("123x", "123X"),
        ("123X", "123X"),
        ("后四位1234", "1234"),
        ("是 002x 吧", "002X"),
        ("1 2 3 4", "1234"),
        ("12 3x", "123X"),
        ("11010119900101123x", "123X"),
        ("110101199001011234", "1234"),
        ("110101 19900101 123x", "123X"),
        ("1101 0119 9001 0112 34", "1234"),
        ("身份证110101199001011234", "1234"),
    ],
)
def test_the_tail_of_an_identity_number_is_read(text: str, tail: str) -> None:
    assert read_id_tail(text) == tail


@pytest.mark.parametrize(
    "text",
    [
        "123",
        "12345",
        "x123",
        "12x4",
        PHONE,
        "139-0000-1234",
        "139 0000 1234",
        "2026年",
        "1500元",
        "¥1500",
        "3500块",
        "1234.56",
        "不记得",
        "",
    ],
)
def test_other_figures_are_no_tail(text: str) -> None:
    assert read_id_tail(text) is None


@pytest.mark.parametrize(
    "text",
    ["没收到", "收不到短信", "重发", "重新发一个", "再发一次", "验证码过期了", "换个验证码", "失效了", "没有收到啊"],
)
def test_asking_for_the_code_again_is_noticed(text: str) -> None:
    assert wants_new_code(text)


@pytest.mark.parametrize("text", ["123456", "别再发了", "不要再发短信", "不要给我再发消息", "好的", "稍等我找一下"])
def test_other_answers_do_not_send_another_code(text: str) -> None:
    assert not wants_new_code(text)


@given(st.text(alphabet="0123456789Xx+- 我是王年元.¥", max_size=60), st.booleans())
def test_what_is_read_always_has_the_form_of_its_factor(text: str, expected: bool) -> None:
    claim = read_claim(text, expected=expected)
    code, tail = read_code(text), read_id_tail(text)
    assert claim is None or (claim.phone is None) is not (claim.name is None)
    assert claim is None or claim.phone is None or (len(claim.phone) == 11 and claim.phone.isdigit())
    assert code is None or (len(code) == 6 and code.isdigit())
    assert tail is None or (len(tail) == 4 and tail[:3].isdigit() and (tail[3].isdigit() or tail[3] == "X"))


@pytest.mark.parametrize(
    "text",
    [
        "为啥要这个",
        "为什么要我手机号",
        "要我手机号干嘛",
        "要身份证干什么",
        "凭什么给你们手机号",
        "干嘛要验证码",
        "为什么要核对身份",
        "为啥?",
        "填这个有什么用",
    ],
)
def test_who_asks_what_a_factor_is_for_is_heard(text: str) -> None:
    assert asks_why(normalize_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "13800000001",
        "张伟",
        "为什么罚息这么高",
        "为什么要还这么多",
        "你们要干嘛",
        "凭什么收违约金",
        "没收到验证码",
        "为什么给我这个方案",
        "为什么要收这些利息",
        "怎么还",
    ],
)
def test_a_question_about_something_else_is_left_alone(text: str) -> None:
    assert not asks_why(normalize_text(text))


ALONE = [
    "忘了",
    "不记得了",
    "想不起來了",
    "不知道",
    "身份证号忘记了",
    "身份证没带在身边",
    "身份证丢了",
    "没带身份证",
    "找不到身份证了",
    "手机号换了",
    "换号了",
    "我换手机号了",
    "號碼早換了,收不到驗證碼",
    "原来的号不用了",
    "那个号停机了",
    "手机欠费停机了",
    "以前的号注销了",
    "手机不在身边",
    "手机丢了",
    "記不清後四位",
    "登记的是哪个号我忘了",
]
AMONG_OTHER_WORDS = ["不知道登记的号了,换了好几个号", "手机刚摔坏了看不了短信", "身份证忘在老家了"]
ANOTHER_SUBJECT = [
    "13800000001",
    "1001",
    "张伟",
    "没收到",
    "收不到验证码",
    "换个验证码",
    "忘了还款会怎么样",
    "我忘了还款日",
    "手机丢了被人用来借的",
    "身份证被人冒用了",
    "身份证丢过,我没借",
    "我不记得借过这个钱",
    "他换号了",
    "换号主了",
    "这号换人了",
    "我不认识这个人,号码换主了",
    "手机丢了,转人工",
    "我没换号",
    "手机没丢",
    "别忘了给我发短信",
    "想不到办法了",
    "什么意思",
    "为什么要身份证",
    "好的",
    "转人工",
    "没有",
]


@pytest.mark.parametrize("text", ALONE)
def test_who_cannot_give_what_is_asked_for_is_heard_whatever_it_may_mean_elsewhere(text: str) -> None:
    assert is_out_of_reach(normalize_text(text), is_about_identity=False)


@pytest.mark.parametrize("text", AMONG_OTHER_WORDS)
def test_among_other_words_it_is_heard_where_nothing_speaks_for_another_subject(text: str) -> None:
    assert is_out_of_reach(normalize_text(text), is_about_identity=True)
    assert not is_out_of_reach(normalize_text(text), is_about_identity=False)


@pytest.mark.parametrize("text", ANOTHER_SUBJECT)
def test_whoever_says_something_else_is_not_taken_to_have_forgotten(text: str) -> None:
    assert not is_out_of_reach(normalize_text(text), is_about_identity=True)


@pytest.mark.parametrize(("text", "again"), [("重发", True), ("再发一次,刚才手机不在身边", True), ("收不到", False)])
def test_an_order_to_send_again_is_told_from_a_code_that_did_not_come(text: str, again: bool) -> None:
    assert asks_to_send_again(normalize_text(text)) is again
    assert wants_new_code(normalize_text(text))
