"""A small Bot API server on loopback: what Telegram does with a bot that polls or has a webhook, and nothing more.

It keeps what the bot sent, lets a test write, press and misbehave as a user would, and fails on demand. Updates are
kept until the bot confirms them, by asking for later ones or by answering its webhook with 200, as Telegram keeps them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, unquote
from urllib.request import ProxyHandler, Request, build_opener

from tests.doubles.loopback import LoopbackServer, SilentHandler

Json = dict[str, Any]

_ADMINISTRATOR = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)

TOKEN = "700000001:LOOPBACK-demo-token-not-a-real-one"


@dataclass(frozen=True)
class SentFile:
    """A file as the user's chat has it; ``kind`` is ``document`` or ``photo``."""

    kind: str
    name: str
    content: bytes


@dataclass
class Sent:
    """A message of the bot as the user's chat shows it now. ``buttons`` are (title, callback data).

    ``rows`` says how many of them were put into each row. ``text`` is the caption where there is a file. ``phone_key``
    is the key that sends the number, if shown.
    """

    chat_id: int
    message_id: int
    text: str
    buttons: list[tuple[str, str]]
    file: SentFile | None = None
    phone_key: str | None = None
    rows: list[int] = field(default_factory=list)


@dataclass
class Webhook:
    """Where updates are brought, and what became of the tries: HTTP statuses, 0 where nobody answered."""

    url: str = ""
    secret: str = ""
    kinds: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """One request of the bot, whatever became of it."""

    method: str
    params: Json


@dataclass
class _Fault:
    method: str
    status: int
    body: Json
    chat_id: int | None
    text: str
    times: int
    after_effect: bool


@dataclass
class _Answer:
    status: int
    body: Json
    cut: bool = False


@dataclass
class _Queued:
    update: Json
    again: bool = False
    confirmed: bool = False


