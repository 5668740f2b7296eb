"""What may be asked of a plan beyond plain figures. Amounts in yuan here; today is 21 November 2026."""

from datetime import UTC, date, datetime

import pytest

from bot.text.normalize import normalize_text
from bot.text.values import extract
from bot.workout.counter import BorrowerProposal
from bot.workout.wish_reading import read_wish

NOW, TODAY = datetime(2026, 11, 21, 4, tzinfo=UTC), date(2026, 11, 21)


def wished(text: str) -> BorrowerProposal | None:
    normal = normalize_text(text)
    return read_wish(extract(normal, NOW), normal, TODAY)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("先还两千剩下慢慢来", BorrowerProposal(lump_fen=2_000_00)),
        ("先還兩千,剩下慢慢來", BorrowerProposal(lump_fen=2_000_00)),
        ("首付3000剩下每月800", BorrowerProposal(lump_fen=3_000_00, monthly_fen=800_00)),
        ("现在能拿出5000,余下分12期", BorrowerProposal(lump_fen=5_000_00, months=12)),
        ("手上有1万,其余的每个月600", BorrowerProposal(lump_fen=10_000_00, monthly_fen=600_00)),
        ("利息全免我就还", BorrowerProposal(waive_interest=True)),
        ("把罚息都给我免了吧", BorrowerProposal(waive_interest=True)),
        ("只还本金,分12个月", BorrowerProposal(waive_interest=True, months=12)),
        ("下个月一次性还一万二", BorrowerProposal(settle_fen=12_000_00)),
        ("12月15号一次结清8000", BorrowerProposal(settle_fen=8_000_00, first_on=date(2026, 12, 15))),
        ("缓三个月再还", BorrowerProposal(first_on=date(2027, 2, 21))),
        ("过两个月再开始,每月500", BorrowerProposal(first_on=date(2027, 1, 21), monthly_fen=500_00)),
        ("从三月开始还", BorrowerProposal(first_on=date(2027, 3, 21))),
        ("明年十二月开始", BorrowerProposal(first_on=date(2027, 12, 21))),
        ("先还2000剩下分十期从1月开始", BorrowerProposal(lump_fen=2_000_00, months=10, first_on=date(2027, 1, 21))),
        ("每个月800", BorrowerProposal(monthly_fen=800_00)),
        ("分24期", BorrowerProposal(months=24)),
    ],
)
def test_what_is_asked_for_is_read(text: str, wish: BorrowerProposal) -> None:
    assert wished(text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "先还500",
        "我上个月先还了2000",
        "一次性还清能不能打折",
        "一次还三千到五千",
        "利息免不了吗",
        "已经等了三个月了",
        "利息怎么这么高",
        "你好",
    ],
)
def test_what_asks_for_nothing_that_can_be_reckoned_is_left_alone(text: str) -> None:
    assert wished(text) is None


@pytest.mark.parametrize("limit", ["不过3个月行吗", "最多不超过3个月"])
def test_a_limit_on_the_months_is_no_wish_to_wait(limit: str) -> None:
    wish = wished(limit)

    assert wish is None or wish.first_on is None


@pytest.mark.parametrize(
    "wordings",
    [
        ("每月还800", "一个月就800!", "八百一个月,爱要不要", "求求你们了,每个月800行吗", "每月還八百"),
        (
            "先还两千剩下慢慢来",
            "先付2000,其余的以后再说",
            "先给2000行了吧剩下慢慢还",
            "先还2千,剩下的求您让我慢慢还",
            "先還兩千,剩下慢慢還",
        ),
        ("利息全免我就还", "利息全部免掉", "利息全免!不然不谈", "求您把利息都免了吧", "利息全免我就還"),
    ],
)
def test_tone_and_script_change_nothing(wordings: tuple[str, ...]) -> None:
    assert len({wished(text) for text in wordings}) == 1
    assert wished(wordings[0]) is not None
