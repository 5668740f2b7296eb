"""Builders for papers and what can be read out of them. All invented."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pypdf import PdfReader

from bot.documents.agreement import AgreementPaper
from bot.documents.clearance import ClearancePaper, ClearedDebt
from bot.documents.schedule import PaymentSchedule
from bot.documents.statement import StatementDebt, StatementPaper
from bot.documents.words import DocumentWords, Speech
from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.ledger import Entry, EntryKind
from bot.lending.schedule import ScheduledInstalment, add_months
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until
from bot.text.scripts import Script
from bot.workout.agreement import text_hash

WORDS = DocumentWords.load(Path(__file__).parents[3] / "data/templates/documents.yml")
HANS, HANT = Speech(WORDS, Script.HANS), Speech(WORDS, Script.HANT)
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
NUMBER = "XY20261121-0A1B2C3D"
TEXT = """贷款分期还款协议（待您确认）
本文由AI助手按示例银行审核过的模板和您的账务数据生成。

一、您欠多少
截至2026年11月21日，币种人民币（CNY），一共欠¥12,684.50：
· 示例产品(1234)：本金¥12,000.00，利息¥588.00，罚息¥96.50，费用¥0.00，小计¥12,684.50
"""


@dataclass(frozen=True)
class Read:
    """A PDF as a reader of text sees it."""

    pages: tuple[str, ...]
    metadata: dict[str, str]
    xmp: str
    font_names: frozenset[str]

    @property
    def text(self) -> str:
        """Everything, without white space: where lines break is no part of what is said."""
        return bare("".join(self.pages))


def read(pdf: bytes) -> Read:
    reader = PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    return Read(
        pages=tuple(page.extract_text() for page in reader.pages),
        metadata={str(key): str(value) for key, value in (reader.metadata or {}).items()},
        xmp=root["/Metadata"].get_data().decode("utf-8"),
        font_names=frozenset(str(font["/BaseFont"]) for font in fonts),
    )


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def a_schedule(months: int = 12, amount_fen: int = 105_704, down_payment_fen: int = 0) -> PaymentSchedule:
    """Equal instalments from next month on, the last four fen higher."""
    amounts = [amount_fen] * (months - 1) + [amount_fen + 4]
    parts = tuple(
        ScheduledInstalment(number, add_months(date(2026, 11, 15), number), amount)
        for number, amount in enumerate(amounts, start=1)
    )
    due_on = TODAY + timedelta(days=7) if down_payment_fen else None
    return PaymentSchedule(parts, sum(amounts) + down_payment_fen, down_payment_fen, due_on)


def an_agreement(schedule: PaymentSchedule | None = None, text: str = TEXT) -> AgreementPaper:
    return AgreementPaper(NUMBER, "示例金融", "王**", text, text_hash(text), NOON, schedule or a_schedule())


def a_debt(paid_fen: int = 0, **changes: object) -> StatementDebt:
    """A loan of 12,000 yuan, 45 days late, with what was paid ten days ago."""
    terms = ContractTerms(
        product_kind=ProductKind.CONSUMER_LOAN,
        annual_rate=Decimal("0.144"),
        penalty_annual_rate=Decimal("0.072"),
        day_count=360,
        late_fee_rate=Decimal(0),
        late_fee_minimum_fen=0,
        allocation=CIVIL_CODE_561,
    )
    due_on = TODAY - timedelta(days=45)
    entries = [_entry("drawdown", EntryKind.DRAWDOWN, 1_200_000, TODAY - timedelta(days=120))]
    if paid_fen:
        entries.append(_entry("payment", EntryKind.PAYMENT, paid_fen, TODAY - timedelta(days=10)))
    booked = entries_until(terms, entries, due_on, TODAY)
    made = StatementDebt(
        creditor="示例银行",
        product="示例产品",
        reference="1234",
        statement=statement(terms, booked, due_on, TODAY),
        annual_rate=terms.annual_rate,
        penalty_annual_rate=terms.penalty_annual_rate,
        allocation=terms.allocation,
        complaint_phone="400-000-0000",
        payment_channel="App 的还款页面",
    )
    return replace(made, **changes)


def a_statement(*debts: StatementDebt) -> StatementPaper:
    return StatementPaper("DZ20261121-0A1B2C3D", "示例金融", "王**", NOON, debts or (a_debt(),))


def a_letter(**changes: object) -> ClearancePaper:
    made = ClearancePaper(
        number=NUMBER,
        producer="示例金融",
        creditor="示例银行",
        complaint_phone="400-000-0000",
        person="王小明",
        accepted_on=date(2025, 11, 21),
        cleared_on=date(2026, 11, 20),
        paid_fen=1_268_452,
        waived_fen=9_650,
        debts=(ClearedDebt("示例产品", "1234"), ClearedDebt("另一产品", "5678")),
        made_at=NOON,
    )
    return replace(made, **changes)


def _entry(key: str, kind: EntryKind, amount_fen: int, day: date) -> Entry:
    return Entry(key=key, kind=kind, amount_fen=amount_fen, effective_on=day, booked_at=NOON, source="test")
