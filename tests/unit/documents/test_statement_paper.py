"""The statement and the clearance letter as PDF: every figure is the ledger's, and the lines add up to it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from paper_builders import HANS, HANT, TODAY, a_debt, a_letter, a_statement, read

from bot.documents.clearance import clearance_letter_pdf
from bot.documents.statement import StatementPaper, statement_pdf
from bot.lending.balances import Component
from bot.lending.money import format_yuan

NAMES = {
    Component.PRINCIPAL: "本金",
    Component.INTEREST: "利息",
    Component.PENALTY: "罚息",
    Component.FEE: "费用",
}


def fen(yuan: str, rest: str) -> int:
    amount = int(re.sub(r"\D", "", yuan)) * 100 + int(rest)
    return -amount if yuan.startswith("-") else amount


def test_the_lines_on_the_paper_add_up_to_the_statement() -> None:
    debt = a_debt(paid_fen=100_050)
    text = read(statement_pdf(a_statement(debt), HANS)).text
    balances = debt.statement.balances
    added = dict.fromkeys(Component, 0)
    for component, name in NAMES.items():
        for yuan, rest in re.findall(rf"{name}：[^¥：]*?(-?¥[\d,]+)\.(\d\d)", text):
            added[component] += fen(yuan, rest)
        assert f"{name}{format_yuan(balances.of(component))}" in text
    assert added == {component: balances.of(component) for component in Component}
    assert f"合计{format_yuan(balances.total_fen)}" in text
    assert f"利息小计{format_yuan(balances.interest_fen)}" in text


def test_it_tells_rates_order_days_and_what_to_do_about_a_doubt() -> None:
    text = read(statement_pdf(a_statement(), HANS)).text
    assert "截至2026年11月21日" in text
    assert "逾期天数45天" in text
    assert "年利率14.4%；逾期后另加罚息，年利率7.2%" in text
    assert "按这个顺序冲抵：费用，再利息，再罚息，再本金" in text
    assert "会登记核查" in text
    assert "400-000-0000" in text
    assert "请不要转到个人账户" in text


def test_a_debt_under_a_plan_says_that_nothing_runs_on() -> None:
    text = read(statement_pdf(a_statement(a_debt(plan_number="XY1", waived_on_completion_fen=9_650)), HANS)).text
    assert "协议XY1里。按协议还款期间，利息、罚息和费用都不再增加" in text
    assert "¥96.50，按协议全部还完后就减免" in text


def test_a_debt_under_a_plan_with_interest_does_not_say_that_interest_stands_still() -> None:
    text = read(statement_pdf(a_statement(a_debt(plan_number="XY1", plan_interest_runs=True)), HANS)).text
    assert "利息还按合同算，已经算在每期里；罚息和费用不再增加" in text
    assert "利息、罚息和费用都不再增加" not in text


@pytest.mark.parametrize("remark", ["old", "disputed"])
def test_nobody_is_asked_to_pay_what_is_old_or_disputed(remark: str) -> None:
    text = read(statement_pdf(a_statement(a_debt(**{remark: True})), HANS)).text
    assert "还款页面" not in text
    assert ("12348" in text) == (remark == "old")
    assert ("正在核查" in text) == (remark == "disputed")


def test_several_debts_stand_one_after_the_other_with_their_sum() -> None:
    one, other = a_debt(), a_debt(paid_fen=500_000, reference="5678")
    paper = a_statement(one, other)
    text = read(statement_pdf(paper, HANS)).text
    assert text.index("（尾号1234）") < text.index("（尾号5678）")
    assert f"一共{format_yuan(paper.total_fen)}" in text
    assert paper.total_fen == one.statement.balances.total_fen + other.statement.balances.total_fen


def test_it_is_in_the_readers_script_and_the_same_each_time() -> None:
    made = statement_pdf(a_statement(), HANT)
    assert "對帳單" in read(made).text
    assert "罰息" in read(made).text
    assert statement_pdf(a_statement(), HANT) == made


def test_figures_that_do_not_add_up_make_no_paper() -> None:
    debt = a_debt()
    lines = debt.statement.lines
    torn = replace(debt.statement, lines=(replace(lines[0], amount_fen=lines[0].amount_fen + 1), *lines[1:]))
    with pytest.raises(ValueError, match="principal add up to 1200001 fen"):
        replace(debt, statement=torn)


def test_one_statement_is_of_one_day() -> None:
    debt = a_debt()
    earlier = replace(debt, statement=replace(debt.statement, as_of=TODAY - timedelta(days=1)))
    for debts in ((), (debt, earlier)):
        with pytest.raises(ValueError, match="one day"):
            StatementPaper("DZ1", "示例金融", "王**", a_statement().made_at, debts)


def test_a_clearance_letter_names_person_debts_and_day_and_promises_nothing_about_records() -> None:
    text = read(clearance_letter_pdf(a_letter(), HANS)).text
    assert "截至2026年11月20日，王小明的下列账务已经全部结清，余额为零" in text
    assert text.count("¥0.00") == 2
    assert "示例银行·示例产品（尾号1234）" in text
    assert "示例银行·另一产品（尾号5678）" in text
    assert "按协议已还¥12,684.52减免¥96.50" in text
    assert "结清不会自动删除已有的征信记录" in text


def test_a_clearance_letter_does_not_convert_a_name() -> None:
    text = read(clearance_letter_pdf(a_letter(person="万里云", waived_fen=0), HANT)).text
    assert "万里云的下列帳務已經全部結清" in text
    assert "減免" not in text


def test_a_clearance_letter_is_about_something() -> None:
    with pytest.raises(ValueError, match="at least one debt"):
        a_letter(debts=())
