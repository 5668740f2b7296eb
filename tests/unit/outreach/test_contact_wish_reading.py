"""What people say about being written to, read as they mean it. Said on Wednesday, 18 November 2026, at noon."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.outreach.gate import Limits
from bot.outreach.wish_change import (
    MOST_DAYS_BEFORE,
    AskWhy,
    Change,
    Channel,
    Impossible,
    Nothing,
    Obstacle,
    Pause,
    Question,
    QuietHours,
    Reset,
    Resume,
    Show,
    Stop,
    Unclear,
    WishChange,
)
from bot.outreach.wish_reading import read_contact_wish
from bot.text.normalize import normalize_text
from bot.text.values import extract

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=SHANGHAI)
MIDNIGHT = time(0)


def read(said: str, limits: Limits | None = None) -> WishChange:
    plain = normalize_text(said)
    return read_contact_wish(extract(plain, NOW), plain, NOW, limits)


def at(hour: int, minute: int = 0) -> Change:
    return Change(send_at=time(hour, minute))


def quiet(start: int, end: int) -> Change:
    return Change(quiet=QuietHours(time(start), time(end)))


def closed(asked: int, nearest: time) -> Impossible:
    return Impossible(Obstacle.HOUR_CLOSED, asked=time(asked), nearest=nearest)


def paused(month: int, day: int, year: int = 2026) -> Pause:
    return Pause(date(year, month, day))


OPEN_END = Pause(date(2026, 12, 2), is_open_end=True)
LATEST = time(19, 30)

SAYINGS: list[tuple[str, WishChange]] = [
    # Which hour
    ("改成晚上七点发", at(19)),
    ("提醒放在晚上7点吧", at(19)),
    ("七点发我就好", at(19)),
    ("下午三点钟发比较合适", at(15)),
    ("三点发给我", at(15)),
    ("提醒改到两点", at(14)),
    ("可不可以改成中午", at(12)),
    ("十一点半通知我", at(11, 30)),
    ("以后都在中午十二点发", at(12)),
    ("把提醒挪到16:30", at(16, 30)),
    ("改到早上九点", at(9)),
    ("提醒改上午", at(10)),
    ("中午发吧 别的点我都在忙", at(12)),
    ("傍晚再提醒我", at(18)),
    ("提醒時間改到下午四點", at(16)),
    ("改做夜晚七點半啦", at(19, 30)),
    ("十点以后再发给我", at(10)),
    ("别早上发 换成下午两点", at(14)),
    ("下班以后再提醒我", at(18)),
    ("晚上十一点发", closed(23, LATEST)),
    ("晚上八點傳給我", closed(20, LATEST)),
    ("早上六点半叫我", Impossible(Obstacle.HOUR_CLOSED, asked=time(6, 30), nearest=time(9))),
    ("半夜提醒我", closed(23, LATEST)),
    ("凌晨三点发就行", closed(3, time(9))),
    ("21点发我", closed(21, LATEST)),
    ("八点提醒我", Unclear(Question.HOUR, (time(9), LATEST))),
    # Quiet hours
    ("早上别发", quiet(0, 12)),
    ("上午不要给我发", quiet(0, 12)),
    ("晚上八点以后别发", quiet(20, 0)),
    ("八点之后不要发消息", quiet(20, 0)),
    ("下午六点以后就不要再发了", quiet(18, 0)),
    ("十点以前别发 我在睡觉", quiet(0, 10)),
    ("中午别发 娃午睡", quiet(12, 14)),
    ("晚上不要发", quiet(18, 0)),
    ("白天别发 我开大车", quiet(8, 18)),
    ("上班时间别给我发", quiet(8, 18)),
    ("下午一点到三点别发", quiet(13, 15)),
    ("只在上午十点到十二点之间发", quiet(12, 10)),
    ("早上唔好發", quiet(0, 12)),
    ("晚上八點以後不要傳", quiet(20, 0)),
    ("下午五点前发 过了就别发了", Change(quiet=QuietHours(time(17), MIDNIGHT))),
    ("半夜别发", quiet(22, 8)),
    ("早上十点前不要傳,晚上八點後也不要", quiet(20, 10)),
    ("晚上不方便 上午发", Change(quiet=QuietHours(time(18), MIDNIGHT), send_at=time(10))),
    # Day of the month
    ("每月10号提醒我", Change(day_of_month=10)),
    ("每个月二十八号发一条", Change(day_of_month=28)),
    ("每月最后一天提醒我就行", Change(day_of_month=31)),
    ("提醒改成每月6号", Change(day_of_month=6)),
    ("每個月15號通知我", Change(day_of_month=15)),
    ("提醒从8号改到20号", Change(day_of_month=20)),
    ("每月10号晚上七点提醒我", Change(day_of_month=10, send_at=time(19))),
    ("每月3号和18号提醒我", Unclear(Question.DAY_OF_MONTH)),
    ("一个月提醒我一次就行", Unclear(Question.DAY_OF_MONTH)),
    ("发工资的日子提醒我", Unclear(Question.DAY_OF_MONTH)),
    ("20号提醒我", Impossible(Obstacle.ONE_DAY_ONLY, day=20)),
    ("明天提醒我一下", Impossible(Obstacle.ONE_DAY_ONLY)),
    ("别月底提醒 1号提醒", Change(day_of_month=1)),
    ("下个月十号提醒我", Impossible(Obstacle.ONE_DAY_ONLY, day=10)),
    ("月底叫我", Impossible(Obstacle.ONE_DAY_ONLY, day=31)),
    ("过两小时后再提醒我", Impossible(Obstacle.ONE_DAY_ONLY)),
    ("每周五提醒我", Impossible(Obstacle.DAYS_OF_WEEK)),
    ("周末别发", Impossible(Obstacle.DAYS_OF_WEEK)),
    # Days before
    ("提前一天提醒我就行", Change(days_before=1)),
    ("头一天跟我说", Change(days_before=1)),
    ("前一晚发我", Change(days_before=1, send_at=time(19))),
    ("还款日前两天通知我", Change(days_before=2)),
    ("提前5天告诉我", Change(days_before=5)),
    ("提前一周提醒", Change(days_before=7)),
    ("提前兩天通知就好", Change(days_before=2)),
    ("还款当天提醒就可以", Change(days_before=0)),
    ("到期那天早上九点叫我", Change(days_before=0, send_at=time(9))),
    ("不用提前三天 提前一天就够", Change(days_before=1)),
    ("把提前三天改成提前一天", Change(days_before=1)),
    ("提前一个月提醒我", Nothing()),
    ("提前两三天提醒我", Unclear(Question.DAYS_BEFORE)),
    ("提前二十天说", Impossible(Obstacle.TOO_MANY_DAYS_BEFORE)),
    ("提前三天和当天都提醒我", Unclear(Question.DAYS_BEFORE)),
    ("能不能早点提醒", Unclear(Question.DAYS_BEFORE)),
    ("提前一天晚上八点发", Change(days_before=1, beside=closed(20, LATEST))),
    # Channel
    ("发我电报别发邮件", Change(channel=Channel.TELEGRAM)),
    ("发我Telegram", Change(channel=Channel.TELEGRAM)),
    ("别发邮件 发tg", Change(channel=Channel.TELEGRAM)),
    ("改用邮箱收提醒", Change(channel=Channel.EMAIL)),
    ("发短信就行 不用打电话", Change(channel=Channel.SMS)),
    ("用簡訊通知我", Change(channel=Channel.SMS)),
    ("提醒發到電郵", Change(channel=Channel.EMAIL)),
    ("就发在网页里吧", Change(channel=Channel.WEB)),
    ("发我微信", Impossible(Obstacle.CHANNEL_CLOSED)),
    ("可以用LINE提醒嗎", Impossible(Obstacle.CHANNEL_CLOSED)),
    ("打电话提醒我", Impossible(Obstacle.CHANNEL_CLOSED)),
    ("短信或者邮件都可以 发我", Unclear(Question.CHANNEL)),
    ("发到我另外一个号码", Impossible(Obstacle.OTHER_NUMBER)),
    ("通知我老婆就行", Impossible(Obstacle.OTHER_NUMBER)),
    # How often
    ("一周最多一次", Change(per_seven_days=1)),
    ("一个星期发两次就好", Change(per_seven_days=2)),
    ("每周一条够了", Change(per_seven_days=1)),
    ("一星期最多發一次", Change(per_seven_days=1)),
    ("少发点", Change(per_seven_days=1)),
    ("提醒太频繁了", Change(per_seven_days=1)),
    ("一周发五次", Impossible(Obstacle.NO_MORE_OFTEN)),
    ("多提醒我几次", Impossible(Obstacle.NO_MORE_OFTEN)),
    ("天天提醒我都行", Impossible(Obstacle.NO_MORE_OFTEN)),
    # Pause
    ("这周别发了", paused(11, 23)),
    ("這個禮拜先不要傳", paused(11, 23)),
    ("今天别发了", paused(11, 19)),
    ("今晚别发 明天再说", paused(11, 19)),
    ("暂停一下提醒", OPEN_END),
    ("明天不要发", paused(11, 20)),
    ("这个月不要再发了", paused(12, 1)),
    ("下周别发", paused(11, 30)),
    ("下周再联系我", paused(11, 23)),
    ("下个月再联系我", paused(12, 1)),
    ("下個月先再聯絡我", paused(12, 1)),
    ("下个月都别发", paused(1, 1, 2027)),
    ("明年再说吧 先别发", paused(1, 1, 2027)),
    ("停十天", paused(11, 28)),
    ("暂停两周", paused(12, 2)),
    ("半个月内别联系我", paused(12, 3)),
    ("停一个月再说", paused(12, 18)),
    ("三天之内别发消息", paused(11, 21)),
    ("12月5号再联系我", paused(12, 5)),
    ("月底前别发", paused(11, 30)),
    ("先停到25号", paused(11, 25)),
    ("过几天再发", OPEN_END),
    ("最近别发", OPEN_END),
    ("我在住院 这段时间先不要发", OPEN_END),
    ("等忙完再联系我", OPEN_END),
    ("暫停一個月", paused(12, 18)),
    # Stop
    ("别再发了", Stop()),
    ("不要再发消息给我", Stop()),
    ("不用提醒了", Stop()),
    ("把提醒关掉", Stop()),
    ("退订", Stop()),
    ("TD", Stop()),
    ("停止发送", Stop()),
    ("取消所有提醒", Stop()),
    ("不想再收到提醒", Stop()),
    ("別再傳訊息來了", Stop()),
    ("唔好再send啦", Stop()),
    ("从今天起别再联系我", Stop()),
    ("不许打我单位", Stop()),
    ("晚上别打给我爸", Stop()),
    ("以后都不要发了", Stop()),
    ("邮件也别发了", Stop()),
    # Again
    ("恢复提醒", Resume()),
    ("可以继续发提醒了", Resume()),
    ("重新打开提醒", Resume()),
    ("接着提醒我吧", Resume()),
    ("恢復提醒", Resume()),
    ("提醒開啟一下", Resume()),
    ("改回默认", Reset()),
    ("还是按原来的来", Reset()),
    # What is set, and why
    ("我设置了什么提醒", Show()),
    ("看看我的提醒设置", Show()),
    ("现在提醒是几点发", Show()),
    ("提醒開了嗎", Show()),
    ("什么时候会提醒我", Show()),
    ("为什么又开始催了", AskWhy()),
    ("怎么又给我发消息了", AskWhy()),
    ("不是说停了吗怎么还发", AskWhy()),
    ("停催之後為什麼又聯絡我", AskWhy()),
    ("明明退订了怎么又来消息", AskWhy()),
    # Nothing in particular
    ("提醒我一下", Nothing()),
    ("到期了告诉我", Nothing()),
    ("短信别停啊", Nothing()),
    ("怕忘 到时候喊我", Nothing()),
    ("", Nothing()),
]


@pytest.mark.parametrize(("said", "meant"), SAYINGS, ids=[said or "nothing" for said, _ in SAYINGS])
def test_a_saying_is_read_as_it_is_meant(said: str, meant: WishChange) -> None:
    assert read(said) == meant


def test_the_table_is_long_and_holds_both_scripts() -> None:
    assert len({said for said, _ in SAYINGS}) == len(SAYINGS) >= 120
    assert sum(normalize_text(said) != said.lower() for said, _ in SAYINGS) >= 15


def test_the_hours_that_can_be_wished_for_are_those_of_the_limits() -> None:
    limits = Limits(soft_start=time(10), soft_end=time(18))
    assert read("早上九点发", limits) == Impossible(Obstacle.HOUR_CLOSED, asked=time(9), nearest=time(10))
    assert read("晚上七点发", limits) == Impossible(Obstacle.HOUR_CLOSED, asked=time(19), nearest=time(17, 30))
    assert read("九点发", limits) == Unclear(Question.HOUR, (time(10), time(17, 30)))


def test_how_often_is_bounded_by_the_limits() -> None:
    assert read("一周两次", Limits(per_seven_days=1)) == Impossible(Obstacle.NO_MORE_OFTEN)


def test_this_week_ends_on_monday_whatever_the_day_is_today() -> None:
    sunday = datetime(2026, 11, 22, 23, 59, tzinfo=SHANGHAI)
    monday = datetime(2026, 11, 23, 0, 1, tzinfo=SHANGHAI)
    assert read_contact_wish((), "这周别发", sunday) == Pause(date(2026, 11, 23))
    assert read_contact_wish((), "这周别发", monday) == Pause(date(2026, 11, 30))


def test_a_pause_over_the_end_of_a_short_month_ends_on_its_last_day() -> None:
    late = datetime(2026, 1, 31, 12, tzinfo=SHANGHAI)
    assert read_contact_wish((), "暂停一个月", late) == Pause(date(2026, 2, 28))


WORDS = st.sampled_from(
    "别发 提醒我 晚上 七点 八点 以后 以前 每月 10号 这周 下个月 再联系 一周 一次 停 恢复 短信 电报 提前 三天 当天 到"
    " 改成 不要 早上 , 为什么又 12月5号 半 99 别 \x00".split(" ")
)


@given(st.one_of(st.lists(WORDS, max_size=12).map("".join), st.text(max_size=60)))
def test_no_text_raises_and_nothing_is_promised_that_cannot_be_kept(said: str) -> None:
    limits = Limits()
    match read(said):
        case Change(send_at=send_at, days_before=days, day_of_month=day, per_seven_days=often):
            assert send_at is None or limits.soft_start <= send_at < limits.soft_end
            assert days is None or 0 <= days <= MOST_DAYS_BEFORE
            assert day is None or 1 <= day <= 31
            assert often is None or 1 <= often <= limits.per_seven_days
        case Pause(until=until):
            assert until > NOW.date()
        case Impossible(nearest=nearest):
            assert nearest is None or limits.soft_start <= nearest < limits.soft_end
        case Unclear(hours=hours):
            assert all(limits.soft_start <= hour < limits.soft_end for hour in hours)
