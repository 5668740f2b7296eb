"""How a borrower's words are read for a case. The sentences are written for these tests."""

from __future__ import annotations

import pytest

from bot.cases.evidence import Evidence, evidence_for
from bot.cases.kinds import CaseKind, Family, kinds_of, silences_everything
from bot.cases.reading import asks_for_progress, means_every_debt, read_kind, says_enough, takes_back
from bot.text.normalize import normalize_text

K = CaseKind

DISPUTES = [
    ("这笔钱不是我借的", K.NOT_MINE),
    ("我從來沒貸過款", K.NOT_MINE),
    ("我根本不认识这笔账", K.NOT_MINE),
    ("有人拿我身份证去贷的", K.IDENTITY_THEFT),
    ("卡被盗刷了,不是我花的", K.IDENTITY_THEFT),
    ("身份證丟過,被人冒用了", K.IDENTITY_THEFT),
    ("我早就还清了怎么还有", K.ALREADY_PAID),
    ("上个月都结清了呀", K.ALREADY_PAID),
    ("这笔账不对,我没借过这么多", K.AMOUNT),
    ("利息算错了吧", K.AMOUNT),
    ("你们重复扣了两次", K.AMOUNT),
    ("罚息金额有问题", K.AMOUNT),
    ("我没办过这个分期", K.WRONG_PRODUCT),
    ("没同意过保险怎么扣钱", K.WRONG_PRODUCT),
    ("借款人已经去世了", K.DECEASED),
    ("这账不对", None),
    ("我有异议", None),
]

COMPLAINTS = [
    ("你们的人威胁要弄死我", K.THREATS),
    ("催收恐嚇我", K.THREATS),
    ("有人上门来闹", K.VISIT),
    ("到我家门口堵我", K.VISIT),
    ("把我的信息发到群里", K.DATA_LEAK),
    ("你们爆我通讯录", K.THIRD_PARTY),
    ("给我妈打电话说我欠钱", K.THIRD_PARTY),
    ("联系我单位领导", K.THIRD_PARTY),
    ("一天打二十个电话", K.FREQUENCY),
    ("半夜还打过来", K.FREQUENCY),
    ("你们的催收员骂我,我要投诉", K.TONE),
    ("客服态度太差我要投诉", K.TONE),
    ("乱收手续费", K.FEES),
    ("办事太慢了没人管", K.SERVICE),
    ("我要投诉", None),
    ("我要投诉你们", None),
]


@pytest.mark.parametrize(("text", "kind"), DISPUTES)
def test_the_kind_of_a_dispute_is_read_or_left_open(text: str, kind: CaseKind | None) -> None:
    assert read_kind(Family.DISPUTE, normalize_text(text)) is kind


@pytest.mark.parametrize(("text", "kind"), COMPLAINTS)
def test_the_kind_of_a_complaint_is_read_or_left_open(text: str, kind: CaseKind | None) -> None:
    assert read_kind(Family.COMPLAINT, normalize_text(text)) is kind


def test_what_weighs_more_comes_first() -> None:
    assert read_kind(Family.COMPLAINT, "天天打电话骂我还威胁我") is K.THREATS


@pytest.mark.parametrize("text", ["没有了", "就这些", "没了", "先这样吧", "说完了", "不用了", "暂时没有", "没有别的了"])
def test_somebody_has_said_all(text: str) -> None:
    assert says_enough(normalize_text(text))


@pytest.mark.parametrize(
    "text", ["没有人理我", "昨天晚上八点", "他说不还就上门,就这样一直打", "没有录音,但是有短信截图"]
)
def test_a_fact_is_no_end(text: str) -> None:
    assert not says_enough(normalize_text(text))


@pytest.mark.parametrize("text", ["我要撤回投诉", "撤銷異議", "不投诉了", "想撤诉", "投诉取消吧"])
def test_taking_back_is_heard(text: str) -> None:
    assert takes_back(normalize_text(text))


@pytest.mark.parametrize("text", ["我不撤", "先不撤了", "怎么投诉", "投诉进度"])
def test_keeping_is_not_taking_back(text: str) -> None:
    assert not takes_back(normalize_text(text))


@pytest.mark.parametrize(
    "text", ["我的投诉怎么样了", "投诉进度", "上次投诉有结果了吗", "异议查得怎么样", "投诉多久有结果"]
)
def test_asking_for_progress_is_heard(text: str) -> None:
    assert asks_for_progress(normalize_text(text))


@pytest.mark.parametrize("text", ["怎么投诉", "这笔账不对", "投诉电话多少"])
def test_another_question_is_no_asking_for_progress(text: str) -> None:
    assert not asks_for_progress(normalize_text(text))


def test_every_debt_is_meant_or_one() -> None:
    assert means_every_debt("全部都不是我的")
    assert not means_every_debt("第二笔")


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_kind_has_a_family_a_place_and_evidence(kind: CaseKind) -> None:
    assert kind in kinds_of(kind.family)
    # Whoever asks about their own data owes nothing but being who they are.
    assert bool(evidence_for(kind)) is (kind.family is not Family.DATA)
    assert not (kind.concerns_conduct and kind.family is Family.DISPUTE)
    assert not kind.may_be_dangerous or Evidence.POLICE_REPORT in evidence_for(kind)


def test_a_dispute_silences_its_debt_only_and_a_complaint_or_a_death_everything() -> None:
    assert [kind for kind in kinds_of(Family.DISPUTE) if silences_everything(Family.DISPUTE, kind)] == [K.DECEASED]
    assert silences_everything(Family.COMPLAINT, None)
