import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.lending.contract import ProductKind
from bot.lending.schedule import equal_instalments, monthly_due_dates
from bot.workout.agreement import (
    AgreedDebt,
    AgreementTerms,
    TemplateError,
    render,
    six_contents_missing,
    text_hash,
)

TEMPLATES = Path(__file__).parents[3] / "data" / "templates"
CARD = (TEMPLATES / "agreement_card.txt").read_text(encoding="utf-8")
LOAN = (TEMPLATES / "agreement_loan.txt").read_text(encoding="utf-8")

TERMS = AgreementTerms(
    product_kind=ProductKind.CREDIT_CARD,
    lender_name="示范银行",
    offer_id="offer-test",
    policy_code="card_relief",
    policy_version="2026-11",
    as_of=date(2026, 11, 21),
    expires_on=date(2026, 11, 28),
    currency="CNY",
    debts=(AgreedDebt("信用卡（尾号0000）", 1_000_00, 100_00, 20_00, 10_00, 15_00, 5_00),),
    waiver_on_completion=True,
    down_payment_fen=0,
    down_payment_due_on=None,
    instalments=equal_instalments(1_110_00, monthly_due_dates(date(2026, 12, 15), 7, 15)),
    interest_during_plan=False,
    no_new_cards_promise=True,
    missed_payment_grace_days=7,
    payment_channel="示范银行官方App-还款",
    contact_line="示范银行客服热线",
)
LOAN_TERMS = replace(TERMS, product_kind=ProductKind.CONSUMER_LOAN, no_new_cards_promise=False)


@pytest.mark.parametrize(
    "words",
    [
        "AI助手",
        "本金¥1,000.00，利息¥100.00，罚息¥20.00，违约金和费用¥10.00，小计¥1,130.00",
        "减免罚息¥15.00，减免违约金和费用¥5.00",
        "全部还清后，减免正式生效",
        "一共要还¥1,110.00",
        "第1期：2026年12月15日，¥158.57",
        "第7期：2027年6月15日，¥158.58",
        "利息、罚息、违约金和费用都停止计收",
        "不再向任何银行申请信用卡",
        "暂停催收",
        "我们会先问清您的情况",
        "诉讼时效会从同意时起重新计算",
        "只通过示范银行公布的官方账户",
        "示范银行官方App-还款",
        "到期后7天内补上",
        "才生效",
    ],
)
def test_the_card_text_says_in_plain_words(words: str) -> None:
    assert words in render(TERMS, CARD)


def test_every_instalment_has_its_line() -> None:
    lines = [line for line in render(TERMS, CARD).splitlines() if line.startswith("第")]

    assert len(lines) == 7


def test_a_loan_text_neither_cites_the_card_rules_nor_asks_for_the_card_promise() -> None:
    text = render(LOAN_TERMS, LOAN)

    assert "信用卡业务" not in text
    assert "申请信用卡" not in text
    assert "诉讼时效会从同意时起重新计算" in text


@pytest.mark.parametrize("template", [CARD, LOAN])
def test_no_template_threatens_or_promises_what_nobody_can_keep(template: str) -> None:
    for words in ("坐牢", "起诉", "失信", "立案", "冻结", "家人", "单位", "保证删除", "一定批准", "${{", "法定权利"):
        assert words not in template


def test_nothing_of_the_template_language_is_left_in_the_text() -> None:
    text = render(TERMS, CARD) + render(LOAN_TERMS, LOAN)

    assert not any(mark in text for mark in ("${", "?has", "!has", "*debts", "*instalments"))


def test_interest_that_runs_is_said_to_run() -> None:
    dates = monthly_due_dates(date(2026, 12, 15), 7, 15)
    running = replace(
        LOAN_TERMS,
        interest_during_plan=True,
        instalments=equal_instalments(1_152_00, dates),
        plan_interest_fen=42_00,
        principal_parts_fen=(142_85,) * 7,
    )

    text = render(running, LOAN)

    assert "利息仍按原合同计收，罚息和费用停止计收" in text
    assert "您现在欠¥1,110.00。还款期间的利息按日子算，是¥42.00。" in text
    assert "您一共还¥1,152.00" in text
    assert "第1期：2026年12月15日，¥164.57（本金¥142.85，利息等¥21.72）" in text
    assert "一共欠¥1,130.00" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"interest_during_plan": True},
        {"principal_parts_fen": (1,) * 7},
        {"plan_interest_fen": 1_00, "down_payment_fen": 1_00, "down_payment_due_on": date(2026, 11, 28)},
    ],
)
def test_interest_and_the_parts_that_contain_it_belong_together(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="interest"):
        replace(LOAN_TERMS, **changes)


def test_without_a_waiver_the_text_says_so() -> None:
    plain = replace(TERMS.debts[0], waived_penalty_fen=0, waived_fee_fen=0)
    dates = monthly_due_dates(date(2026, 12, 15), 7, 15)
    text = render(replace(TERMS, debts=(plain,), instalments=equal_instalments(1_130_00, dates)), CARD)

    assert "没有减免" in text
    assert "全部还清后，减免" not in text


def test_a_waiver_without_condition_is_said_to_hold_at_once() -> None:
    assert "减免同时生效" in render(replace(TERMS, waiver_on_completion=False), CARD)


