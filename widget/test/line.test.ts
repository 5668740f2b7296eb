import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ANSWER_LIMIT_MS, FIRST_RETRY_MS, LONGEST_RETRY_MS, retryDelay } from "../src/line.ts";
import { MemoryStore } from "../src/unsent.ts";
import { Page, message } from "./fakes.ts";

describe("greeting", () => {
  it("says hello with nothing shown yet, and reports the welcome", () => {
    const page = new Page();
    page.welcome();
    assert.deepEqual(page.socket.sent, [{ type: "hello", after: 0 }]);
    assert.deepEqual(page.named("connected"), [true]);
    assert.equal(page.named("welcome").length, 1);
  });

  it("asks after a cut only for what it has not shown", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(1, "您好"));
    page.socket.deliver(message(4, "请说"));
    page.reconnect();
    page.socket.accept();
    assert.deepEqual(page.socket.sent, [{ type: "hello", after: 4 }]);
  });

  it("holds back what is said before the welcome and sends it then, in order", () => {
    const page = new Page();
    page.line.say("一");
    page.socket.accept();
    page.line.say("二");
    assert.deepEqual(page.socket.sentOf("say"), []);
    page.welcome();
    assert.deepEqual(page.socket.sentOf("say").map((frame) => frame["text"]), ["一", "二"]);
  });
});

describe("sending", () => {
  it("sends an unstored message again after a reconnect, under the same key", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("我想分期");
    assert.deepEqual(page.socket.sentOf("say"), [{ type: "say", key, text: "我想分期" }]);
    page.reconnect();
    page.welcome();
    assert.deepEqual(page.socket.sentOf("say"), [{ type: "say", key, text: "我想分期" }]);
  });

  it("does not send an acknowledged message again", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("我想分期");
    page.socket.deliver({ type: "ack", key, seq: 1 });
    page.reconnect();
    page.welcome(1);
    assert.deepEqual(page.socket.sentOf("say"), []);
    assert.deepEqual(page.named("stored"), [{ key, seq: 1 }]);
  });

  it("takes its own message coming back for the lost acknowledgement", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("我想分期");
    page.reconnect();
    page.welcome(1);
    page.socket.deliver(message(1, "我想分期", { author: "borrower", key }));
    assert.deepEqual(page.line.unsent, []);
    page.reconnect();
    page.welcome(1);
    assert.deepEqual(page.socket.sentOf("say"), []);
    assert.deepEqual(page.texts, ["我想分期"]);
  });

  it("keeps a message said while the line is down", () => {
    const page = new Page();
    page.welcome();
    page.socket.lose();
    const key = page.line.say("断网时写的");
    page.timers.advance(FIRST_RETRY_MS);
    page.welcome();
    assert.deepEqual(page.socket.sentOf("say"), [{ type: "say", key, text: "断网时写的" }]);
  });

  it("sends a press again like a message", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.press("opaque-1", "分12期");
    page.reconnect();
    page.welcome();
    assert.deepEqual(page.socket.sentOf("press"), [{ type: "press", key, token: "opaque-1" }]);
  });

  it("finds unstored messages again after a reload", () => {
    const storage = new MemoryStore();
    const before = new Page(storage);
    before.welcome();
    const key = before.line.say("刷新前写的");
    before.line.stop();

    const after = new Page(storage, { name: "reloaded" });
    after.welcome();
    assert.deepEqual(after.socket.sentOf("say"), [{ type: "say", key, text: "刷新前写的" }]);
    after.socket.deliver({ type: "ack", key, seq: 1 });
    assert.deepEqual(new Page(storage).line.unsent, []);
  });

  it("passes over a damaged store", () => {
    const storage = new MemoryStore();
    storage.setItem("desk.unsent", '[{"kind":"say","key":7},{"kind":"say","key":"k","text":"好的"}');
    assert.deepEqual(new Page(storage).line.unsent, []);
    storage.setItem("desk.unsent", '[{"kind":"say","key":7},{"kind":"say","key":"k","text":"好的"}]');
    assert.deepEqual(new Page(storage).line.unsent, [{ kind: "say", key: "k", text: "好的" }]);
  });
});

