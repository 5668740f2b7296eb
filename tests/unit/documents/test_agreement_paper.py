"""The agreement as a PDF: exact text, schedule, number and check code on every page, the same bytes each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime

import pytest
from paper_builders import HANS, HANT, NUMBER, TEXT, Read, a_schedule, an_agreement, bare, read

from bot.documents.agreement import agreement_pdf
from bot.documents.schedule import PaymentSchedule
from bot.lending.money import format_yuan
from bot.text.scripts import Script, to_script

PAPER = an_agreement(a_schedule(months=60))


@pytest.fixture(scope="module")
def simplified() -> Read:
    return read(agreement_pdf(PAPER, HANS))


@pytest.fixture(scope="module")
def traditional() -> Read:
    return read(agreement_pdf(PAPER, HANT))


def test_the_text_is_the_one_that_was_read_back(simplified: Read) -> None:
    assert bare(TEXT) in simplified.text


def test_every_instalment_is_listed_and_they_add_up_to_the_total(simplified: Read) -> None:
    rows = re.findall(r"第(\d+)期(\d+)年(\d+)月(\d+)日¥([\d,]+)\.(\d\d)", simplified.text)
    read_out = [
        (int(n), int(y), int(m), int(d), int(yuan.replace(",", "")) * 100 + int(fen)) for n, y, m, d, yuan, fen in rows
    ]
    due = [(i.number, i.due_on.year, i.due_on.month, i.due_on.day, i.amount_fen) for i in PAPER.schedule.instalments]
    assert read_out == due
    assert sum(row[-1] for row in read_out) == PAPER.schedule.total_fen
    assert f"合计{format_yuan(PAPER.schedule.total_fen)}" in simplified.text


def test_every_page_says_who_made_it_its_number_its_check_code_and_which_of_how_many_it_is(simplified: Read) -> None:
    assert len(simplified.pages) > 3
    for number, page in enumerate(simplified.pages, start=1):
        text = bare(page)
        assert text.startswith("本文件由AI助手按示例金融审核过的模板和账务数据生成")
        assert f"编号{NUMBER}" in text
        assert PAPER.text_hash in text
        assert f"第{number}页，共{len(simplified.pages)}页" in text


def test_the_head_of_a_table_is_repeated_on_each_page_it_reaches(simplified: Read) -> None:
    with_instalments = [
        page for page in simplified.pages if "第 1 期" in page or "第 60 期" in page or "第 30 期" in page
    ]
    assert with_instalments
    assert all("还款日" in page and "期数" in page for page in with_instalments)


def test_when_and_by_whom_it_was_accepted_is_told_in_shanghai_time(simplified: Read) -> None:
    assert "2026年11月21日12:05" not in simplified.text
    assert "您确认的时间2026年11月21日12:00" in simplified.text
    assert "姓名王**" in simplified.text


def test_traditional_readers_get_the_same_text_in_their_script(traditional: Read) -> None:
    assert bare(to_script(TEXT, Script.HANT)) in traditional.text
    assert "還款日" in traditional.text
    assert "校驗碼按簡體原文計算" in traditional.text
    assert PAPER.text_hash in traditional.text


def test_the_metadata_carries_the_ai_label(simplified: Read) -> None:
    label = json.loads(simplified.metadata["/Keywords"].removeprefix("AIGC:"))
    assert (label["Label"], label["ContentProducer"], label["ProduceID"]) == ("1", "示例金融", NUMBER)
    assert simplified.metadata["/CreationDate"] == "D:20261121040000Z"
    assert simplified.metadata["/Title"] == "分期还款协议"
    assert "<TC260:AIGC>{" in simplified.xmp
    assert NUMBER in simplified.xmp


def test_the_font_is_embedded_as_a_subset(simplified: Read) -> None:
    assert len(simplified.font_names) == 2
    assert all(re.match(r"/[A-Z]{6}\+", name) for name in simplified.font_names)


def test_equal_papers_are_equal_to_the_byte_and_others_are_not() -> None:
    paper = an_agreement()
    made = agreement_pdf(paper, HANS)
    assert agreement_pdf(paper, HANS) == made
    assert agreement_pdf(replace(paper, number="XY20261121-OTHER"), HANS) != made
    assert len(made) < 120_000


def test_a_down_payment_comes_first_and_counts() -> None:
    paper = an_agreement(a_schedule(months=3, down_payment_fen=50_000))
    text = read(agreement_pdf(paper, HANS)).text
    assert "首付2026年11月28日¥500.00第1期2026年12月15日" in text
    assert f"合计{format_yuan(paper.schedule.total_fen)}" in text


def test_a_schedule_that_does_not_add_up_makes_no_paper() -> None:
    good = a_schedule()
    with pytest.raises(ValueError, match="adds up to"):
        PaymentSchedule(good.instalments, good.total_fen + 1)
    with pytest.raises(ValueError, match="due date"):
        PaymentSchedule(good.instalments, good.total_fen + 100, down_payment_fen=100)


def test_a_naive_instant_makes_no_paper() -> None:
    with pytest.raises(ValueError, match="aware"):
        agreement_pdf(replace(an_agreement(), accepted_at=datetime(2026, 11, 21, 12, 0)), HANS)  # noqa: DTZ001
