"""What the console's pages show, and what they hide."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.desk.ownership import Owner, QueueReason
from bot.identity.masking import mask_numbers
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import heartbeats, inbox
from bot.store.tables import AuditEntry
from tests.builders.console import Console, count_of
from tests.builders.desk import (
    Said,
    Talk,
    a_borrower,
    a_conversation,
    a_debt,
    an_operator,
    reviewing,
)


def test_opening_a_conversation_is_audited_and_following_it_is_not(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps)
    console.browser.get(f"/console/c/{conversation}")
    for path in ("/console/", "/console/list", f"/console/c/{conversation}/turns?after=1"):
        assert console.browser.get(path).status_code == 200
    with console.deps.begin() as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.event == "transcript_read")).one()
    assert (read.actor_id, read.subject_id) == (me, conversation)


def test_asking_for_all_turns_is_audited_every_time(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps)
    for times in (1, 2):
        console.browser.get(f"/console/c/{conversation}/turns?after=0")
        assert count_of(console.deps, "transcript_read") == times


def test_following_what_one_has_not_opened_today_is_audited_once(console: Console) -> None:
    someone = an_operator(console.deps, "lin", "小林")
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said("一"), Said("二"))))
    inbox.transcript(console.deps, conversation, reviewing(someone))
    inbox.transcript(console.deps, a_conversation(console.deps), reviewing(me))
    for _ in range(2):
        assert inbox.turns_after(console.deps, conversation, 1, reviewing(me))
        assert count_of(console.deps, "transcript_read") == 3
    console.clock.move(timedelta(hours=12))
    inbox.turns_after(console.deps, conversation, 1, reviewing(me))
    assert count_of(console.deps, "transcript_read") == 4


def test_looking_for_a_conversation_that_is_not_there_is_no_reading(console: Console) -> None:
    me = an_operator(console.deps)
    assert inbox.turns_after(console.deps, "0" * 32, 0, reviewing(me)) is None
    assert count_of(console.deps, "transcript_read") == 0


PHONE = "13912345678"
ID_NUMBER = "11010519491231002X"


def test_no_page_shows_an_identity_number_or_a_full_phone_or_name(console: Console) -> None:
    an_operator(console.deps, role=Role.ADMIN)
    console.log_in()
    borrower = a_borrower(console.deps, name="欧阳小测", phone=PHONE, id_number=ID_NUMBER)
    said = (
        Said(f"我手机{PHONE},身份证{ID_NUMBER}", intent="inform", entities=(("phone", PHONE),)),
        Said("139 1234 5678 是我,卡号6222-0000-1111-2222"),
        Said("后四位002X,验证码483920", intent="verify_identity", entities=(("tail", "002X"),)),
        Said(f"还是{PHONE}"),
    )
    talk = Talk(said=said, borrower_id=borrower, verified=True, holds=(HoldKind.DISPUTE,))
    conversation = a_conversation(console.deps, talk)
    for path in ("/", "/list", f"/c/{conversation}", f"/c/{conversation}/turns?after=0"):
        page = console.browser.get(f"/console{path}").text
        for secret in (PHONE, "139 1234 5678", ID_NUMBER, "002X", "483920", "6222", "小测"):
            assert secret not in page, (path, secret)
    page = console.browser.get(f"/console/c/{conversation}").text
    for shown in ("欧***", "139****5678", "****2X", "已核实"):
        assert shown in page


def test_a_bare_number_is_hidden_when_it_proved_identity_and_shown_when_it_is_an_income(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = (
        Said("483920", intent="inform", actions=("verify_form",)),
        Said("3721", intent="inform", actions=("verify_form", "action_after_verification", "action_tell_balance")),
        Said("6543", intent="verify_identity", actions=("plan_form",)),
        Said("8765", handling="pending"),
    )
    conversation = a_conversation(console.deps, Talk(said=said))
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "6543" in page
    for secret in ("483920", "3721", "8765"):
        assert f">{secret}<" not in page


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("483920", "483920"),
        ("６５４３", "６５４３"),
        ("3721。", "3721"),
        ("483 920", "483"),
        ("是483920", "483920"),
        ("尾号3721", "3721"),
        ("應該是後四位 3721", "3721"),
        ("是372x吧", "372x"),
    ],
)
def test_what_proves_identity_is_hidden_from_the_person_who_answers(console: Console, text: str, secret: str) -> None:
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said(text, handling="held"),)))
    read = inbox.transcript(console.deps, conversation, reviewing(me))
    assert read is not None
    assert secret not in read.turns[0].text
    assert secret not in read.row.last_text


@pytest.mark.parametrize("text", ["我一个月到手6000", "欠了120000元", "2026年还不上", "每月能还1500"])
def test_sums_told_to_the_person_who_answers_are_shown(console: Console, text: str) -> None:
    me = an_operator(console.deps)
    conversation = a_conversation(console.deps, Talk(said=(Said(text, handling="held"),)))
    read = inbox.transcript(console.deps, conversation, reviewing(me))
    assert read is not None
    assert read.turns[0].text == text


@pytest.mark.parametrize("text", ["每月1500.50元", "2026-11-21 10:30还1500", "800 或 1000", "合同1234567890"])
def test_amounts_and_dates_are_shown_as_they_were_typed(text: str) -> None:
    assert mask_numbers(text) == text


def test_what_a_borrower_types_is_never_markup(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(said=(Said("<script>alert(1)</script>"),)))
    for path in ("/console/", f"/console/c/{conversation}"):
        page = console.browser.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_turn_shows_what_the_bot_made_of_it(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = Said("每月800", intent="propose_payment", confidence=0.876, entities=(("amount", "800"),), actions=("a_b",))
    page = console.browser.get(f"/console/c/{a_conversation(console.deps, Talk(said=(said,)))}").text
    for shown in ("propose_payment", "88%", "amount=800", "a_b"):
        assert shown in page


def test_a_proof_of_identity_that_has_lapsed_is_not_shown_as_valid(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    talk = Talk(borrower_id=a_borrower(console.deps), verified=True)
    conversation = a_conversation(console.deps, talk)
    console.clock.move(timedelta(minutes=31))
    assert "核实已过期" in console.browser.get(f"/console/c/{conversation}").text


def test_debts_are_shown_while_the_borrower_is_verified_and_not_afterwards(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    borrower = a_borrower(console.deps)
    for principal_fen in (123450, 80000):
        a_debt(console.deps, borrower, principal_fen)
    conversation = a_conversation(console.deps, Talk(borrower_id=borrower, verified=True))
    page = console.browser.get(f"/console/c/{conversation}").text
    for shown in ("¥1,234.50", "¥800.00", "¥2,034.50", "逾期 30 天", "截至 11月21日"):
        assert shown in page
    console.clock.move(timedelta(minutes=31))
    assert "¥" not in console.browser.get(f"/console/c/{conversation}").text


def test_a_contract_that_makes_no_sense_does_not_shut_the_conversation(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    borrower = a_borrower(console.deps)
    a_debt(console.deps, borrower, 80000, allocation="nonsense")
    conversation = a_conversation(console.deps, Talk(said=(Said("在吗"),), borrower_id=borrower, verified=True))
    page = console.browser.get(f"/console/c/{conversation}")
    assert page.status_code == 200
    assert "在吗" in page.text
    assert "请先不要报数字" in page.text


def test_danger_comes_first_then_the_queue_in_its_order_then_the_latest(console: Console) -> None:
    def talk(owner: Owner, reason: QueueReason | None, waited: int = 0, *holds: HoldKind) -> str:
        said = (Said("在吗", minutes_ago=waited),)
        return a_conversation(console.deps, Talk(said, owner=owner, reason=reason, waited_minutes=waited, holds=holds))

    old = talk(Owner.BOT, None, 50)
    new = talk(Owner.BOT, None, 1)
    asked = talk(Owner.QUEUED, QueueReason.ASKED, 40)
    complaint = talk(Owner.QUEUED, QueueReason.COMPLAINT, 2)
    waits_longer = talk(Owner.QUEUED, QueueReason.COMPLAINT, 9)
    held = talk(Owner.BOT, None, 60, HoldKind.DISTRESS)
    distress = talk(Owner.QUEUED, QueueReason.DISTRESS, 0)
    rows = inbox.listing(console.deps, reviewing())
    assert [row.id for row in rows] == [distress, waits_longer, complaint, asked, held, new, old]
    assert [row.id for row in rows if row.in_danger] == [distress, held]


def test_a_long_list_never_cuts_off_who_waits(console: Console) -> None:
    waiting = a_conversation(
        console.deps, Talk((Said("有人吗", minutes_ago=900),), owner=Owner.QUEUED, reason=QueueReason.ASKED)
    )
    for _ in range(4):
        a_conversation(console.deps)
    assert waiting in [row.id for row in inbox.listing(console.deps, reviewing(), limit=3)]


def test_danger_is_said_in_words(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.DISTRESS, holds=(HoldKind.DISTRESS,)))
    page = console.browser.get("/console/").text
    assert "危急" in page
    assert 'data-attention="danger"' in page
    assert "<title>(1) " in page


def test_the_list_shows_what_the_operator_chose_on_every_page(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    waiting = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    mine = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    others = a_conversation(console.deps)
    shown = {"all": {waiting, mine, others}, "waiting": {waiting}, "mine": {mine}}
    for choice, expected in shown.items():
        console.browser.get(f"/console/?show={choice}")
        assert set(re.findall(r'data-id="(\w+)"', console.browser.get("/console/list").text)) == expected
        assert set(re.findall(r'data-id="(\w+)"', console.browser.get(f"/console/c/{mine}").text)) == expected


def test_an_unknown_conversation_is_said_to_be_gone(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    for path in ("", "/turns"):
        response = console.browser.get(f"/console/c/{'0' * 32}{path}")
        assert response.status_code == 404
        assert "没有找到这个会话" in response.text
    assert console.act("0" * 32, "take").status_code == 404


def test_an_address_that_is_no_page_is_said_to_be_none_and_asks_strangers_to_log_in(console: Console) -> None:
    stranger = console.browser.get("/console/reprots", follow_redirects=False)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/console/login?next=/console/reprots")
    an_operator(console.deps)
    console.log_in()
    for path in ("reprots", "c/nonsense/nowhere", "static/none/none.css"):
        response = console.browser.get(f"/console/{path}")
        assert response.status_code == 404
        assert "没有这个页面" in response.text
        assert "回到收件箱" in response.text
    slashed = console.browser.get("/console/reports/")
    assert (slashed.status_code, slashed.headers["location"]) == (307, "/console/reports")


def test_a_silent_scheduler_is_said_in_the_header_and_a_living_one_is_not(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    said = "提醒程序没有在运行"
    assert said in console.browser.get("/console/").text
    heartbeats.beat(console.deps, heartbeats.SCHEDULER)
    assert said not in console.browser.get("/console/").text
    console.clock.move(heartbeats.longest_silence(console.deps) + timedelta(seconds=1))
    assert said in console.browser.get("/console/").text
