"""What a borrower lives through on a cheap phone, in a real browser, against the whole desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from bot.services import identity
from bot.services.deps import Deps
from bot.store.tables import Borrower, Conversation
from bot.text.scripts import Script, to_script
from tests.e2e.page import ANSWER_MS, ChatPage
from tests.e2e.people import Person, a_person_in_arrears
from tests.running.desk import RunningDesk

pytestmark = [pytest.mark.running, pytest.mark.browser]

NewChat = Callable[..., ChatPage]
_AMOUNT = re.compile(r"¥([\d,]+\.\d{2})")
_INSTALMENT = re.compile(r"^第(\d+)期 \S+ ¥([\d,]+\.\d{2})$", re.MULTILINE)


@dataclass(frozen=True)
class Wording:
    """The same journey as two people type and read it."""

    locale: str
    greeting: str
    hello: str
    hello_back: str
    owe: str
    ask_phone: str
    ask_code: str
    ask_tail: str
    principal: str
    total_so_far: str
    hardship: str
    ask_income: str
    question: str
    about_credit: str
    ask_essentials: str
    offers: str
    first_offer: str
    agreement_head: str
    ask_yes: str
    agree: str
    agreed: str
    schedule: str
    next_due: str
    next_due_told: str


HANS = Wording(
    locale="zh-CN",
    greeting="不是真人",
    hello="你好",
    hello_back="想查账",
    owe="我欠多少钱",
    ask_phone="登记的手机号",
    ask_code="六位验证码",
    ask_tail="身份证号的后四位",
    principal="本金 ¥12,000.00",
    total_so_far="1 笔一共",
    hardship="还不上,能不能分期",
    ask_income="到手的收入",
    question="会影响征信吗",
    about_credit="征信业管理条例",
    ask_essentials="必须花的钱",
    offers="哪个方案合适",
    first_offer="方案1",
    agreement_head="分期还款协议",
    ask_yes="请您看一遍上面的内容",
    agree="就这样定",
    agreed="协议已经生效",
    schedule="还款日和金额",
    next_due="我的下期什么时候还",
    next_due_told="下一期",
)
HANT = Wording(
    locale="zh-TW",
    greeting="不是真人",
    hello="你好",
    hello_back="想查帳",
    owe="我欠多少錢",
    ask_phone="登記的手機號",
    ask_code="六位驗證碼",
    ask_tail="身份證號的後四位",
    principal="本金 ¥12,000.00",
    total_so_far="1 筆一共",
    hardship="還不上,能不能分期",
    ask_income="到手的收入",
    question="會影響徵信嗎",
    about_credit="徵信業管理條例",
    ask_essentials="必須花的錢",
    offers="哪個方案合適",
    first_offer="方案1",
    agreement_head="分期還款協議",
    ask_yes="請您看一遍上面的內容",
    agree="就這樣定",
    agreed="協議已經生效",
    schedule="還款日和金額",
    next_due="我的下期什麼時候還",
    next_due_told="下一期",
)


def fen(shown: str) -> int:
    """Read an amount as the page writes it."""
    return int(Decimal(shown.replace(",", "")) * 100)


def prove_identity(chat: ChatPage, person: Person, wording: Wording = HANS) -> None:
    """Ask what is owed and answer the three questions; ends with the statement."""
    chat.say(wording.owe, answered=wording.ask_phone)
    chat.say(person.phone, answered=wording.ask_code)
    chat.say(chat.code(), answered=wording.ask_tail)
    chat.say(person.id_tail, answered=wording.total_so_far)


def reach_the_offers(chat: ChatPage, person: Person) -> None:
    """Prove identity, and tell income and expenses."""
    prove_identity(chat, person)
    chat.say("还不上,能不能分期", answered=HANS.ask_income)
    chat.say("6000", answered=HANS.ask_essentials)
    chat.say("3500", answered=HANS.offers)


@pytest.mark.parametrize("wording", [HANS, HANT], ids=["simplified", "traditional"])
def test_from_a_greeting_to_a_plan_and_its_next_instalment(a_chat: NewChat, person: Person, wording: Wording) -> None:
    chat = a_chat(wording.locale)
    expect(chat.told(wording.greeting)).to_have_count(1)
    chat.say(wording.hello, answered=wording.hello_back)
    chat.say(wording.owe, answered=wording.ask_phone)
    chat.say(person.phone, answered=wording.ask_code)
    chat.say(chat.code(), answered=wording.ask_tail)
    assert "¥" not in "".join(chat.texts()), "nothing about money before identity is proved"
    expect(chat.chat).to_have_attribute("data-verified", "false")

    chat.say(person.id_tail, answered=wording.total_so_far)
    expect(chat.chat).to_have_attribute("data-verified", "true")
    statement = chat.told(wording.principal).inner_text()
    *parts, total = [fen(shown) for shown in _AMOUNT.findall(statement)]
    assert sum(parts) == total
    script = Script.HANT if wording is HANT else Script.HANS
    assert to_script(person.creditor, script) in statement

    chat.say(wording.hardship, answered=wording.ask_income)
    chat.say("6000", answered=wording.ask_essentials)
    chat.say(wording.question, answered=wording.about_credit)
    expect(chat.told(wording.ask_essentials)).to_have_count(2)  # asked again after the question in the middle
    chat.say("3500", answered=wording.offers)
    assert (
        chat.chat.locator("button.desk-reply")
        .filter(has_text="期)")
        .or_(chat.chat.locator("button.desk-reply").filter(has_text="期）"))
        .count()
        >= 2
    )

    chat.press(wording.first_offer, answered=wording.ask_yes)
    expect(chat.told(wording.agreement_head)).to_be_visible()
    chat.press(wording.agree, answered=wording.agreed)
    schedule = chat.told(wording.schedule).first
    expect(schedule).to_be_visible()
    instalments = _INSTALMENT.findall(schedule.locator(".desk-text").inner_text())
    assert [int(number) for number, _ in instalments] == list(range(1, len(instalments) + 1))
    agreed_total = fen(_AMOUNT.findall(schedule.inner_text())[-1])
    assert sum(fen(amount) for _, amount in instalments) == agreed_total

    told = chat.say(wording.next_due, answered=wording.next_due_told).inner_text()
    assert fen(_AMOUNT.findall(told)[0]) == fen(instalments[0][1])
    chat.expect_last_in_view()
    if wording is HANT:
        replies = chat.chat.locator("[data-author=bot] .desk-text").all_inner_texts()
        assert [text for text in replies if to_script(text, Script.HANT) != text] == []


def test_used_buttons_are_shown_used_and_cannot_be_pressed_again(a_chat: NewChat) -> None:
    chat = a_chat()
    chat.say("你好", answered="想查账")
    pressed = chat.button("想商量怎么还")
    others = chat.button("查我欠多少").or_(chat.button("转人工"))
    pressed.click()
    expect(chat.told(HANS.ask_phone)).to_be_visible(timeout=ANSWER_MS)

    expect(pressed).to_have_attribute("data-state", "used")
    expect(pressed).to_be_disabled()
    for other in others.all():
        expect(other).to_be_disabled()
    assert chat.texts().count("想商量怎么还") == 1


def test_a_reload_keeps_history_draft_and_open_buttons(a_chat: NewChat, person: Person) -> None:
    chat = a_chat()
    reach_the_offers(chat, person)
    chat.box.click()
    chat.page.keyboard.insert_text("我先想")
    before = chat.lines()

    chat.reload()

    assert chat.lines() == before
    expect(chat.box).to_have_text("我先想")
    expect(chat.chat).to_have_attribute("data-verified", "true")
    chat.expect_last_in_view()
    expect(chat.button("方案2")).to_be_in_viewport()
    chat.press("方案2", answered=HANS.ask_yes)


def test_facts_are_withheld_once_the_binding_is_released_and_come_back_with_a_new_proof(
    a_chat: NewChat, desk: RunningDesk, person: Person
) -> None:
    chat = a_chat()
    reach_the_offers(chat, person)
    before = chat.lines()
    release(desk.deps, person)
    expect(chat.chat).to_have_attribute("data-verified", "false")
    assert chat.lines() == before, "what is on the screen stays until the page is loaded again"

    chat.reload()
    expect(chat.chat).to_have_attribute("data-verified", "false")
    hidden = "".join(chat.texts())
    assert "这条内容要核对身份后才能看" in hidden
    assert [secret for secret in (person.phone, person.id_tail, person.creditor, "¥") if secret in hidden] == []
    expect(chat.chat.locator("button.desk-reply").filter(has_text="方案")).to_have_count(0)

    prove_identity(chat, person)
    expect(chat.chat).to_have_attribute("data-verified", "true")
    expect(chat.told("这条内容要核对身份后才能看")).to_have_count(0)
    assert chat.lines()[: len(before)] == before
    expect(chat.chat.locator("button.desk-reply").filter(has_text="方案2").first).to_be_visible()


def test_two_tabs_show_the_same_conversation(a_chat: NewChat, another_tab: Callable[[ChatPage], ChatPage]) -> None:
    first = a_chat()
    second = another_tab(first)
    first.say("你好", answered="想查账")
    expect(second.told("想查账")).to_be_visible(timeout=ANSWER_MS)
    second.press("查我欠多少", answered=HANS.ask_phone)
    expect(first.told(HANS.ask_phone)).to_be_visible(timeout=ANSWER_MS)

    expect(first.button("查我欠多少")).to_have_attribute("data-state", "used")
    assert first.lines() == second.lines()


def test_what_is_sent_without_a_network_arrives_once_and_in_order(a_chat: NewChat) -> None:
    chat = a_chat()
    chat.type_and_send("会上征信吗")  # perhaps on its way, perhaps not: the cut comes in the middle
    chat.page.context.set_offline(True)
    expect(chat.chat).to_have_attribute("data-connection", "closed")
    expect(chat.strip).to_contain_text("网络断开了")
    chat.type_and_send("会被起诉吗")
    chat.type_and_send("会上门催收吗")
    expect(chat.by("borrower", "会上门催收吗")).to_have_attribute("data-delivery", "sending")

    chat.page.context.set_offline(False)

    expect(chat.chat).to_have_attribute("data-connection", "open", timeout=ANSWER_MS)
    expect(chat.strip).to_be_hidden()
    expect(chat.told("依据：")).to_have_count(3, timeout=ANSWER_MS)
    expect(chat.chat.locator("[data-author=borrower]:not([data-delivery=stored])")).to_have_count(0)
    said = ["会上征信吗", "会被起诉吗", "会上门催收吗"]
    assert chat.own.locator(".desk-text").all_inner_texts() == said
    shown = chat.lines()
    assert len({seq for seq, _ in shown}) == len(shown)
    assert chat.reload().lines() == shown


def test_markup_is_shown_as_the_text_it_is(a_chat: NewChat) -> None:
    chat = a_chat()
    markup = "<img src=x onerror=alert(1)><b>粗</b> **不是粗体** [链接](javascript:alert(2)) '; DROP TABLE debts;--"
    chat.type_and_send(markup)

    own = chat.own.locator(".desk-text")
    expect(own).to_have_text(markup)
    expect(chat.own).to_have_attribute("data-delivery", "stored")
    expect(own.locator("*")).to_have_count(0)
    chat.reload()
    expect(own).to_have_text(markup)
    expect(own.locator("*")).to_have_count(0)


def test_two_borrowers_in_two_browsers_never_see_each_other(a_chat: NewChat, desk: RunningDesk) -> None:
    one, other = a_chat(), a_chat()
    first, second = _two_people(desk.deps)
    prove_identity(one, first)
    assert other.own.count() == 0
    prove_identity(other, second)

    theirs = "".join(one.texts())
    assert first.creditor in theirs
    assert second.creditor not in theirs
    assert first.creditor not in "".join(other.reload().texts())
    assert one.page.evaluate("document.cookie") == "", "the session cookie is not for scripts"


def test_a_long_agreement_starts_at_its_top_and_its_buttons_are_one_press_away(a_chat: NewChat, person: Person) -> None:
    chat = a_chat()
    reach_the_offers(chat, person)
    chat.expect_last_in_view()
    chat.press("方案3", answered=HANS.ask_yes)

    agreement = chat.told("分期还款协议（待您确认）")
    expect(agreement.locator(".desk-head")).to_be_in_viewport()
    agree = chat.button("就这样定")
    expect(agree).not_to_be_in_viewport()
    chat.to_end.click()
    expect(agree).to_be_in_viewport(ratio=1)
    expect(chat.to_end).to_be_hidden()
    agree.click()
    expect(chat.told("协议已经生效")).to_be_visible(timeout=ANSWER_MS)


def test_everything_fits_a_narrow_phone_in_large_type(a_chat: NewChat, person: Person) -> None:
    chat = a_chat(viewport={"width": 320, "height": 568})
    reach_the_offers(chat, person)
    larger = chat.page.get_by_role("button", name="大字")
    first = chat.told("方案1").first
    expect(first).to_be_in_viewport()
    larger.click()
    expect(larger).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_in_viewport()
    larger.click()
    chat.to_end.click()
    larger.click()
    chat.expect_last_in_view()
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert chat.log.evaluate("log => log.scrollWidth <= log.clientWidth")
    for button in chat.chat.locator("button.desk-reply").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, "a thumb has to hit it"


def test_a_quick_reply_can_be_used_with_the_keyboard_alone(a_chat: NewChat) -> None:
    chat = a_chat()
    chat.say("你好", answered="想查账")
    chat.button("查我欠多少").focus()
    chat.page.keyboard.press("Enter")
    expect(chat.told(HANS.ask_phone)).to_be_visible(timeout=ANSWER_MS)
    chat.page.keyboard.insert_text("取消")  # the box has the focus now
    chat.page.keyboard.press("Enter")
    expect(chat.told("先停下")).to_be_visible(timeout=ANSWER_MS)


def test_an_expired_session_says_so_and_keeps_what_was_written(a_chat: NewChat) -> None:
    chat = a_chat()
    chat.page.context.set_offline(True)
    expect(chat.chat).to_have_attribute("data-connection", "closed")
    chat.type_and_send("这句话不能丢")
    chat.page.context.clear_cookies()
    chat.page.context.set_offline(False)

    expect(chat.strip).to_have_attribute("data-strip", "expired", timeout=ANSWER_MS)
    expect(chat.strip).to_contain_text("页面停留太久")
    expect(chat.box).to_have_text("这句话不能丢")
    chat.page.get_by_role("button", name="重新打开").click()
    expect(chat.chat).to_have_attribute("data-connection", "open", timeout=ANSWER_MS)
    expect(chat.box).to_have_text("这句话不能丢")


def release(deps: Deps, person: Person) -> None:
    """Release the binding of the conversation in which a person proved identity."""
    with deps.read() as session:
        claimed = Borrower.phone_hash == deps.vault.lookup("phone", person.phone)
        bound = select(Conversation.id).join(Borrower, Borrower.id == Conversation.borrower_id).where(claimed)
        conversation_id = session.scalars(bound).one()
    identity.release_binding(deps, conversation_id, "wrong_person")


def _two_people(deps: Deps) -> tuple[Person, Person]:
    return a_person_in_arrears(deps), a_person_in_arrears(deps)
