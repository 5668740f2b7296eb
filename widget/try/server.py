"""A stand-in for the desk, to try the chat page by hand: it speaks the chat line and understands nothing.

    npm run build && python try/server.py [port]

Everything is kept in memory, one conversation per cookie. What it answers to:
分期 (offers with their charts), 收入 (a picker for a sum), 哪天 (a picker for a day), 打分 (a scale), 繁 (the page in
Traditional script), 人工 (hand over to a person), 机器人 (back to the bot), 长 (a long answer), 断线 (cut the socket),
拒绝 (refuse the message), 过期 (end the session); anything else is echoed.
"""

import asyncio
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

Frame = dict[str, object]

DIST: Final = Path(__file__).parent.parent / "dist"
COOKIE: Final = "desk_try"
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:"
)
LONG: Final = "\n".join(
    ["我们先把欠款的构成说清楚，每一项都可以追问：", "", "1. 本金 ¥12,000.00", "2. 利息 ¥684.50", "3. 罚息 ¥96.20", ""]
    + ["罚息是按逾期的天数算的，从到期日的次日起，到还清为止。金额以合同写明的利率为准，不会另外加收别的费用。"] * 6
    + ["链接不会变成可点的：https://example.invalid/a-very-long-path-that-must-wrap-somewhere-or-it-breaks-the-page"]
)


@dataclass(slots=True)
class Conversation:
    """One borrower's messages and the pages that show them."""

    messages: list[Frame] = field(default_factory=list)
    seq_of_key: dict[str, int] = field(default_factory=dict)
    pages: set[WebSocket] = field(default_factory=set)
    owner: str = "bot"
    script: str = "hans"

    async def tell(self, frame: Frame) -> None:
        for page in list(self.pages):
            try:
                await page.send_json(frame)
            except (RuntimeError, WebSocketDisconnect):
                self.pages.discard(page)

    async def add(
        self,
        author: str,
        text: str,
        *,
        key: str | None = None,
        titles: tuple[str, ...] = (),
        extras: Frame | None = None,
    ) -> int:
        seq = len(self.messages) + 1
        buttons = [{"title": title, "token": secrets.token_urlsafe(12), "state": "open"} for title in titles]
        at = datetime.now(UTC).isoformat()
        message: Frame = {"type": "message", "seq": seq, "id": f"m{seq}", "author": author, "text": text, "at": at}
        message |= {"key": key, "buttons": buttons, "extras": extras}
        self.messages.append(message)
        await self.tell(message)
        return seq

    async def hand_to(self, owner: str) -> None:
        self.owner = owner
        await self.tell({"type": "state", "owner": owner, "verified": owner == "human", "script": self.script})

    def press(self, token: object) -> tuple[Frame, str] | None:
        """Use a button up; returns the frame that says so and the button's title, or None if it cannot be pressed."""
        for message in self.messages:
            buttons = message["buttons"]
            assert isinstance(buttons, list)
            pressed = [button for button in buttons if button["token"] == token and button["state"] == "open"]
            if pressed:
                for button in buttons:
                    button["state"] = "used" if button is pressed[0] else "stale"
                return {"type": "buttons", "id": message["id"], "buttons": buttons}, str(pressed[0]["title"])
        return None


conversations: dict[str, Conversation] = {}
app = FastAPI()


