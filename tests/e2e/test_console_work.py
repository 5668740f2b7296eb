"""What operators do with a borrower's case in the console: plans, approvals, calls, review, and the people at the desk.

Borrowers are proved in the database, as their ways of proving it have tests of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect
from sqlalchemy import select

from bot.identity.roles import Role
from bot.services import approvals, operators, web_sessions
from bot.services.deps import Deps
from bot.store.tables import Borrower, Conversation
from bot.workout.policy_sections import ApprovalRole
from tests.builders.accounts import Owed
from tests.builders.approvals import LATE_CARD, LATEST_CARD, an_offer_to_approve
from tests.dialogue.lines import TelegramLine
from tests.doubles.telegram_server import TelegramServer
from tests.e2e.page import ANSWER_MS, ChatPage, ConsolePage
from tests.e2e.people import Person, a_person_in_arrears
from tests.running.desk import PASSWORD, RunningDesk
from tests.running.validated import refused_by_rasa

pytestmark = [pytest.mark.running, pytest.mark.browser]

PICTURE = b"\x89PNG\r\n\x1a\n and the rest of it"

NewChat = Callable[..., ChatPage]
LogIn = Callable[..., ConsolePage]


def proved(desk: RunningDesk, chat: ChatPage, owed: Owed | None = None) -> tuple[str, Person]:
    """Make the person at a page somebody verified; returns the conversation's id and who they are."""
    person = a_person_in_arrears(desk.deps, owed)
    conversation_id = conversation_of(desk, chat)
    prove(desk.deps, conversation_id, person)
    return conversation_id, person


def prove(deps: Deps, conversation_id: str, person: Person) -> None:
    with deps.begin() as session:
        known = Borrower.phone_hash == deps.vault.lookup("phone", person.phone)
        borrower = session.scalars(select(Borrower).where(known)).one()
        conversation = session.get_one(Conversation, conversation_id)
        conversation.borrower_id, conversation.verified_at = borrower.id, deps.now()
        conversation.last_inbound_at = deps.now()


def conversation_of(desk: RunningDesk, chat: ChatPage) -> str:
    token = next(cookie["value"] for cookie in chat.page.context.cookies() if cookie["name"] == "desk_session")
    found = web_sessions.conversation_of(desk.deps, token)
    assert found is not None
    return found


def taken(a_console: LogIn, login: str, conversation_id: str, desk: RunningDesk) -> ConsolePage:
    """Log an operator in with a conversation in hand."""
    console = a_console(login)
    with desk.deps.begin() as session:
        session.get_one(Conversation, conversation_id).team = "一组"
    console.go(f"/c/{conversation_id}")
    console.take()
    return console


def tried(page: Page, *, waive: bool = False) -> None:
    """Open the offers tool and try a budget."""
    page.get_by_role("link", name="试算方案").click()
    page.get_by_label("月收入（元）").fill("6000")
    page.get_by_label("必要开支（元）").fill("3500")
    if waive:
        page.get_by_label("免全部利息和罚息").check()
    page.get_by_role("button", name="按政策算").click()
    expect(page.get_by_role("heading", name="第 1 组")).to_be_visible()


def test_a_plan_from_the_desk_is_read_back_by_the_bot(a_chat: NewChat, a_console: LogIn, desk: RunningDesk) -> None:
    chat = a_chat()
    conversation_id, person = proved(desk, chat)
    console = taken(a_console, "agent-1", conversation_id, desk)
    page = console.page

    # What is masked is shown once, for a reason.
    assert person.phone not in console.card.inner_text()
    console.card.locator("summary").filter(has_text="显示遮住的信息").click()
    page.get_by_role("button", name="显示一次").click()
    expect(console.card).to_contain_text(person.phone)
    page.reload()
    expect(console.card).not_to_contain_text(person.phone)

    # What must not be said is marked beside the box and not sent.
    console.reply_box.fill("再不还就让警察来抓你")
    expect(page.locator("#findings li").first).to_be_visible(timeout=ANSWER_MS)
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_role("alert").filter(has_text="有些话不能对借款人说")).to_be_visible()
    expect(chat.by("operator", "警察")).to_have_count(0)

    tried(page)
    section = page.locator(".on-offer").first
    section.get_by_label("先说一句").fill("按您说的收支算好了。")
    section.get_by_role("button", name="发给借款人，交回机器人").click()
    expect(console.give_back_button).to_have_count(0)
    expect(chat.by("operator", "按您说的收支算好了")).to_be_visible(timeout=ANSWER_MS)
    expect(chat.by("operator", "自己确认了才算数")).to_be_visible(timeout=ANSWER_MS)
    chat.press("看完整内容", answered="请您看一遍上面的内容")


