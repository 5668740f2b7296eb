"""Training examples made of what borrowers said: nobody in them, and nothing the checks refuse."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.teaching import Example, Unteachable, anonymise, bare, teach


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我的手机13800000001帮我查", "我的手机帮我查"),
        ("138 0000 0001 打不通", "打不通"),
        ("身份证11010119900101001X对吗", "身份证对吗"),
        ("卡号6222-0212-3456-7890冻结了", "卡号冻结了"),
        ("我叫王小明想分期", "我叫某某想分期"),
        ("我是王小明", "我是某某"),
        ("我是不是要坐牢", "我是不是要坐牢"),
        ("欠了12,345.67元", "欠了1000元"),
        ("分12期每月300行吗", "分12期每月300行吗"),
        ("2023年借的", "去年借的"),
        ("12月15号还", "12月15号还"),
        ("发到abc@example.com", "发到"),
        ("看 https://example.com/a?b=1 这个", "看 这个"),
        ("我住浙江省杭州市西湖区文三路100号", "某地"),
        ("你们公司在哪个城市", "你们公司在哪个城市"),
        ("[分期](x){y}", "分期(x)y"),
        ("想\n分期\u0007", "想 分期"),
    ],
)
def test_what_points_to_a_person_goes_and_the_rest_stays(said: str, kept: str) -> None:
    assert anonymise(said) == kept


def test_names_that_are_known_go_wherever_they_stand() -> None:
    assert anonymise("请转给王小明本人", ["王小明"]) == "请转给某某本人"


@given(st.text(alphabet="我叫王小明0123456789年元路市号- ,@.abX[]\n", max_size=40))
def test_no_long_number_survives_and_a_second_time_changes_nothing(text: str) -> None:
    once = anonymise(text)
    assert anonymise(once) == once
    assert not re.search(r"\d{5,}", once)
    assert "\n" not in once


def test_a_text_is_taught_once_and_under_one_intent() -> None:
    corrected = [
        Example("想分期", "request_installment"),
        Example("想 分期！", "request_installment"),
        Example("想分期。", "request_relief"),
        Example("欠多少", "ask_balance"),
        Example("多少钱", "ask_breakdown"),
        Example("13800000001", "inform"),
        Example("长" * 121, "inform"),
    ]
    teaching = teach(corrected, {bare("欠多少"): "ask_balance", bare("多少钱"): "ask_balance"}, ())
    assert teaching.taken == (Example("想分期", "request_installment"),)
    assert [why for _, why in teaching.left_out] == [
        Unteachable.KNOWN,
        Unteachable.OTHER_INTENT,
        Unteachable.KNOWN,
        Unteachable.OTHER_INTENT,
        Unteachable.EMPTY,
        Unteachable.TOO_LONG,
    ]


@pytest.mark.parametrize("said", ["能不能分十二期慢慢还呢", "能不能分十二期慢慢还", "能不能分十二期慢慢还呢？！"])
def test_what_measures_the_model_is_not_learned_nor_nearly(said: str) -> None:
    teaching = teach([Example(said, "request_installment")], {}, ["能不能分十二期慢慢还呢"])
    assert teaching.taken == ()
    assert teaching.left_out[0][1] is Unteachable.MEASURED


def test_the_file_reads_back_as_training_data() -> None:
    taught = teach(
        [Example("想分期: 行吗", "request_installment"), Example("征信会花吗 # 急", "rights/credit_report")], {}, ()
    )
    read = yaml.safe_load(taught.as_yaml())
    assert read["version"] == "3.1"
    assert [(block["intent"], block["examples"]) for block in read["nlu"]] == [
        ("request_installment", "- 想分期: 行吗\n"),
        ("rights/credit_report", "- 征信会花吗 # 急\n"),
    ]


def test_a_file_without_examples_is_still_training_data() -> None:
    assert yaml.safe_load(teach([], {}, ()).as_yaml()) == {"version": "3.1", "nlu": []}