@app.get("/")
async def page(request: Request) -> Response:
    response = FileResponse(DIST / "index.html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    session = request.cookies.get(COOKIE)
    if session not in conversations:
        session = secrets.token_urlsafe(16)
        conversations[session] = Conversation()
        await conversations[session].add("bot", "您好，我是 AI 助手。还款上有难处可以慢慢说，我们一起想办法。")
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict")
    return response


@app.websocket("/chat/line")
async def chat_line(socket: WebSocket) -> None:
    await socket.accept()
    conversation = conversations.get(socket.cookies.get(COOKIE, ""))
    if conversation is None:
        await expire(socket)
        return
    try:
        while True:
            await receive(conversation, socket, await socket.receive_json())
    except WebSocketDisconnect:
        conversation.pages.discard(socket)


async def expire(socket: WebSocket) -> None:
    text = "这次对话已经结束，请重新打开页面。您没发出的话还在输入框里。"
    await socket.send_json({"type": "problem", "code": "session_expired", "text": text, "key": None})
    await socket.close()


async def receive(conversation: Conversation, socket: WebSocket, frame: Frame) -> None:
    match frame:
        case {"type": "hello", "after": int(after)}:
            welcome: Frame = {"type": "welcome", "last_seq": len(conversation.messages), "owner": conversation.owner}
            await socket.send_json(welcome | {"verified": False, "demo": True, "lender": "示例消费金融"})
            for message in conversation.messages[after:]:
                await socket.send_json(message)
            conversation.pages.add(socket)
        case {"type": "say", "key": str(key), "text": str(text)}:
            await hear(conversation, socket, key, text)
        case {"type": "press", "key": str(key), "token": token}:
            if key in conversation.seq_of_key:
                await socket.send_json({"type": "ack", "key": key, "seq": conversation.seq_of_key[key]})
                return
            pressed = conversation.press(token)
            if pressed is None:
                stale = {"type": "problem", "code": "stale_button", "text": "这个按钮已经用过了。", "key": key}
                await socket.send_json(stale)
                return
            used, title = pressed
            await conversation.tell(used)
            await hear(conversation, socket, key, title)


async def hear(conversation: Conversation, socket: WebSocket, key: str, text: str) -> None:
    if "断线" in text and key not in conversation.seq_of_key:
        conversation.seq_of_key[key] = await conversation.add("borrower", text, key=key)
        await socket.close()
        raise WebSocketDisconnect
    if "过期" in text:
        await expire(socket)
        raise WebSocketDisconnect
    if "拒绝" in text:
        problem = {"type": "problem", "code": "too_long", "text": "这段话太长了，请分成几段发。", "key": key}
        await socket.send_json(problem)
        return
    is_new = key not in conversation.seq_of_key
    if is_new:
        conversation.seq_of_key[key] = await conversation.add("borrower", text, key=key)
    await socket.send_json({"type": "ack", "key": key, "seq": conversation.seq_of_key[key]})
    if is_new:
        await answer(conversation, text)


def chart_of(months: int, fen: int) -> Frame:
    """Return the chart of an even plan from December on, beside plans of up to 36 months."""
    days = [f"{2026 + (11 + month) // 12}-{(11 + month) % 12 + 1:02d}-15" for month in range(months)]
    payments = [[day, fen] for day in days]
    return {"kind": "chart", "payments": payments, "begins": "2026-11-22", "ends": "2029-11-15", "most_fen": 213_012}


async def answer(conversation: Conversation, text: str) -> None:
    author = "operator" if conversation.owner == "human" else "bot"
    await conversation.tell({"type": "typing", "on": True, "author": author})
    await asyncio.sleep(0.8)
    await conversation.tell({"type": "typing", "on": False, "author": author})
    if "分期" in text:
        for place, (months, fen) in enumerate(((6, 213_012), (12, 107_960), (36, 36_120)), start=1):
            head = f"方案{place}：分期还，{months} 期，每期 ¥{fen / 100:,.2f}"
            text = f"{head}\n第一期 12月15日\n共还 ¥{months * fen / 100:,.2f}"
            await conversation.add("bot", text, extras=chart_of(months, fen))
        titles = ("方案1（6期）", "方案2（12期）", "方案3（36期）", "都不合适")
        await conversation.add("bot", "哪个方案合适？点按钮，或者说“第二个”。", titles=titles)
    elif "收入" in text:
        question = "您现在每个月到手的收入大概多少？给一个数就行，比如“4500”。"
        await conversation.add("bot", question, extras={"kind": "amount", "most_fen": None})
    elif "哪天" in text:
        last = {"kind": "day", "first": "2026-11-22", "last": "2027-02-20"}
        await conversation.add("bot", "打算哪天还？2月20日以前都可以。", extras=last)
    elif "打分" in text:
        titles = tuple(f"{score}分" for score in range(1, 6))
        await conversation.add("notice", "这次帮到您了吗？点一个分数就行：1分是很不满意，5分是很满意。", titles=titles)
    elif "繁" in text:
        conversation.script = "hant"
        await conversation.hand_to(conversation.owner)
        await conversation.add("bot", "好的，接下來用繁體。")
    elif "人工" in text:
        await conversation.hand_to("queued")
        await conversation.add("notice", "正在转接人工客服，前面还有 1 位。")
        await asyncio.sleep(0.8)
        await conversation.hand_to("human")
        await conversation.add("operator", "您好，我是客服小周。前面的对话我看过了，您不用再说一遍。")
    elif "机器人" in text:
        await conversation.hand_to("bot")
        await conversation.add("notice", "人工客服已离开，AI 助手继续为您服务。")
    elif "长" in text:
        await conversation.add("bot", LONG)
    else:
        await conversation.add(author, f"收到：{text}")


app.mount("/static", StaticFiles(directory=DIST), name="static")

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8099, log_level="warning")
