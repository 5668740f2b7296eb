"""What may be taken for a yes that binds, whatever it was understood as."""

from __future__ import annotations

import pytest

from bot.text.assent import may_be_assent, wants_time
from bot.text.normalize import normalize_text


@pytest.mark.parametrize(
    "text",
    [
        "同意",
        "好的",
        "行，就这样定",
        "可以 就这个方案",
        "没问题，我接受",
        "没意见",
        "考虑好了，签吧",
        "嗯嗯",
        "我认这个方案",
        "同意吧",
        "",
    ],
)
def test_a_plain_yes_may_bind(text: str) -> None:
    assert may_be_assent(normalize_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "为什么给我这个方案",
        "凭什么是这个方案",
        "這個方案怎麼來的",
        "请人工复核这个方案",
        "同意了会怎样？",
        "同意的话征信会好吗",
        "我不同意",
        "这个方案我不太接受",
        "先不签",
        "让我再想想",
        "我考虑一下",
        "如果利息能减我就同意",
        "除非免掉违约金",
    ],
)
def test_a_question_a_no_and_a_condition_bind_nobody(text: str) -> None:
    assert not may_be_assent(normalize_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "我想想",
        "讓我想想",
        "容我想一想",
        "我再考虑考虑",
        "想想再说",
        "好，我想想",
        "等我想想哈",
        "那我考虑下再回复你",
        "跟老婆商量一下",
        "我回去跟我老公商量商量",
        "我得问问我妈",
        "琢磨琢磨",
        "稍等",
        "等一下哈",
        "等会儿",
        "等等",
    ],
)
def test_somebody_who_only_wants_to_think_is_given_time(text: str) -> None:
    assert wants_time(normalize_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "想",
        "想好了",
        "考虑好了",
        "我想还钱",
        "我想想办法",
        "想想怎么还",
        "我想想每月500行不",
        "想不开",
        "同意",
        "商量一下",
        "不考虑",
        "先不考虑了",
        "不用等一下",
        "等发工资",
        "等我有钱了再还",
        "等下个月",
        "再想想别的法子",
    ],
)
def test_whoever_says_more_than_that_is_not_put_off(text: str) -> None:
    assert not wants_time(normalize_text(text))