def test_a_down_payment_has_its_date_and_amount() -> None:
    dates = monthly_due_dates(date(2026, 12, 15), 7, 15)
    terms = replace(
        TERMS,
        down_payment_fen=110_00,
        down_payment_due_on=date(2026, 11, 28),
        instalments=equal_instalments(1_000_00, dates),
    )

    assert "首付：最晚2026年11月28日当天还¥110.00" in render(terms, CARD)


def test_equal_terms_give_equal_text_and_hash() -> None:
    again = replace(TERMS)

    assert render(again, CARD) == render(TERMS, CARD)
    assert text_hash(render(again, CARD)) == text_hash(render(TERMS, CARD))


def test_one_fen_more_is_another_text() -> None:
    changed = replace(TERMS, debts=(replace(TERMS.debts[0], principal_fen=1_000_01, waived_fee_fen=5_01),))

    assert text_hash(render(changed, CARD)) != text_hash(render(TERMS, CARD))


def test_the_hash_does_not_depend_on_how_a_letter_is_composed() -> None:
    text = "café ¥1.00"

    assert text_hash(unicodedata.normalize("NFD", text)) == text_hash(unicodedata.normalize("NFC", text))
    assert text_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_complete_terms_lack_nothing() -> None:
    assert six_contents_missing(TERMS) == ()
    assert six_contents_missing(LOAN_TERMS) == ()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"interest_during_plan": None}, "interest_and_fees"),
        ({"no_new_cards_promise": False}, "no_new_cards_promise"),
        ({"missed_payment_grace_days": None}, "rights_duties_breach"),
        ({"payment_channel": ""}, "other"),
        ({"contact_line": ""}, "other"),
    ],
)
def test_a_missing_content_is_named_and_never_rendered(change: dict[str, object], missing: str) -> None:
    terms = replace(TERMS, **change)  # type: ignore[arg-type]

    assert six_contents_missing(terms) == (missing,)
    with pytest.raises(ValueError, match=missing):
        render(terms, CARD)


def test_an_agreement_about_nothing_lacks_balance_and_schedule() -> None:
    assert six_contents_missing(replace(TERMS, debts=(), instalments=())) == (
        "balance_structure_currency",
        "period_method_dates_amounts",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"instalments": TERMS.instalments[:-1]},
        {"debts": (replace(TERMS.debts[0], principal_fen=1_001_00, waived_penalty_fen=21_00),)},
        {"down_payment_due_on": date(2026, 12, 1)},
        {"currency": "USD"},
    ],
    ids=["schedule does not add up", "waiver above debt", "date without down payment", "currency"],
)
def test_terms_that_do_not_add_up_cannot_be_made(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"pays|exceeds|down payment|CNY"):
        replace(TERMS, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "line"),
    [("ok\n${unknown}", 2), ("?surprise:text", 1), ("*surprise:text", 1), ("ok\n\ncosts $5", 3)],
)
def test_a_template_that_asks_for_the_unknown_is_refused_with_its_line(template: str, line: int) -> None:
    with pytest.raises(TemplateError) as caught:
        render(TERMS, template)

    assert caught.value.line == line


def test_waived_interest_and_principal_have_their_own_words_and_lower_the_total() -> None:
    debt = AgreedDebt("x", 1_000_00, 100_00, 0, 0, waived_interest_fen=60_00, waived_principal_fen=40_00)
    terms = replace(
        TERMS, debts=(debt,), instalments=equal_instalments(1_000_00, monthly_due_dates(date(2026, 12, 15), 2, 15))
    )
    template = (
        "?waives_interest:*debts:${label} ${waived_interest}\n?waives_principal:*debts:${label} ${waived_principal}\n"
        "${waived} ${total}"
    )

    assert render(terms, template) == "x ¥60.00\nx ¥40.00\n¥100.00 ¥1,000.00\n"
    assert "x" not in render(TERMS, "?waives_interest:x\n?waives_principal:x\n${waived}")


@pytest.mark.parametrize("waived", [{"waived_interest_fen": 100_01}, {"waived_principal_fen": -1}])
def test_no_component_is_waived_beyond_what_is_owed_of_it(waived: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="exceeds what is owed"):
        replace(TERMS, debts=(AgreedDebt("x", 1_000_00, 100_00, 20_00, 10_00, **waived),))


@pytest.mark.parametrize(("template", "terms"), [(CARD, TERMS), (LOAN, LOAN_TERMS)])
def test_a_settlement_says_that_paying_closes_the_debts_and_names_no_months(
    template: str, terms: AgreementTerms
) -> None:
    once = replace(terms, is_settlement=True, instalments=equal_instalments(1_110_00, (date(2026, 12, 15),)))

    text = render(once, template)

    assert "协商结清协议" in text
    assert "全部结清" in text
    assert "每月还一次" not in text
    assert "分期还款协议" not in text


@pytest.mark.parametrize(("template", "terms"), [(CARD, TERMS), (LOAN, LOAN_TERMS)])
def test_a_deferral_says_how_long_nothing_is_due(template: str, terms: AgreementTerms) -> None:
    assert "先缓2个月，这段时间不用还款" in render(replace(terms, deferral_months=2), template)
    assert "先缓" not in render(terms, template)


@pytest.mark.parametrize(("template", "terms"), [(CARD, TERMS), (LOAN, LOAN_TERMS)])
def test_an_agreement_that_takes_the_place_of_another_names_it(template: str, terms: AgreementTerms) -> None:
    assert "代替编号XY20261121-00000000的协议" in render(replace(terms, replaces="XY20261121-00000000"), template)
    assert "代替编号" not in render(terms, template)
