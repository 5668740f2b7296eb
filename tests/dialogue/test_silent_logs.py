"""Whatever is said over the running desk, none of its processes prints it: names, phones, numbers, amounts, codes."""

from __future__ import annotations

import httpx

from tests.dialogue.conftest import NewChat, NewLine
from tests.running.canaries import found_in_logs, people, printed
from tests.running.desk import RunningDesk

NAME, PHONE, NUMBER = "欧阳试金", "13987654321", "110101199003072219"
CARD, MAIL, ADDRESS = "6222021234567890123", "canary@example.cn", "金丝雀路17号"
AMOUNTS = ("4321.09", "98765.43", "七千六百五十四块三毛二")


def test_no_process_prints_what_people_say(desk: RunningDesk, web_line: NewLine, telegram_line: NewChat) -> None:
    canaries = {NAME, PHONE, NUMBER, CARD, MAIL, ADDRESS, *AMOUNTS}
    sentences = [
        f"我叫{NAME},电话{PHONE},身份证{NUMBER}",
        f"我每个月只能还{AMOUNTS[0]}元,欠了{AMOUNTS[1]}",
        f"昨天用卡{CARD}还了{AMOUNTS[2]}",
        f"请把材料寄到{ADDRESS},或者发到{MAIL}",
        f'/set {NAME} {{"phone": "{PHONE}"}}',
    ]
    person = web_line().borrower
    person.verify("13800000001", "0014")
    canaries.add(person.code)
    for sentence in sentences:
        person.say(sentence)
    telegram_line().say(sentences[0])
    person.send_raw(f"{{broken {PHONE}")
    person.send_raw(f"{NAME}".encode())
    for path in (f"/{PHONE}", f"/n/{NAME}", f"/console/conversations/{PHONE}", f"/chat/documents/{NUMBER}"):
        httpx.get(desk.base + path)
    httpx.post(f"{desk.base}/console/login", data={"login": PHONE, "password": NAME})
    httpx.post(
        f"http://127.0.0.1:{desk.settings.actions_port}/webhook",
        headers={"x-desk-secret": desk.settings.actions_secret.get_secret_value()},
        json={
            "next_action": "action_tell_balance",
            "sender_id": "x",
            "tracker": {"slots": {"name": NAME}, "bad": PHONE},
        },
    )
    assert printed(desk.settings.var_dir).keys() == {"rasa", "actions", "gateway", "scheduler"}
    assert ("scheduler", "scheduler_started") in found_in_logs(desk.settings.var_dir, ["scheduler_started"])
    assert found_in_logs(desk.settings.var_dir, canaries | people()) == []