describe("showing", () => {
  it("ignores a message that was already shown", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(1, "您好"));
    page.reconnect();
    page.welcome(2);
    page.socket.deliver(message(1, "您好"));
    page.socket.deliver(message(2, "请说"));
    assert.deepEqual(page.texts, ["您好", "请说"]);
  });

  it("shows a message that comes later than its successor", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(2, "第二"));
    page.socket.deliver(message(1, "第一"));
    assert.deepEqual(page.texts, ["第二", "第一"]);
    assert.equal(page.line.lastSeq, 2);
  });

  it("shows one key once, even under two numbers", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("只说一次");
    page.socket.deliver(message(1, "只说一次", { author: "borrower", key }));
    page.socket.deliver(message(2, "只说一次", { author: "borrower", key }));
    assert.deepEqual(page.texts, ["只说一次"]);
    assert.equal(page.line.lastSeq, 2);
  });

  it("shows in both tabs what either has sent, once each", () => {
    const [left, right] = [new Page(undefined, { name: "left" }), new Page(undefined, { name: "right" })];
    left.welcome();
    right.welcome();
    const leftKey = left.line.say("左边说的");
    const rightKey = right.line.say("右边说的");
    const stored = [
      message(1, "左边说的", { author: "borrower", key: leftKey }),
      message(2, "右边说的", { author: "borrower", key: rightKey }),
    ];
    for (const frame of stored) {
      left.socket.deliver(frame);
      right.socket.deliver(frame);
    }
    left.socket.deliver({ type: "ack", key: leftKey, seq: 1 });
    right.socket.deliver({ type: "ack", key: rightKey, seq: 2 });
    for (const tab of [left, right]) {
      assert.deepEqual(tab.texts, ["左边说的", "右边说的"]);
      assert.deepEqual(tab.line.unsent, []);
    }
  });

  it("does not take another tab's message for its own", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("还没存");
    page.socket.deliver(message(1, "别的页面说的", { author: "borrower", key: "another-tab-1" }));
    assert.deepEqual(page.line.unsent.map((item) => item.key), [key]);
  });

  it("reports frames it cannot read, without their content, and goes on", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliverRaw("not json");
    page.socket.deliver({ type: "message", seq: "1", text: "缺字段" });
    page.socket.deliver({ type: "novelty" });
    page.socket.deliver(message(1, "您好"));
    assert.deepEqual(page.named("unreadable"), [null, null, null]);
    assert.deepEqual(page.texts, ["您好"]);
  });
});

describe("withheld messages", () => {
  it("shows the real text once under the number of the withheld one", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(1, "要核对身份", { withheld: true }));
    page.socket.deliver(message(2, "您好"));
    page.socket.deliver(message(1, "要核对身份", { withheld: true }));
    page.socket.deliver(message(1, "一共 ¥500.00"));
    page.socket.deliver(message(1, "又一次"));
    assert.deepEqual(page.texts, ["要核对身份", "您好", "一共 ¥500.00"]);
    assert.equal(page.line.lastSeq, 2);
  });

  it("never withholds again what it has shown", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(1, "一共 ¥500.00"));
    page.socket.deliver(message(1, "要核对身份", { withheld: true }));
    assert.deepEqual(page.texts, ["一共 ¥500.00"]);
  });

  it("asks for the real texts again after a cut, until it has them", () => {
    const page = new Page();
    page.welcome();
    page.socket.deliver(message(1, "您好"));
    page.socket.deliver(message(2, "要核对身份", { withheld: true }));
    page.socket.deliver(message(3, "要核对身份", { withheld: true }));
    page.socket.deliver(message(4, "请说"));
    page.reconnect();
    page.welcome(4);
    assert.deepEqual(page.socket.sentOf("hello"), [{ type: "hello", after: 1 }]);
    page.socket.deliver(message(2, "一共 ¥500.00"));
    page.socket.deliver(message(3, "分两期"));
    page.reconnect();
    page.welcome(4);
    assert.deepEqual(page.socket.sentOf("hello"), [{ type: "hello", after: 4 }]);
  });

  it("needs no text for what was typed on this page, in this load or the one before", () => {
    const storage = new MemoryStore();
    const before = new Page(storage);
    const kept = before.line.say("13900000000");
    before.line.stop();
    const page = new Page(storage, { name: "reloaded" });
    page.welcome();
    const key = page.line.say("123456");
    page.socket.deliver(message(1, "****", { author: "borrower", key: kept, withheld: true }));
    page.socket.deliver(message(2, "****", { author: "borrower", key, withheld: true }));
    page.socket.deliver(message(2, "123456", { author: "borrower", key }));
    assert.deepEqual(page.texts, ["****", "****"]);
    page.reconnect();
    page.welcome(2);
    assert.deepEqual(page.socket.sentOf("hello"), [{ type: "hello", after: 2 }]);
  });
});