@dataclass
class TelegramServer:
    """Use it as a context manager; ``base`` is the value for ``settings.telegram_api_base``."""

    token: str = TOKEN
    calls: list[Call] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    answered_queries: list[str] = field(default_factory=list)
    left_chats: list[int] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    webhook: Webhook = field(default_factory=Webhook)
    clock_ahead: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    rights: Json = field(default_factory=lambda: {"can_join_groups": False, "can_read_all_group_messages": False})

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[_Queued] = []
        self._faults: list[_Fault] = []
        self._updates = 9_000
        self._messages = 100
        self._closing = False
        self._held = False
        self._httpd = LoopbackServer(_Handler, self)
        self._postman = threading.Thread(target=self._bring, daemon=True)

    def __enter__(self) -> Self:
        self._httpd.start()
        self._postman.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._httpd.stop()
        self._postman.join()

    @property
    def base(self) -> str:
        """Base URL without the ``/bot`` part."""
        return self._httpd.base

    # What users do. Each returns the update's id.

    def send_text(self, chat_id: int, text: str, **more: Any) -> int:
        """Write to the bot in a private chat."""
        return self._add({"message": self._message(chat_id, text=text, **more)})

    def send_photo(self, chat_id: int, caption: str | None = None, album: str | None = None) -> int:
        """Send the bot a picture."""
        size = {"file_id": "p1", "file_unique_id": "p1", "width": 9, "height": 9}
        extra = {"caption": caption, "media_group_id": album}
        return self._add({"message": self._message(chat_id, photo=[size], **_given(extra))})

    def send_voice(self, chat_id: int) -> int:
        """Send the bot a voice message."""
        voice = {"file_id": "v1", "file_unique_id": "v1", "duration": 3}
        return self._add({"message": self._message(chat_id, voice=voice)})

    def send_sticker(self, chat_id: int) -> int:
        """Send the bot a sticker."""
        sticker = {"file_id": "s1", "file_unique_id": "s1", "type": "regular", "width": 9, "height": 9}
        return self._add(
            {"message": self._message(chat_id, sticker=sticker | {"is_animated": False, "is_video": False})}
        )

    def send_document(self, chat_id: int) -> int:
        """Send the bot a file."""
        return self._add({"message": self._message(chat_id, document={"file_id": "d1", "file_unique_id": "d1"})})

    def send_place(self, chat_id: int) -> int:
        """Send the bot a place."""
        return self._add({"message": self._message(chat_id, location={"latitude": 31.2, "longitude": 121.5})})

    def send_file(self, chat_id: int, content: bytes, *, name: str | None = None, size: int | None = None) -> int:
        """Send the bot a file that it can fetch: a picture, or a document where it has a name."""
        with self._changed:
            file_id = f"f{len(self.files) + 1}"
            self.files[file_id] = content
        file: Json = {"file_id": file_id, "file_unique_id": file_id, "file_size": size or len(content)}
        if name is not None:
            return self._add({"message": self._message(chat_id, document=file | {"file_name": name})})
        small = {"file_id": "small", "file_unique_id": "small", "width": 9, "height": 9}
        return self._add({"message": self._message(chat_id, photo=[small, file | {"width": 900, "height": 900}])})

    def share_contact(self, chat_id: int, phone: str, user_id: int | None = None) -> int:
        """Send the bot a contact: the user's own where ``user_id`` is theirs, one of the address book without."""
        contact = {"phone_number": phone, "first_name": "演示", "user_id": user_id}
        return self._add({"message": self._message(chat_id, contact=_given(contact))})

    def change_timer(self, chat_id: int) -> int:
        """Do something in the chat that Telegram reports as a message but that says nothing."""
        return self._add(
            {"message": self._message(chat_id, message_auto_delete_timer_changed={"message_auto_delete_time": 86400})}
        )

    def edit_text(self, chat_id: int, message_id: int, text: str) -> int:
        """Change a message written earlier."""
        message = self._message(chat_id, text=text, edit_date=_now()) | {"message_id": message_id}
        return self._add({"edited_message": message})

    def press(self, chat_id: int, message_id: int, button_title: str) -> int:
        """Press a button the chat shows."""
        with self._changed:
            shown = next(each for each in self.sent if (each.chat_id, each.message_id) == (chat_id, message_id))
            data = dict(shown.buttons)[button_title]
        return self.press_data(chat_id, message_id, data)

    def press_data(self, chat_id: int, message_id: int, data: str) -> int:
        """Send callback data as a changed client could, whether or not the chat shows such a button."""
        message = self._message(chat_id, text="…") | {"message_id": message_id}
        query = {
            "id": f"q{self._updates}",
            "from": _user(chat_id),
            "chat_instance": "1",
            "data": data,
            "message": message,
        }
        return self._add({"callback_query": query})

    def send_group_text(self, group_id: int, text: str) -> int:
        """Write in a group the bot is in."""
        message = self._message(5_000, text=text) | {"chat": {"id": group_id, "type": "supergroup", "title": "一家人"}}
        return self._add({"message": message})

    def add_to_group(self, group_id: int) -> int:
        """Add the bot to a group."""
        return self._membership(group_id, {"id": group_id, "type": "group", "title": "一家人"}, "member")

    def block(self, chat_id: int) -> int:
        """Block the bot."""
        return self._membership(chat_id, {"id": chat_id, "type": "private"}, "kicked")

    def unblock(self, chat_id: int) -> int:
        """Let the bot in again."""
        return self._membership(chat_id, {"id": chat_id, "type": "private"}, "member")

    def add_to_channel(self, channel_id: int) -> int:
        """Make the bot an administrator of a broadcast channel."""
        return self._membership(channel_id, {"id": channel_id, "type": "channel", "title": "公告"}, "administrator")

    def redeliver(self, update_id: int) -> None:
        """Deliver an update once more although it was confirmed."""
        with self._changed:
            next(each for each in self._queue if each.update["update_id"] == update_id).again = True
            self._changed.notify_all()

    def inject(self, update: Json) -> int:
        """Deliver an update as it stands, for shapes nobody has seen yet."""
        return self._add(update)

    # What goes wrong.

    def hold_mail(self) -> None:
        """Bring nothing to the webhook from now on."""
        with self._changed:
            self._held = True

    def fail(
        self,
        method: str,
        status: int,
        description: str = "",
        *,
        retry_after: int | None = None,
        migrate_to: int | None = None,
        chat_id: int | None = None,
        text: str = "",
        times: int = 1,
    ) -> None:
        """Refuse the next calls of a method, of one chat or with some text only if given; nothing takes effect."""
        body: Json = {"ok": False, "error_code": status, "description": description or f"error {status}"}
        if retry_after is not None:
            body["parameters"] = {"retry_after": retry_after}
        if migrate_to is not None:
            body["parameters"] = {"migrate_to_chat_id": migrate_to}
        with self._changed:
            self._faults.append(_Fault(method, status, body, chat_id, text, times, after_effect=False))

    def lose_answer(self, method: str) -> None:
        """Let the next call of a method take effect, and cut the line before the bot hears of it."""
        with self._changed:
            self._faults.append(_Fault(method, 0, {}, None, "", 1, after_effect=True))

    # What the bot did.

    def messages(self, chat_id: int) -> list[Sent]:
        """Return what the bot sent to a chat, in order."""
        with self._changed:
            return [each for each in self.sent if each.chat_id == chat_id]

    def wait_for(self, chat_id: int, predicate: Callable[[Sent], bool], timeout: float = 10) -> Sent:
        """Return the first message of a chat that satisfies ``predicate``, waiting for it.

        Raises:
            AssertionError: none came in time; the text shows what did.
        """
        found: list[Sent] = []

        def look() -> bool:
            found[:] = [each for each in self.sent if each.chat_id == chat_id and predicate(each)]
            return bool(found)

        self.wait_until(look, timeout)
        return found[0]

    def wait_until(self, condition: Callable[[], bool], timeout: float = 10) -> None:
        """Wait until a condition on this server holds.

        Raises:
            AssertionError: it did not in time.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                shown = "\n".join(f"{each.chat_id}: {each.text}" for each in self.sent)
                raise AssertionError(f"not within {timeout} s; the bot sent:\n{shown}")

    def count(self, method: str, chat_id: int | None = None) -> int:
        """Return how often the bot called a method, in all or for one chat."""
        with self._changed:
            return sum(c.method == method and chat_id in (None, c.params.get("chat_id")) for c in self.calls)

    def confirmed(self, update_id: int) -> bool:
        """Tell whether the bot has asked for later updates than this one, or taken it when it was brought."""
        with self._changed:
            if any(each.confirmed and each.update["update_id"] == update_id for each in self._queue):
                return True
            offsets = [call.params.get("offset", 0) for call in self.calls if call.method == "getUpdates"]
            return max(offsets, default=0) > update_id

    # How it is done.

    def _bring(self) -> None:
        """Bring updates to the webhook one after the other; one that is not taken comes again before later ones."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._has_mail())
                if self._closing:
                    return
                due, url, secret = self._to_bring()[0], self.webhook.url, self.webhook.secret
            status = _post(url, secret, due.update)
            with self._changed:
                self.webhook.statuses.append(status)
                if status == 200:
                    due.confirmed, due.again = True, False
                self._changed.notify_all()
            if status != 200:
                time.sleep(0.05)

    def _has_mail(self) -> bool:
        return bool(self.webhook.url) and not self._held and bool(self._to_bring())

    def _to_bring(self) -> list[_Queued]:
        return [each for each in self._queue if each.again or not each.confirmed]

    def _add(self, update: Json) -> int:
        with self._changed:
            self._updates += 1
            self._queue.append(_Queued({"update_id": self._updates, **update}))
            self._changed.notify_all()
            return self._updates

    def _message(self, chat_id: int, **content: Any) -> Json:
        with self._changed:
            self._messages += 1
            number = self._messages
        chat = {"id": chat_id, "type": "private", "first_name": "演示"}
        return {"message_id": number, "date": _now(), "chat": chat, "from": _user(chat_id), **_given(content)}

    def _membership(self, user_id: int, chat: Json, status: str) -> int:
        bot = {"id": 700000001, "is_bot": True, "first_name": "desk"}
        old = {"user": bot, "status": "left" if status == "member" else "member"}
        new = {"user": bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})
        if status == "administrator":
            new |= dict.fromkeys(_ADMINISTRATOR, False)
        change = {
            "chat": chat,
            "from": _user(abs(user_id)),
            "date": _now(),
            "old_chat_member": old,
            "new_chat_member": new,
        }
        return self._add({"my_chat_member": change})

    def answer(self, token: str, method: str, params: Json) -> _Answer:
        """Answer one request. Called by the HTTP handler, on its own thread."""
        with self._changed:
            self.calls.append(Call(method, params))
            self._changed.notify_all()
            if token != self.token:
                return _Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            fault = self._fault(method, params)
            if fault is not None and not fault.after_effect:
                return _Answer(fault.status, fault.body)
            serve = getattr(self, f"_on_{method}", None)
            if serve is None:
                return _Answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
            result = serve(params)
            self._changed.notify_all()
            if isinstance(result, _Answer):
                return result
            return _Answer(200, {"ok": True, "result": result}, cut=fault is not None)

    def _fault(self, method: str, params: Json) -> _Fault | None:
        for fault in self._faults:
            text = params.get("text", params.get("caption", ""))
            concerned = fault.chat_id in (None, params.get("chat_id")) and fault.text in text
            if fault.method == method and fault.times and concerned:
                fault.times -= 1
                return fault
        return None

    def _on_getMe(self, _params: Json) -> Json:  # Telegram's spelling, here and below
        return {"id": 700000001, "is_bot": True, "first_name": "desk", "username": "loopback_desk_bot"} | self.rights

    def _on_deleteWebhook(self, _params: Json) -> bool:
        self.webhook = Webhook()
        return True

    def _on_setWebhook(self, params: Json) -> bool:
        self.webhook = Webhook(params["url"], params.get("secret_token", ""), params.get("allowed_updates", []))
        return True

    def _on_getWebhookInfo(self, _params: Json) -> Json:
        waiting = self._to_bring() if self.webhook.url else []
        info: Json = {"url": self.webhook.url, "has_custom_certificate": False, "pending_update_count": len(waiting)}
        failed = [status for status in self.webhook.statuses if status != 200]
        if failed:
            told = f"Wrong response from the webhook: {failed[-1]}"
            info |= {"last_error_date": _now(), "last_error_message": told}
        return info | ({"allowed_updates": self.webhook.kinds} if self.webhook.kinds else {})

    def _on_getMyCommands(self, _params: Json) -> list[Json]:
        return [{"command": command, "description": description} for command, description in self.commands]

    def _on_setMyCommands(self, params: Json) -> bool:
        self.commands[:] = [(each["command"], each["description"]) for each in params["commands"]]
        return True

    def _on_getUpdates(self, params: Json) -> list[Json] | _Answer:
        offset: int = params.get("offset", 0)
        if self.webhook.url:
            told = "Conflict: can't use getUpdates method while webhook is active"
            return _Answer(409, {"ok": False, "error_code": 409, "description": told})

        for each in self._queue:
            each.confirmed = each.confirmed or each.update["update_id"] < offset

        def due() -> list[_Queued]:
            return [each for each in self._queue if each.again or not each.confirmed]

        self._changed.wait_for(lambda: self._closing or bool(due()), timeout=params.get("timeout", 0))
        batch = due()
        for each in batch:
            each.again = False
        return [each.update for each in batch]

    def _on_sendMessage(self, params: Json) -> Json | _Answer:
        text = str(params["text"])
        if _units(text) > 4096:
            return _bad_request("message is too long")
        if not text.strip():
            return _bad_request("message text is empty")
        return self._show(params, text, None)

    def _on_sendDocument(self, params: Json) -> Json | _Answer:
        return self._show_file(params, "document")

    def _on_sendPhoto(self, params: Json) -> Json | _Answer:
        return self._show_file(params, "photo")

    def _show_file(self, params: Json, kind: str) -> Json | _Answer:
        file, caption = params[kind], str(params.get("caption", ""))
        if not isinstance(file, SentFile) or not file.content:
            return _bad_request("file must be non-empty")
        if _units(caption) > 1024:
            return _bad_request("message caption is too long")
        return self._show(params, caption, file)

    def _show(self, params: Json, text: str, file: SentFile | None) -> Json | _Answer:
        chat_id = params["chat_id"]
        markup = params.get("reply_markup", {})
        keyboard = markup.get("inline_keyboard", [])
        phone_key = next((key["text"] for row in markup.get("keyboard", []) for key in row), None)
        buttons = [(button["text"], button["callback_data"]) for row in keyboard for button in row]
        if not all(1 <= len(row) <= 8 for row in keyboard) or any(len(data.encode()) > 64 for _, data in buttons):
            return _bad_request("BUTTON_DATA_INVALID")
        self._messages += 1
        self.sent.append(Sent(chat_id, self._messages, text, buttons, file, phone_key, [len(row) for row in keyboard]))
        chat = {"id": chat_id, "type": "private" if chat_id > 0 else "group"}
        return {"message_id": self._messages, "date": _now(), "chat": chat, "text": text}

    def _on_answerCallbackQuery(self, params: Json) -> bool:
        self.answered_queries.append(str(params["callback_query_id"]))
        return True

    def _on_editMessageReplyMarkup(self, params: Json) -> Json | _Answer:
        for each in self.sent:
            if (each.chat_id, each.message_id) == (params["chat_id"], params["message_id"]):
                rows = params.get("reply_markup", {}).get("inline_keyboard", [])
                buttons = [(button["text"], button["callback_data"]) for row in rows for button in row]
                if each.buttons == buttons:
                    return _bad_request("message is not modified")
                each.buttons[:] = buttons
                chat = {"id": each.chat_id, "type": "private"}
                return {"message_id": each.message_id, "date": _now(), "chat": chat, "text": each.text}
        return _bad_request("message to edit not found")

    def _on_sendChatAction(self, _params: Json) -> bool:
        return True

    def _on_getFile(self, params: Json) -> Json | _Answer:
        file_id = str(params["file_id"])
        if file_id not in self.files:
            return _bad_request("wrong file_id or the file is temporarily unavailable")
        return {"file_id": file_id, "file_unique_id": file_id, "file_path": f"documents/{file_id}"}

    def _on_leaveChat(self, params: Json) -> bool:
        self.left_chats.append(params["chat_id"])
        return True


