/** Stand-ins for the browser: a server end of the socket, a clock that only the test moves, a record of events. */

import { Line } from "../src/line.ts";
import type { LineListener, Socket, SocketEvents, Timers } from "../src/line.ts";
import { MemoryStore, StoredUnsent } from "../src/unsent.ts";
import type { TextStore } from "../src/unsent.ts";

type Frame = Record<string, unknown>;

export class FakeSocket implements Socket {
  readonly sent: Frame[] = [];
  closed = false;
  readonly #events: SocketEvents;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Frame);
  }

  close(): void {
    this.closed = true;
  }

  accept(): void {
    this.#events.opened();
  }

  deliver(frame: Frame): void {
    this.deliverRaw(JSON.stringify(frame));
  }

  deliverRaw(data: unknown): void {
    this.#events.received(data);
  }

  lose(): void {
    this.#events.lost();
  }

  sentOf(type: string): Frame[] {
    return this.sent.filter((frame) => frame["type"] === type);
  }
}

export class FakeTimers implements Timers {
  readonly #tasks = new Map<number, { readonly at: number; readonly task: () => void }>();
  #now = 0;
  #handles = 0;

  set(task: () => void, ms: number): number {
    this.#handles += 1;
    this.#tasks.set(this.#handles, { at: this.#now + ms, task });
    return this.#handles;
  }

  clear(handle: number): void {
    this.#tasks.delete(handle);
  }

  /** Milliseconds until the next task, or null when nothing is planned. */
  next(): number | null {
    const times = [...this.#tasks.values()].map((entry) => entry.at - this.#now);
    return times.length === 0 ? null : Math.min(...times);
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#tasks].filter(([, entry]) => entry.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [handle, entry] = due;
      this.#tasks.delete(handle);
      this.#now = entry.at;
      entry.task();
    }
    this.#now = until;
  }
}

/** One page: a line with everything around it that a test wants to look at. */
export class Page {
  readonly sockets: FakeSocket[] = [];
  readonly timers = new FakeTimers();
  readonly events: { readonly name: string; readonly detail: unknown }[] = [];
  readonly line: Line;

  constructor(storage: TextStore = new MemoryStore(), { name = "page", random = 0 } = {}) {
    let keys = 0;
    this.line = new Line({
      open: (events) => {
        const socket = new FakeSocket(events);
        this.sockets.push(socket);
        return socket;
      },
      timers: this.timers,
      random: () => random,
      newKey: () => `${name}-${(keys += 1)}`,
      store: new StoredUnsent(storage),
      listener: this.#recorder(),
    });
    this.line.start();
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("the line has opened no socket");
    return socket;
  }

  /** Let the newest socket be accepted and greeted. */
  welcome(last_seq = 0): void {
    this.socket.accept();
    this.socket.deliver({ type: "welcome", last_seq, owner: "bot", verified: false, demo: true, lender: "示例消费金融" });
  }

  /** Lose the connection and come back as far as the new socket. */
  reconnect(): void {
    const before = this.sockets.length;
    this.socket.lose();
    this.timers.advance(this.timers.next() ?? 0);
    if (this.sockets.length !== before + 1) throw new Error("the line did not reconnect");
  }

  named(name: string): unknown[] {
    return this.events.filter((event) => event.name === name).map((event) => event.detail);
  }

  get texts(): unknown[] {
    return this.named("message").map((frame) => (frame as Frame)["text"]);
  }

  #recorder(): LineListener {
    const note = (name: string, detail: unknown): void => void this.events.push({ name, detail });
    return {
      connected: (open) => note("connected", open),
      welcome: (frame) => note("welcome", frame),
      message: (frame) => note("message", frame),
      stored: (key, seq) => note("stored", { key, seq }),
      typing: (frame) => note("typing", frame),
      state: (frame) => note("state", frame),
      buttons: (frame) => note("buttons", frame),
      refused: (problem, unsent) => note("refused", { code: problem.code, unsent }),
      expired: (problem, unsent) => note("expired", { text: problem.text, unsent }),
      unreadable: () => note("unreadable", null),
    };
  }
}

export function message(seq: number, text: string, over: Frame = {}): Frame {
  const at = "2026-11-21T18:00:00Z";
  return { type: "message", seq, id: `m${seq}`, author: "bot", text, at, key: null, buttons: [], ...over };
}