def test_what_one_operator_asks_for_another_grants(a_chat: NewChat, a_console: LogIn, desk: RunningDesk) -> None:
    chat = a_chat()
    conversation_id, _ = proved(desk, chat, LATE_CARD)
    mine = taken(a_console, "agent-1", conversation_id, desk)
    tried(mine.page, waive=True)
    mine.page.get_by_role("button", name="交给坐席审批").first.click()
    expect(chat.by("operator", "已经交上去了")).to_be_visible(timeout=ANSWER_MS)
    mine.go("/approvals")
    mine.page.locator("#approval-list .row.queued").first.click()
    expect(mine.page.get_by_text("这是您自己提出的")).to_be_visible()
    address = mine.page.url

    other = a_console("agent-2")
    other.page.goto(address)
    other.page.get_by_label("理由").fill("看过材料，负担得起")
    other.page.get_by_role("button", name="批准借款人要的方案").click()
    expect(other.page.get_by_text("批准了这份方案")).to_be_visible()
    expect(chat.told("同事替您提的方案，批准了")).to_be_visible(timeout=ANSWER_MS)


def test_proof_is_sent_asked_for_once_more_seen_and_decided_on(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk
) -> None:
    chat = a_chat()
    conversation_id, _ = proved(desk, chat, LATEST_CARD)
    negotiation_id, offer_id, _ = an_offer_to_approve(desk.deps, conversation_id, ApprovalRole.AGENT)
    with desk.deps.begin() as session:
        borrower_id = session.get_one(Conversation, conversation_id).borrower_id or ""
        request = approvals.request(
            session,
            desk.deps,
            negotiation_id=negotiation_id,
            offer_id=offer_id,
            conversation_id=conversation_id,
            borrower_id=borrower_id,
        )
    chat.say("方案怎么样了", answered="困难证明还没有收到")

    def send(name: str) -> None:
        with chat.page.expect_file_chooser() as chooser:
            chat.page.get_by_role("button", name="发材料").click()
        chooser.value.set_files([{"name": name, "mimeType": "image/png", "buffer": PICTURE}])

    send("离职证明.png")
    expect(chat.told("只用来决定这份方案")).to_be_visible(timeout=ANSWER_MS)
    chat.page.get_by_role("button", name="同意提供材料", exact=True).click()
    expect(chat.told("可以发材料")).to_be_visible(timeout=ANSWER_MS)
    send("离职证明.png")
    expect(chat.told("已经加密存好，只有审批的同事能看")).to_be_visible(timeout=ANSWER_MS)

    console = a_console("agent-1")
    page = console.page
    console.go(f"/approvals/{request.id}")
    page.get_by_label("还想看一样").fill("近三个月的流水")
    page.get_by_role("button", name="请对方补充").click()
    expect(page.get_by_text("请对方补充：近三个月的流水")).to_be_visible()
    expect(chat.told("近三个月的流水")).to_be_visible(timeout=ANSWER_MS)
    chat.press("没有这些材料", answered="没有也没关系")

    page.reload()
    expect(page.get_by_text("对方说：没有这些材料")).to_be_visible()
    page.get_by_label("看过，够了").check()
    page.get_by_label("理由").fill("离职证明属实")
    page.get_by_role("button", name="批准借款人要的方案").click()
    expect(page.get_by_role("alert").filter(has_text="您还没有打开过材料")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="离职证明.png").click()
    assert download.value.path().read_bytes() == PICTURE
    page.get_by_label("看过，够了").check()
    page.get_by_role("button", name="批准借款人要的方案").click()
    expect(page.get_by_text("看过材料，够了")).to_be_visible()
    expect(chat.told("您选的方案，同事批准了")).to_be_visible(timeout=ANSWER_MS)


