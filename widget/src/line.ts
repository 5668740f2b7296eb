/**
 * The connection between the page and the desk: one WebSocket that comes back by itself.
 *
 * Free of the DOM. What the borrower sends is kept until the server has stored it and is sent again, under the same
 * key, after every reconnect; what the server sends is passed on once. So a cut in mid-turn loses and doubles nothing.
 */

import { readFrame } from "./frames.ts";
import type { Buttons, ClientFrame, Message, Problem, ServerFrame, State, Typing, Welcome } from "./frames.ts";
import type { Unsent, UnsentStore } from "./unsent.ts";

/** An open or opening connection. */
export interface Socket {
  send(data: string): void;
  close(): void;
}

/** What a connection tells; never from within the call that opens it. */
export interface SocketEvents {
  opened(): void;
  received(data: unknown): void;
  /** Closed by either side or broken. */
  lost(): void;
}

export interface Timers {
  /** Run `task` once after `ms` milliseconds. */
  set(task: () => void, ms: number): number;
  clear(handle: number): void;
}

export interface LineOptions {
  readonly open: (events: SocketEvents) => Socket;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A key that no other message of this borrower has had. */
  readonly newKey: () => string;
  readonly store: UnsentStore;
  readonly listener: LineListener;
}

export interface LineListener {
  connected(open: boolean): void;
  welcome(frame: Welcome): void;
  /** A message, once; and once more with its real text where the first was withheld. */
  message(frame: Message): void;
  /** The server has stored what was sent under `key`. */
  stored(key: string, seq: number): void;
  typing(frame: Typing): void;
  state(frame: State): void;
  buttons(frame: Buttons): void;
  /** The server refused something; `unsent` is what it was, where the problem names a key that was waiting. */
  refused(problem: Problem, unsent: Unsent | null): void;
  /** The session is over and the line will not come back; `unsent` was never stored and is now the page's to keep. */
  expired(problem: Problem, unsent: readonly Unsent[]): void;
  /** A frame this page does not understand; its content is not passed on, because it could be personal. */
  unreadable(): void;
}

export const FIRST_RETRY_MS = 500;
export const LONGEST_RETRY_MS = 10_000;
/** A phone that changed network keeps a dead socket open: no answer within this time counts as a cut. */
export const ANSWER_LIMIT_MS = 15_000;

/**
 * Milliseconds to wait before the reconnect after `failures` failed tries in a row: at random between the shortest wait
 * and a ceiling that doubles, so that a restarted server is not met by all pages at once.
 */
export function retryDelay(failures: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures + 1));
  return FIRST_RETRY_MS + random() * (ceiling - FIRST_RETRY_MS);
}

type Phase = "stopped" | "waiting" | "connecting" | "greeting" | "open" | "expired";