class _Handler(SilentHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # the name the base class calls
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        params = _parts(kind, body) if kind.startswith("multipart/") else _fields(body.decode())
        _, bot, method = self.path.split("/")
        answer = self.server.double.answer(bot.removeprefix("bot"), method, params)
        if answer.cut:
            self.close_connection = True
            return
        payload = json.dumps(answer.body).encode()
        with suppress(ConnectionError):  # a bot that is stopping has hung up on its long poll
            self._reply(answer.status, payload)

    def do_GET(self) -> None:  # the name the base class calls
        """Serve a file that was asked for."""
        double = self.server.double
        _, _, bot, *path = unquote(self.path).split("/")
        content = double.files.get(path[-1]) if bot == f"bot{double.token}" else None
        self._reply(404 if content is None else 200, content or b"")

    def do_HEAD(self) -> None:  # the name the base class calls
        self._reply(200, b"")

    def _reply(self, status: int, payload: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header, by Telegram's clock."""
        return super().date_time_string((timestamp or time.time()) + self.server.double.clock_ahead)


def _bad_request(description: str) -> _Answer:
    return _Answer(400, {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"})


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fields(body: str) -> Json:
    return {name: _value(name, values[0]) for name, values in parse_qs(body).items()}


def _parts(content_type: str, body: bytes) -> Json:
    """Read a form with files in it; a field may name the part that holds its file."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=HTTP)
    params: Json = {}
    files: dict[str, SentFile] = {}
    for part in message.iter_parts():
        name, file_name = part["Content-Disposition"].params["name"], part.get_filename()
        content = part.get_payload(decode=True)
        if file_name is None:
            params[name] = content.decode()
        else:
            files[name] = SentFile("", file_name, content)
    for kind in ("document", "photo"):
        found = files.get(str(params.get(kind, "")).removeprefix("attach://")) or files.get(kind)
        if found is not None:
            params[kind] = SentFile(kind, found.name, found.content)
    return {name: _value(name, value) if isinstance(value, str) else value for name, value in params.items()}


def _value(name: str, text: str) -> Any:
    """Undo the client's encoding: what is neither text nor a number travels as JSON."""
    if name in ("commands", "reply_markup", "allowed_updates", "link_preview_options"):
        return json.loads(text)
    return int(text) if name in ("chat_id", "message_id", "offset", "timeout", "max_connections") else text


def _post(url: str, secret: str, update: Json) -> int:
    """Bring one update; returns the HTTP status, 0 where nobody answered."""
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
    try:
        request = Request(url, json.dumps(update).encode(), headers)
        with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return 0


def _given(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _user(user_id: int) -> Json:
    return {"id": user_id, "is_bot": False, "first_name": "演示"}


def _now() -> int:
    return int(time.time())