def test_a_talk_is_found_replayed_corrected_and_taught(a_chat: NewChat, a_console: LogIn, tmp_path: Path) -> None:
    chat = a_chat()
    chat.say("会上征信吗", answered="征信业管理条例")
    boss = a_console("boss")
    page = boss.page

    def search() -> None:
        boss.go("/search")
        page.get_by_label("字词").fill("会上征信吗")
        page.get_by_role("button", name="查找").click()

    search()
    hits = page.locator("#hits .row")
    for _ in range(20):  # the scheduler indexes what was said, every other second
        if hits.count():
            break
        page.wait_for_timeout(1000)
        search()
    hits.first.click()
    expect(page.get_by_text("规则版本")).to_be_visible()
    expect(page.locator("dd").filter(has_text="rights/credit_report").first).to_be_visible()

    page.get_by_label("理解错了？应该是").fill("ask_balance")
    page.get_by_role("button", name="报告").click()
    boss.go("/readings?state=suggested")
    card = page.locator(".approval-list section").first
    card.get_by_label("原话").fill("帮我瞧瞧名下那几笔账还剩几个钱没清")
    card.get_by_role("button", name="确认").click()
    boss.go("/readings?state=corrected")
    with page.expect_download(timeout=3 * ANSWER_MS) as waiting:  # it is compared with everything that is taught
        page.get_by_role("button", name="导出训练例句").click(no_wait_after=True)
    file = tmp_path / "reviewed.yml"
    waiting.value.save_as(file)
    taught = yaml.safe_load(file.read_text("utf-8"))
    assert [block["intent"] for block in taught["nlu"]] == ["ask_balance"]
    assert "名下那几笔账" in taught["nlu"][0]["examples"]
    assert refused_by_rasa(tmp_path / "with reviewed", file.read_text("utf-8")) is None

    boss.go("/quality")
    page.get_by_role("button", name="抽取本周的会话").click()
    expect(page.get_by_role("heading", name="要打分的会话")).to_be_visible()
    expect(page.locator("main .refusal")).to_have_count(0)
    boss.go("/reports")
    expect(page.locator("main table").first).to_be_visible()


def test_a_borrower_on_telegram_asks_for_a_call_and_is_answered(
    a_console: LogIn, desk: RunningDesk, telegram_cloud: TelegramServer
) -> None:
    line = TelegramLine(desk, telegram_cloud)
    prove(desk.deps, line.conversation_id, a_person_in_arrears(desk.deps))
    answers = line.say("明天下午给我打电话")
    assert any("14:00到15:00之间" in said.text for said in answers), [said.text for said in answers]

    console = taken(a_console, "agent-1", line.conversation_id, desk)
    expect(console.page.locator("#call-back")).to_contain_text("对方在对话里要的")
    line.heard_of(lambda: console.reply("您好，我在。"), lambda news: any("我在" in said.text for said in news))
    console.go("/call-backs")
    expect(console.page.locator(f'main .row[href="/console/c/{line.conversation_id}"]')).to_be_visible()
    console.go(f"/c/{line.conversation_id}")
    console.page.get_by_role("button", name="不用打了").click()
    expect(console.page.locator("#call-back")).to_contain_text("没有约电话")
    console.give_back()


def test_a_new_colleague_replaces_the_password_that_was_handed_over(a_console: LogIn, desk: RunningDesk) -> None:
    operators.create(desk.deps, "keeper", "测试管理员", Role.ADMIN, PASSWORD)
    console = a_console("keeper")
    console.go("/operators")
    page = console.page
    page.get_by_label("账号").fill("newcomer")
    page.get_by_label("姓名").first.fill("测试新人")
    page.get_by_role("button", name="新建").click()
    password = page.locator("#first-password code").inner_text()
    assert re.fullmatch(r"[a-z2-9-]{19}", password)
    page.get_by_role("button", name="退出").click()
    page.get_by_label("账号").fill("newcomer")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("换成自己的密码")).to_be_visible()