export class Line {
  readonly #options: LineOptions;
  readonly #shownSeqs = new Set<number>();
  readonly #shownKeys = new Set<string>();
  /** Keys made by this page, which can show what was typed whatever the server withholds. */
  readonly #ownKeys: Set<string>;
  readonly #withheldSeqs = new Set<number>();
  #unsent: readonly Unsent[];
  #phase: Phase = "stopped";
  #socket: Socket | null = null;
  #failures = 0;
  #retryTimer: number | null = null;
  #answerTimer: number | null = null;
  #lastSeq = 0;
  #seen = 0;
  #seenSent = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#unsent = options.store.load();
    this.#ownKeys = new Set(this.#unsent.map((item) => item.key));
  }

  /** The highest message number passed on so far; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What the server has not yet stored, oldest first. */
  get unsent(): readonly Unsent[] {
    return this.#unsent;
  }

  get expired(): boolean {
    return this.#phase === "expired";
  }

  start(): void {
    if (this.#phase === "stopped") this.#connect();
  }

  /** Close and stay closed until `start`; unsent messages are kept. */
  stop(): void {
    if (this.#phase === "expired") return;
    this.#release();
    this.#phase = "stopped";
  }

  /** Try again now instead of at the end of the wait: the network or the page came back. */
  hurry(): void {
    if (this.#phase !== "waiting") return;
    this.#failures = 0;
    this.#connect();
  }

  /** Give the present socket up and reconnect: the device says that the network is gone. */
  cut(): void {
    if (this.#phase === "connecting" || this.#phase === "greeting" || this.#phase === "open") this.#drop();
  }

  /** Send a text, now or as soon as the line is open. Returns its key, or null where the session is over. */
  say(text: string): string | null {
    return this.#enqueue({ kind: "say", key: this.#options.newKey(), text });
  }

  /** Press a quick reply; `title` is what the page shows meanwhile. Returns its key, or null as `say` does. */
  press(token: string, title: string): string | null {
    return this.#enqueue({ kind: "press", key: this.#options.newKey(), token, title });
  }

  /** The borrower has had everything up to `seq` before their eyes. */
  seen(seq: number): void {
    this.#seen = Math.max(this.#seen, seq);
    if (this.#phase === "open") this.#sendSeen();
  }

  #enqueue(item: Unsent): string | null {
    if (this.#phase === "expired") return null;
    this.#ownKeys.add(item.key);
    this.#keepUnsent([...this.#unsent, item]);
    if (this.#phase === "open") {
      this.#send(asFrame(item));
      this.#awaitAnswer();
    }
    return item.key;
  }

  #connect(): void {
    this.#clearTimers();
    this.#phase = "connecting";
    // A late event of a socket that was given up must not reach the state of its successor.
    const ifCurrent = (react: () => void): void => {
      if (this.#socket === socket) react();
    };
    const socket = this.#options.open({
      opened: () => ifCurrent(() => this.#greet()),
      received: (data) => ifCurrent(() => this.#receive(data)),
      lost: () => ifCurrent(() => this.#drop()),
    });
    this.#socket = socket;
    this.#awaitAnswer();
  }

  #greet(): void {
    this.#phase = "greeting";
    // What is shown without its real text counts as not shown: identity may have been proved meanwhile.
    const after = this.#withheldSeqs.size === 0 ? this.#lastSeq : Math.min(...this.#withheldSeqs) - 1;
    this.#send({ type: "hello", after });
  }

  #drop(): void {
    this.#release();
    this.#phase = "waiting";
    const delay = retryDelay(this.#failures, this.#options.random);
    this.#failures += 1;
    this.#retryTimer = this.#options.timers.set(() => this.#connect(), delay);
  }

  #release(): void {
    this.#clearTimers();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.close();
    this.#options.listener.connected(false);
  }

  #receive(raw: unknown): void {
    const frame = readFrame(raw);
    if (frame === null) this.#options.listener.unreadable();
    else this.#handle(frame);
  }

  #handle(frame: ServerFrame): void {
    const { listener } = this.#options;
    switch (frame.type) {
      case "welcome":
        return this.#welcomed(frame);
      case "message":
        return this.#showOnce(frame);
      case "ack":
        this.#settle(frame.key);
        return listener.stored(frame.key, frame.seq);
      case "typing":
        return listener.typing(frame);
      case "state":
        return listener.state(frame);
      case "buttons":
        return listener.buttons(frame);
      case "problem":
        return frame.code === "session_expired" ? this.#expire(frame) : this.#refuse(frame);
    }
  }

  #welcomed(frame: Welcome): void {
    this.#phase = "open";
    this.#failures = 0;
    this.#seenSent = 0;
    this.#clearAnswerTimer();
    this.#options.listener.connected(true);
    this.#options.listener.welcome(frame);
    for (const item of this.#unsent) this.#send(asFrame(item));
    if (this.#unsent.length > 0) this.#awaitAnswer();
    this.#sendSeen();
  }

  #showOnce(frame: Message): void {
    const known = this.#shownSeqs.has(frame.seq) || (frame.key !== null && this.#shownKeys.has(frame.key));
    this.#shownSeqs.add(frame.seq);
    this.#lastSeq = Math.max(this.#lastSeq, frame.seq);
    if (frame.key !== null) {
      this.#shownKeys.add(frame.key);
      this.#settle(frame.key);
    }
    const isReal = !frame.withheld && this.#withheldSeqs.delete(frame.seq);
    if (known && !isReal) return;
    if (frame.withheld && (frame.key === null || !this.#ownKeys.has(frame.key))) this.#withheldSeqs.add(frame.seq);
    this.#options.listener.message(frame);
  }

  #refuse(problem: Problem): void {
    const refused = this.#unsent.find((item) => item.key === problem.key) ?? null;
    if (problem.key !== null) this.#settle(problem.key);
    this.#options.listener.refused(problem, refused);
  }

  #expire(problem: Problem): void {
    const unsent = this.#unsent;
    this.#release();
    this.#phase = "expired";
    // Handed over before it is forgotten: the page keeps the texts as a draft.
    this.#options.listener.expired(problem, unsent);
    this.#keepUnsent([]);
  }

  #settle(key: string): void {
    const left = this.#unsent.filter((item) => item.key !== key);
    if (left.length === this.#unsent.length) return;
    this.#keepUnsent(left);
    this.#clearAnswerTimer();
    if (left.length > 0 && this.#phase === "open") this.#awaitAnswer();
  }

  #keepUnsent(unsent: readonly Unsent[]): void {
    this.#unsent = unsent;
    this.#options.store.save(unsent);
  }

  #sendSeen(): void {
    if (this.#seen <= this.#seenSent) return;
    this.#seenSent = this.#seen;
    this.#send({ type: "seen", seq: this.#seen });
  }

  #send(frame: ClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #awaitAnswer(): void {
    if (this.#answerTimer !== null) return;
    this.#answerTimer = this.#options.timers.set(() => this.#drop(), ANSWER_LIMIT_MS);
  }

  #clearAnswerTimer(): void {
    if (this.#answerTimer !== null) this.#options.timers.clear(this.#answerTimer);
    this.#answerTimer = null;
  }

  #clearTimers(): void {
    this.#clearAnswerTimer();
    if (this.#retryTimer !== null) this.#options.timers.clear(this.#retryTimer);
    this.#retryTimer = null;
  }
}

function asFrame(item: Unsent): ClientFrame {
  return item.kind === "say"
    ? { type: "say", key: item.key, text: item.text }
    : { type: "press", key: item.key, token: item.token };
}
