"""The borrower's chat page and the operators' console, as the tests use them: by what people see and press."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

ANSWER_MS = 20_000
"""How long an answer may take: a turn goes through gateway, engine, actions and database."""

_CODE = re.compile(r"[验驗][证證][码碼][:\uff1a](\d{6})")


class ChatPage:
    """One tab of the borrower's chat. Everything it reads is what the page shows, not what the server sent."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self._base = base
        self.chat = page.locator("deep-chat")
        self.messages = self.chat.locator("[data-author]")
        self.own = self.chat.locator("[data-author=borrower]")
        self.box = page.locator("#text-input")
        self.log = page.locator("#messages")
        self.strip = page.locator("#strip")
        self.to_end = page.locator(".desk-to-end")
        self.typing = page.locator("[data-typing]")

    def open(self) -> ChatPage:
        """Open the page and wait until it is connected and shows the conversation so far."""
        self.page.goto(self._base + "/")
        return self._ready()

    def reload(self) -> ChatPage:
        """Load the page again and wait as ``open`` does."""
        self.page.reload()
        return self._ready()

    def told(self, words: str) -> Locator:
        """Return the stored messages of anybody but the borrower that contain these words."""
        return self.chat.locator("[data-author]:not([data-author=borrower])[data-seq]").filter(has_text=words)

    def by(self, author: str, words: str) -> Locator:
        """Return the messages of an author that contain these words."""
        return self.chat.locator(f"[data-author={author}]").filter(has_text=words)

    def button(self, title: str) -> Locator:
        """Return the newest quick reply whose title contains this."""
        return self.chat.locator("button.desk-reply").filter(has_text=title).last

    def say(self, text: str, *, answered: str) -> Locator:
        """Type a message, send it with Enter, and return the answer once it is there."""
        return self._answer(lambda: self.type_and_send(text), answered)

    def press(self, title: str, *, answered: str) -> Locator:
        """Press the newest quick reply with this title and return the answer once it is there."""
        button = self.button(title)
        expect(button).to_be_enabled(timeout=ANSWER_MS)
        return self._answer(button.click, answered)

    def type_and_send(self, text: str) -> None:
        """Type a message and send it, whatever happens to it then."""
        self.box.click()
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")

    def code(self) -> str:
        """Return the newest one-time code that the page shows."""
        shown = _CODE.findall("\n".join(self.messages.all_inner_texts()))
        assert shown, "the page shows no one-time code"
        return str(shown[-1])

    def texts(self) -> list[str]:
        """Return the words of all messages, from the top."""
        return self.messages.locator(".desk-text").all_inner_texts()

    def lines(self) -> list[tuple[str, str]]:
        """Return number and words of all stored messages, from the top."""
        stored = self.chat.locator("[data-author][data-seq]")
        found: list[list[str]] = stored.evaluate_all(
            "all => all.map(one => [one.dataset.seq, one.querySelector('.desk-text').innerText])"
        )
        return [(seq, text) for seq, text in found]

    def expect_last_in_view(self) -> None:
        """Fail unless the end of the newest message is on the screen, above the box to write in."""
        self.page.wait_for_function(
            "() => { const log = document.querySelector('deep-chat').shadowRoot.getElementById('messages');"
            " return log.scrollTop + log.clientHeight >= log.scrollHeight - 2; }"
        )

    def _answer(self, do: Callable[[], None], words: str) -> Locator:
        answers = self.told(words)
        before = answers.count()
        do()
        expect(answers.nth(before)).to_be_visible(timeout=ANSWER_MS)
        return answers.nth(before)

    def _ready(self) -> ChatPage:
        expect(self.chat).to_have_attribute("data-connection", "open", timeout=ANSWER_MS)
        expect(self.log).to_have_attribute("aria-busy", "false", timeout=ANSWER_MS)
        expect(self.messages.first).to_be_visible(timeout=ANSWER_MS)
        return self


class ConsolePage:
    """One tab of the operators' console."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self._base = base
        self.alarm = page.get_by_role("alert")
        self.rows = page.locator("#list .row")
        self.turns = page.locator("#turns .turn")
        self.bar = page.locator("#bar")
        self.reply_box = page.get_by_label("回复", exact=True)
        self.take_button = page.get_by_role("button", name="接手")
        self.give_back_button = page.get_by_role("button", name="交回机器人")
        self.card = page.locator("#side")

    def log_in(self, login: str, password: str) -> ConsolePage:
        """Log in and wait for the list."""
        self.page.goto(self._base + "/console/")
        self.page.get_by_label("账号").fill(login)
        self.page.get_by_label("密码").fill(password)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.locator("#list")).to_be_visible()
        return self

    def go(self, path: str) -> None:
        """Open another screen."""
        self.page.goto(f"{self._base}/console{path}")

    def row(self, words: str) -> Locator:
        """Return the rows of the list that show these words."""
        return self.rows.filter(has_text=words)

    def open_row(self, row: Locator) -> None:
        """Open the conversation of a row."""
        row.click()
        expect(self.turns.first).to_be_visible()
        self.expect_live()

    def take(self) -> None:
        """Take the open conversation over."""
        self.take_button.click()
        expect(self.give_back_button).to_be_visible()

    def reply(self, text: str) -> None:
        """Write to the borrower and send it."""
        self.reply_box.fill(text)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="发送").click()

    def give_back(self) -> None:
        """Give the open conversation back to the bot."""
        self.give_back_button.click()
        expect(self.give_back_button).to_have_count(0)

    def turn(self, words: str) -> Locator:
        """Return the turns of the transcript that contain these words."""
        return self.turns.filter(has_text=words)

    def expect_live(self) -> None:
        """Fail unless the page gets news by itself."""
        expect(self.page.locator("#live")).to_have_text("实时", timeout=ANSWER_MS)
