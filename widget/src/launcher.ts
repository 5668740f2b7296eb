/**
 * What the one script tag on the lender's site adds: a button, and the chat in a frame that it opens.
 *
 * Everything stands in a shadow root with a constructed style sheet, so that neither the site's styles nor its content
 * security policy get in the way. The conversation itself is never within the site's reach.
 */

import style from "./launcher.css";
import { readFromFrame } from "./surround.ts";
import type { ToFrame } from "./surround.ts";
import { launcherWordsIn, pickScript } from "./words.ts";

/** After this long without a sign of life from the frame, another way in is offered. */
const PATIENCE_MS = 10_000;

/** Open in this tab: the site's next page shows the chat again. */
const OPEN = "desk.open";
/** Used in this browser: there may be an answer to count. Nobody who never opened the chat gets a conversation. */
const USED = "desk.used";

/** From this width on the chat is a panel beside the page; below, it is the whole screen. */
const NARROW = window.matchMedia("(max-width: 599px)");

class Launcher {
  readonly #desk: string;
  readonly #vouchAddress: string | null;
  #words = launcherWordsIn(pickScript(navigator.languages));
  readonly #host = document.createElement("div");
  readonly #button = make("button", "launch");
  readonly #label = make("span", "label");
  readonly #badge = make("span", "badge");
  readonly #news = make("span", "news");
  readonly #panel = make("section", "panel");
  readonly #state = make("p", "state");
  readonly #frame = document.createElement("iframe");
  #open = false;
  #unread = 0;
  #ready = false;
  #vouching = false;
  #overflow = "";

  constructor(desk: string, vouchAddress: string | null) {
    this.#desk = desk;
    this.#vouchAddress = vouchAddress;
    this.#host.id = "desk-chat";
    const root = this.#host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    this.#draw(root);
    window.addEventListener("message", (event) => this.#hear(event));
    NARROW.addEventListener("change", () => this.#lockPage());
    document.body.append(this.#host);
    if (remembered(() => sessionStorage, OPEN)) this.open(false);
    else if (remembered(() => localStorage, USED)) this.#load();
  }

  open(takeFocus: boolean): void {
    this.#open = true;
    this.#load();
    this.#show();
    if (takeFocus) this.#frame.focus();
    remember(() => sessionStorage, OPEN, true);
    remember(() => localStorage, USED, true);
  }

  close(): void {
    this.#open = false;
    this.#show();
    this.#button.focus();
    remember(() => sessionStorage, OPEN, false);
  }

  #draw(root: ShadowRoot): void {
    this.#button.type = "button";
    this.#button.setAttribute("aria-controls", "panel");
    this.#button.addEventListener("click", () => (this.#open ? this.close() : this.open(true)));
    this.#badge.setAttribute("aria-hidden", "true");
    this.#button.append(this.#label, this.#badge);
    this.#news.setAttribute("role", "status");
    this.#panel.id = "panel";
    this.#state.textContent = this.#words.opening;
    this.#frame.addEventListener("load", () => this.#greet());
    root.append(this.#panel, this.#button, this.#news);
    this.#show();
  }

  #load(): void {
    if (this.#frame.isConnected) return;
    this.#frame.src = `${this.#desk}/embedded/`;
    this.#panel.append(this.#state, this.#frame);
    window.setTimeout(() => {
      if (!this.#ready) this.#offerWindow();
    }, PATIENCE_MS);
  }

  #greet(): void {
    this.#tell({ desk: "hello" });
    this.#tell({ desk: "shown", shown: this.#open });
  }

  #hear(event: MessageEvent): void {
    if (event.source !== this.#frame.contentWindow || event.origin !== this.#desk) return;
    const note = readFromFrame(event.data);
    if (note?.desk === "ready") {
      this.#ready = true;
      this.#show();
      void this.#vouch();
    } else if (note?.desk === "unread") {
      this.#unread = note.count;
      this.#show();
    } else if (note?.desk === "script") {
      this.#words = launcherWordsIn(note.script);
      this.#show();
    } else if (note?.desk === "close" && this.#open) this.close();
  }

  /** Have the site's server say who its customer is; without that the visitor is anonymous, as anywhere. */
  async #vouch(): Promise<void> {
    if (this.#vouchAddress === null || this.#vouching || !this.#open) return;
    this.#vouching = true;
    try {
      const answer = await fetch(this.#vouchAddress, { method: "POST", credentials: "same-origin" });
      const body: unknown = answer.ok ? await answer.json() : null;
      const token = typeof body === "object" && body !== null && "token" in body ? body.token : null;
      if (typeof token === "string") this.#tell({ desk: "vouched", token });
    } catch (error) {
      console.warn("desk: the site could not vouch for its customer", error);
    }
  }

  #tell(note: ToFrame): void {
    this.#frame.contentWindow?.postMessage(note, this.#desk);
  }

  #offerWindow(): void {
    const link = document.createElement("a");
    link.href = `${this.#desk}/`;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = this.#words.ownWindow;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = this.#words.close;
    close.addEventListener("click", () => this.close());
    this.#state.replaceChildren(this.#words.notOpened, link, close);
  }

  #show(): void {
    const { lang, title, open, close, unread } = this.#words;
    this.#host.lang = lang;
    this.#panel.setAttribute("aria-label", title);
    this.#frame.title = title;
    const waiting = this.#open ? 0 : this.#unread;
    this.#host.toggleAttribute("data-open", this.#open);
    this.#host.toggleAttribute("data-ready", this.#ready);
    this.#host.dataset["unread"] = String(waiting);
    this.#panel.hidden = !this.#open;
    this.#label.textContent = this.#open ? close : title;
    this.#badge.textContent = waiting > 99 ? "99+" : String(waiting);
    this.#badge.hidden = waiting === 0;
    const news = waiting === 0 ? "" : unread(waiting);
    if (this.#news.textContent !== news) this.#news.textContent = news;
    this.#button.setAttribute("aria-label", this.#open ? close : [open, news].filter((words) => words !== "").join("，"));
    this.#button.setAttribute("aria-expanded", String(this.#open));
    this.#lockPage();
    if (this.#ready) {
      this.#tell({ desk: "shown", shown: this.#open });
      void this.#vouch();
    }
  }

  /** Behind a chat that fills the screen the page does not scroll. */
  #lockPage(): void {
    const page = document.documentElement;
    const lock = this.#open && NARROW.matches;
    if (lock === this.#host.hasAttribute("data-locks")) return;
    this.#host.toggleAttribute("data-locks", lock);
    if (lock) this.#overflow = page.style.overflow;
    page.style.overflow = lock ? "hidden" : this.#overflow;
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

/** Storage can be denied by the browser: the chat is then closed on the next page, and nothing else is lost. */
function remembered(storage: () => Storage, name: string): boolean {
  try {
    return storage().getItem(name) !== null;
  } catch {
    return false;
  }
}

function remember(storage: () => Storage, name: string, value: boolean): void {
  try {
    if (value) storage().setItem(name, "1");
    else storage().removeItem(name);
  } catch (error) {
    console.warn("desk: could not remember that the chat is open", error);
  }
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement && document.getElementById("desk-chat") === null) {
  const desk = new URL(script.src).origin;
  const vouchAddress = script.dataset["vouch"] ?? null;
  const begin = (): void => void new Launcher(desk, vouchAddress);
  if (document.body === null) document.addEventListener("DOMContentLoaded", begin, { once: true });
  else begin();
}
