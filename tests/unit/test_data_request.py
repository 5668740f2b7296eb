"""What is wanted with one's data, and how long it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.rights.data_request import DataRequest, read_data_request
from bot.rights.retention import RetentionError, load_retention
from bot.settings import ROOT


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("我的号码谁给你们的", DataRequest.SOURCE),
        ("我搬家改了地址,你们从哪查到的", DataRequest.SOURCE),
        ("资料请给我一份副本", DataRequest.COPY),
        ("你们都掌握了我哪些资料", DataRequest.COPY),
        ("对了我想要一份你们手上我的所有数据", DataRequest.COPY),
        ("把我的全部记录打包发来", DataRequest.COPY),
        ("我要回我的资料", DataRequest.COPY),
        ("单位写错了", DataRequest.CORRECT),
        ("销毁我的资料", DataRequest.DELETE),
        ("为什么拒绝我的方案", DataRequest.EXPLAIN),
        ("是算法算的吗", DataRequest.EXPLAIN),
        ("这个方案是根据什么定的", DataRequest.EXPLAIN),
        ("方案怎么评出来的", DataRequest.EXPLAIN),
        ("为啥给我的是36期", DataRequest.EXPLAIN),
        ("这个决定是机器自动做的吗 依据是啥", DataRequest.EXPLAIN),
        ("方案是机器定的,我要人工再审一遍", DataRequest.REVIEW),
        ("机器定的方案我不认 重新评估", DataRequest.REVIEW),
        ("你们系统怎么会有我的号码", DataRequest.SOURCE),
        ("根据什么查到我单位的", DataRequest.SOURCE),
        ("", DataRequest.SOURCE),
    ],
)
def test_a_wish_is_read_from_the_words(said: str, wish: DataRequest) -> None:
    assert read_data_request(said) is wish


def test_the_approved_periods_keep_what_the_rule_asks_for() -> None:
    assert load_retention(ROOT / "data" / "retention.yml").talk_years >= 5


@pytest.mark.parametrize(
    ("change", "named"),
    [(("talk_years: 5", "talk_years: 4"), "talk_years"), (("identity_years: 5\n", ""), "identity_years")],
)
def test_a_period_below_the_rule_or_missing_is_refused_by_name(
    tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    file = tmp_path / "retention.yml"
    file.write_text((ROOT / "data" / "retention.yml").read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(RetentionError, match=named):
        load_retention(file)
    with pytest.raises(RetentionError, match="cannot be read"):
        load_retention(tmp_path / "none.yml")
