/** What stands around the conversation: header, large type, and the strip that says when the line is down. */

import { isFramed, through } from "./door.ts";
import { fetchFile } from "./file.ts";
import type { Standing } from "./frames.ts";
import type { Speech, Words } from "./words.ts";

/** Short cuts are not worth a word: the strip waits this long before it says that the line is down. */
const STRIP_DELAY_MS = 800;

/** Makes a link that goes on with this conversation over Telegram. */
const TELEGRAM_ADDRESS = through("/chat/telegram");

const TRANSCRIPT_ADDRESS = through("/chat/transcript");

/** How long the strip says that something is away. */
const AWAY_MS = 6000;

const LARGE_TYPE = "desk.large-type";

export class Page {
  readonly #speech: Speech;
  readonly #lender = byId("lender");
  readonly #line = byId("who");
  readonly #demo = byId("demo");
  readonly #verified = byId("verified");
  readonly #strip = byId("strip");
  #stripTimer: number | undefined;
  #settled = false;
  #lenderName = "";
  #unread = 0;
  #standing: Pick<Standing, "owner" | "verified" | "ahead"> = { owner: "bot", verified: false, ahead: null };

  constructor(speech: Speech) {
    this.#speech = speech;
    this.#setUpLargeType();
    this.#setUpTelegram();
    this.#setUpMore();
    speech.follow((words) => this.#speak(words));
  }

  /** What the strip says at this moment keeps its script: it is gone before long. */
  #speak(words: Words): void {
    document.documentElement.lang = words.lang;
    this.#demo.textContent = words.demo;
    this.#verified.textContent = words.verified;
    byId("large-type").textContent = words.largeType;
    byId("save-transcript").textContent = words.saveTranscript;
    byId("check-sender").textContent = words.checkSender;
    for (const [id, label] of [
      ["telegram", words.telegram],
      ["more-button", words.more],
      ["close", words.close],
    ] as const) {
      byId(id).setAttribute("aria-label", label);
      byId(id).title = label;
    }
    this.#lender.textContent = this.#lenderName === "" ? words.title : this.#lenderName;
    this.showUnread(this.#unread);
    this.showStanding(this.#standing);
  }

  get #words(): Words {
    return this.#speech.words;
  }

  showLender(lender: string, demo: boolean): void {
    this.#lenderName = lender;
    this.#lender.textContent = lender === "" ? this.#words.title : lender;
    this.#demo.hidden = !demo;
  }

  /** In a frame: the button that puts the chat away. */
  showClose(close: () => void): void {
    const button = byId("close");
    button.hidden = false;
    button.addEventListener("click", close);
  }

  /** On the browser's tab, where it is the only thing of the page that is seen. */
  showUnread(count: number): void {
    this.#unread = count;
    document.title = count === 0 ? this.#words.title : `(${count}) ${this.#words.title}`;
  }

  showTelegram(possible: boolean): void {
    byId("telegram").hidden = !possible;
  }

  showStanding({ owner, verified, ahead }: Pick<Standing, "owner" | "verified" | "ahead">): void {
    this.#standing = { owner, verified, ahead };
    const { aiLine, queuedLine, queuedBehind, humanLine } = this.#words;
    const queued = ahead === null ? queuedLine : queuedBehind(ahead);
    const line = { bot: aiLine, queued, human: humanLine, closed: aiLine }[owner];
    // Said again by screen readers only when it is another sentence.
    if (this.#line.textContent !== line) this.#line.textContent = line;
    this.#verified.hidden = !verified;
  }

  showConnected(open: boolean): void {
    if (this.#settled) return;
    window.clearTimeout(this.#stripTimer);
    if (open) {
      this.#strip.hidden = true;
      return;
    }
    this.#stripTimer = window.setTimeout(() => {
      this.#showStrip(navigator.onLine ? this.#words.reconnecting : this.#words.offline);
    }, STRIP_DELAY_MS);
  }

  /** The session is over: say so until the page is loaded again. */
  showExpired(text: string): void {
    window.clearTimeout(this.#stripTimer);
    this.#settled = true;
    const reload = document.createElement("button");
    reload.type = "button";
    reload.textContent = this.#words.reload;
    reload.addEventListener("click", () => window.location.reload());
    this.#showStrip(text, reload, ...(isFramed ? [this.#linkToOwnWindow()] : []));
    this.#strip.dataset["strip"] = "expired";
  }

  /** A browser that keeps no cookies for frames has no session here; in a window of its own the chat has one. */
  #linkToOwnWindow(): HTMLAnchorElement {
    const link = document.createElement("a");
    link.href = "/";
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = this.#words.ownWindow;
    return link;
  }

  #showStrip(text: string, ...rest: HTMLElement[]): void {
    const words = document.createElement("span");
    words.textContent = text;
    this.#strip.replaceChildren(words, ...rest);
    this.#strip.dataset["strip"] = "down";
    this.#strip.hidden = false;
  }

  #setUpTelegram(): void {
    const button = byId("telegram");
    button.addEventListener("click", () => {
      void telegramLink().then((link) => {
        // Telegram lets nobody frame it.
        if (link !== null && isFramed) window.open(link, "_blank", "noopener");
        else if (link !== null) window.location.assign(link);
        else if (this.#strip.hidden) this.#showAway(this.#words.telegramAway);
      });
    });
  }

  #setUpMore(): void {
    const more = byId("more") as HTMLDetailsElement;
    const summary = byId("more-button");
    const save = byId("save-transcript");
    const away = (): void => {
      more.open = false;
    };
    save.addEventListener("click", () => {
      away();
      summary.focus();
      void fetchFile(TRANSCRIPT_ADDRESS, "transcript.txt").then((done) => {
        if (!done && this.#strip.hidden) this.#showAway(this.#words.fileAway);
      });
    });
    byId("check-sender").addEventListener("click", away);
    document.addEventListener("click", (event) => {
      if (!more.contains(event.target as Node)) away();
    });
    more.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !more.open) return;
      // Only the menu goes, not the chat around it.
      event.stopPropagation();
      away();
      summary.focus();
    });
  }

  #showAway(words: string): void {
    this.#showStrip(words);
    this.#stripTimer = window.setTimeout(() => {
      this.#strip.hidden = true;
    }, AWAY_MS);
  }

  #setUpLargeType(): void {
    const button = byId("large-type");
    const show = (large: boolean): void => {
      document.documentElement.dataset["type"] = large ? "large" : "plain";
      button.setAttribute("aria-pressed", String(large));
    };
    show(remembered(LARGE_TYPE) === "on");
    button.addEventListener("click", () => {
      const large = button.getAttribute("aria-pressed") !== "true";
      show(large);
      remember(LARGE_TYPE, large ? "on" : "off");
    });
  }
}

/** Asks for a link of one's own; null when there is none to be had now. Only Telegram's own address is followed. */
async function telegramLink(): Promise<string | null> {
  try {
    const answer = await fetch(TELEGRAM_ADDRESS, { method: "POST" });
    const body: unknown = answer.ok ? await answer.json() : null;
    const url = typeof body === "object" && body !== null && "url" in body ? body.url : null;
    return typeof url === "string" && url.startsWith("https://t.me/") ? url : null;
  } catch {
    return null;
  }
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

function remembered(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch {
    // Storage denied by the browser: the choice holds for this visit.
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    window.localStorage.setItem(name, value);
  } catch (error) {
    console.warn("desk: could not remember a choice", error);
  }
}