describe("reconnecting", () => {
  it("waits longer after each failure, never under half a second nor over ten", () => {
    for (const random of [0, 0.5, 0.999]) {
      const delays = Array.from({ length: 12 }, (_, failures) => retryDelay(failures, () => random));
      assert.ok(delays.every((delay) => delay >= FIRST_RETRY_MS && delay <= LONGEST_RETRY_MS));
      assert.deepEqual(delays, delays.toSorted((a, b) => a - b));
    }
    assert.ok(retryDelay(9, () => 0.999) > 9_000);
    assert.notEqual(retryDelay(3, () => 0.2), retryDelay(3, () => 0.8));
  });

  it("backs off until it is welcomed, not merely accepted", () => {
    const page = new Page(undefined, { random: 0.999 });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      page.socket.accept();
      page.socket.lose();
      waits.push(page.timers.next() ?? 0);
      page.timers.advance(LONGEST_RETRY_MS);
    }
    assert.ok(waits[0]! < waits[1]! && waits[1]! < waits[2]!, String(waits));
    page.welcome();
    page.socket.lose();
    assert.equal(page.timers.next(), waits[0]);
  });

  it("tries at once when the network is back", () => {
    const page = new Page();
    page.welcome();
    page.line.cut();
    assert.deepEqual(page.named("connected"), [true, false]);
    page.line.hurry();
    assert.equal(page.sockets.length, 2);
    page.welcome();
    page.timers.advance(LONGEST_RETRY_MS);
    assert.equal(page.sockets.length, 2);
  });

  it("takes a socket that does not answer for dead", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("有人吗");
    const dead = page.socket;
    page.timers.advance(ANSWER_LIMIT_MS);
    assert.ok(dead.closed);
    page.timers.advance(FIRST_RETRY_MS);
    page.welcome();
    assert.deepEqual(page.socket.sentOf("say").map((frame) => frame["key"]), [key]);
  });

  it("leaves a quiet socket alone", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("有人吗");
    page.socket.deliver({ type: "ack", key, seq: 1 });
    page.timers.advance(10 * ANSWER_LIMIT_MS);
    assert.equal(page.sockets.length, 1);
  });

  it("is deaf to a socket that it has given up", () => {
    const page = new Page();
    page.welcome();
    const old = page.socket;
    page.reconnect();
    page.welcome();
    old.deliver(message(1, "迟到的"));
    old.lose();
    assert.deepEqual(page.texts, []);
    assert.equal(page.sockets.length, 2);
  });
});

describe("problems", () => {
  it("settles a refused message and hands its text back", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("很长的话");
    page.socket.deliver({ type: "problem", code: "too_long", text: "太长了", key });
    assert.deepEqual(page.named("refused"), [{ code: "too_long", unsent: { kind: "say", key, text: "很长的话" } }]);
    page.reconnect();
    page.welcome();
    assert.deepEqual(page.socket.sentOf("say"), []);
  });

  it("leaves other messages waiting when a problem names no key", () => {
    const page = new Page();
    page.welcome();
    const key = page.line.say("等着");
    page.socket.deliver({ type: "problem", code: "bad_frame", text: "没看懂", key: null });
    assert.deepEqual(page.named("refused"), [{ code: "bad_frame", unsent: null }]);
    assert.deepEqual(page.line.unsent.map((item) => item.key), [key]);
  });

  it("hands all unstored text back when the session is over, and stays away", () => {
    const storage = new MemoryStore();
    const page = new Page(storage);
    page.line.say("第一句");
    page.line.say("第二句");
    page.socket.accept();
    page.socket.deliver({ type: "problem", code: "session_expired", text: "请重新打开页面", key: null });
    assert.deepEqual(page.named("expired"), [
      {
        text: "请重新打开页面",
        unsent: [
          { kind: "say", key: "page-1", text: "第一句" },
          { kind: "say", key: "page-2", text: "第二句" },
        ],
      },
    ]);
    assert.equal(page.line.expired, true);
    assert.equal(page.line.say("再说一句"), null);
    page.timers.advance(10 * LONGEST_RETRY_MS);
    page.line.hurry();
    assert.equal(page.sockets.length, 1);
    assert.deepEqual(new Page(storage).line.unsent, []);
  });
});

describe("seen", () => {
  it("reports the highest number once, and again after a reconnect", () => {
    const page = new Page();
    page.welcome();
    page.line.seen(2);
    page.line.seen(2);
    page.line.seen(1);
    page.line.seen(3);
    assert.deepEqual(page.socket.sentOf("seen").map((frame) => frame["seq"]), [2, 3]);
    page.reconnect();
    page.line.seen(5);
    page.welcome(5);
    assert.deepEqual(page.socket.sentOf("seen").map((frame) => frame["seq"]), [5]);
  });
});
