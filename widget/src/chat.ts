/** The chat page: deep-chat for the drawing, `Line` for the connection, and the wires between them. */

import "deep-chat/dist/deepChat.bundle.js";
import type { DeepChat } from "deep-chat";
import type { LoadingToggleConfig } from "deep-chat/dist/types/loading";

import shadowStyle from "./bubbles.css";
import { Composer } from "./composer.ts";
import { isFramed, through } from "./door.ts";
import { Evidence } from "./evidence.ts";
import { Follow } from "./follow.ts";
import type { Owner, Standing } from "./frames.ts";
import { Line } from "./line.ts";
import type { LineListener, Socket, SocketEvents } from "./line.ts";
import { Page, byId } from "./page.ts";
import { Surround } from "./surround.ts";
import { Thread } from "./thread.ts";
import { Unread } from "./unread.ts";
import { MemoryStore, StoredUnsent } from "./unsent.ts";
import type { TextStore } from "./unsent.ts";
import { Speech, pickScript } from "./words.ts";

/** So long without a further message is the end of a burst. */
const QUIET_MS = 150;

type TypingToggle = (config?: LoadingToggleConfig) => void;

function main(): void {
  const speech = new Speech(pickScript(navigator.languages));
  const page = new Page(speech);
  const surround = isFramed ? new Surround() : null;
  const { chat, typing } = drawChat(speech);
  const begin = (): void => wire(chat, page, speech, typing.toggle, surround);
  chat.addEventListener("render", () => whenSettled(chat, begin), { once: true });
  byId("chat").append(chat);
}

/**
 * Wait until the component has no drawing left to do. Each property that is set makes it draw itself anew, empty, a
 * moment later; on a slow phone its first drawing can come before that one. So from `wire` on no property is set.
 */
function whenSettled(chat: DeepChat, then: () => void): void {
  if (chat._waitingToRender_) window.setTimeout(() => whenSettled(chat, then));
  else then();
}

function drawChat({ words }: Speech): { chat: DeepChat; typing: { toggle: TypingToggle } } {
  const chat = document.createElement("deep-chat");
  // Before anything else: without a font of its own the component would ask a foreign server for one.
  chat.style.fontFamily = "inherit";
  const typing: { toggle: TypingToggle } = { toggle: () => undefined };
  // The component's own connection is a stub that is always open: `Line` carries the messages.
  chat.connect = { websocket: true, handler: (_body: unknown, signals) => signals.onOpen() };
  chat.chatStyle = { width: "100%", height: "100%", backgroundColor: "transparent", fontSize: "inherit" };
  chat.auxiliaryStyle = shadowStyle;
  chat.displayLoadingBubble = typing;
  chat.textInput = { placeholder: { text: words.placeholder } };
  chat.submitButtonStyles = {
    position: "outside-end",
    alwaysEnabled: true,
    submit: { text: { content: words.send } },
  };
  chat.dataset["connection"] = "closed";
  chat.dataset["lastSeq"] = "0";
  chat.dataset["owner"] = "bot" satisfies Owner;
  chat.dataset["verified"] = "false";
  return { chat, typing };
}

function wire(chat: DeepChat, page: Page, speech: Speech, toggleTyping: TypingToggle, surround: Surround | null): void {
  const root = chat.shadowRoot;
  const log = root?.getElementById("messages");
  const input = root?.getElementById("text-input");
  const sendButton = root?.querySelector<HTMLElement>(".input-button");
  if (!root || !log || !input || !sendButton) throw new Error("deep-chat is not as this page knows it");

  log.setAttribute("role", "log");
  log.setAttribute("aria-live", "polite");
  log.setAttribute("aria-busy", "true");
  log.tabIndex = 0;
  const toEnd = makeToEnd(root);
  new Follow(log, toEnd);
  speech.follow((words) => {
    log.setAttribute("aria-label", words.log);
    toEnd.textContent = words.toEnd;
  });

  const store = new StoredUnsent(tabStorage());
  const thread = new Thread({
    chat,
    log,
    toggleTyping,
    speech,
    now: () => new Date(),
    onPick: (text) => {
      if (root.activeElement?.matches(":focus-visible")) composer.focus();
      say(text);
    },
    onPress: (reply) => {
      // The button is about to be disabled: whoever pressed it with the keyboard goes on in the box.
      if (root.activeElement?.matches(":focus-visible")) composer.focus();
      return line.press(reply.token, reply.title);
    },
  });
  const composer = new Composer({
    root,
    input,
    sendButton,
    speech,
    onDraft: (text) => store.saveDraft(text),
    onSend: (text) => say(text),
  });
  const say = (text: string): boolean => {
    const key = line.say(text);
    if (key === null) return false;
    thread.showUnsent(key, text);
    return true;
  };
  const evidence = new Evidence({ speech, newKey: makeKey });
  const unread = new Unread((count) => (surround === null ? page.showUnread(count) : surround.unread(count)));
  const isSeen = (): boolean => document.visibilityState === "visible" && (surround?.shown ?? true);
  /** Everything on the page is before the borrower's eyes, if they are on it. */
  const look = (): void => {
    if (!isSeen()) return;
    line.seen(line.lastSeq);
    unread.seen(line.lastSeq);
  };
  const comeIntoView = (): void => {
    line.hurry();
    look();
  };
  if (surround !== null) page.showClose(() => surround.close());
  if (surround !== null) speech.follow(() => surround.speak(speech.script));
  const line = new Line({
    open: openSocket,
    timers: { set: (task, ms) => window.setTimeout(task, ms), clear: (handle) => window.clearTimeout(handle) },
    random: Math.random,
    newKey: makeKey,
    store,
    listener: listen(chat, log, page, thread, composer, () => line, unread, look, evidence, speech),
  });

  surround?.listen({ shown: () => comeIntoView(), vouched: (token) => void handIn(token) });
  composer.text = store.loadDraft();
  for (const item of line.unsent) thread.showUnsent(item.key, item.kind === "say" ? item.text : item.title);
  window.addEventListener("online", () => line.hurry());
  window.addEventListener("offline", () => line.cut());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") comeIntoView();
  });
  page.showConnected(false);
  line.start();
}

function listen(
  chat: DeepChat,
  log: HTMLElement,
  page: Page,
  thread: Thread,
  composer: Composer,
  line: () => Line,
  unread: Unread,
  look: () => void,
  evidence: Evidence,
  speech: Speech,
): LineListener {
  // On load the history is neither announced nor watched scrolling by. What is missed in a later cut is news.
  let restoring = true;
  let restoreTo = 0;
  let quiet: number | undefined;

  const restored = (): void => {
    restoring = false;
    log.setAttribute("aria-busy", "false");
    chat.scrollToBottom();
  };
  /** After a burst of messages, not after each of them. */
  const whenQuiet = (): void => {
    window.clearTimeout(quiet);
    quiet = window.setTimeout(() => {
      if (restoring) restored();
      look();
    }, QUIET_MS);
  };
  const showStanding = (standing: Standing): void => {
    if (standing.script !== null) speech.use(standing.script === "hant" ? "Hant" : "Hans");
    chat.dataset["owner"] = standing.owner;
    chat.dataset["verified"] = String(standing.verified);
    page.showStanding(standing);
    evidence.offer(standing.files);
  };

  return {
    connected: (open) => {
      chat.dataset["connection"] = open ? "open" : "closed";
      page.showConnected(open);
      if (!open) thread.showTyping({ type: "typing", on: false, author: "bot" });
    },
    welcome: (frame) => {
      page.showLender(frame.lender, frame.demo);
      page.showTelegram(frame.telegram);
      showStanding(frame);
      restoreTo = frame.last_seq;
      unread.seen(frame.seen);
      whenQuiet();
    },
    message: (frame) => {
      thread.showMessage(frame);
      if (frame.author !== "borrower") unread.came(frame.seq);
      chat.dataset["lastSeq"] = String(line().lastSeq);
      if (restoring && line().lastSeq >= restoreTo) restored();
      whenQuiet();
    },
    stored: (key, seq) => thread.showStored(key, seq),
    typing: (frame) => thread.showTyping(frame),
    state: (frame) => showStanding(frame),
    buttons: (frame) => thread.showButtons(frame),
    refused: (problem, unsent) => {
      if (unsent?.kind === "press") thread.withdraw(unsent.key);
      else if (unsent !== null && composer.text === "") {
        thread.withdraw(unsent.key);
        composer.text = unsent.text;
      } else if (unsent !== null) thread.refuse(unsent.key);
      thread.showNotice(problem.text);
    },
    expired: (problem, unsent) => {
      for (const item of unsent) thread.withdraw(item.key);
      const texts = unsent.flatMap((item) => (item.kind === "say" ? [item.text] : []));
      composer.text = [...texts, composer.text].filter((text) => text !== "").join("\n");
      page.showExpired(problem.text);
    },
    unreadable: () => console.warn("desk: a frame from the server was not understood"),
  };
}

/** The button that leads to the newest message, lying over the log. */
function makeToEnd(root: ShadowRoot): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "desk-to-end";
  root.getElementById("chat-view")?.append(button);
  return button;
}

function openSocket(events: SocketEvents): Socket {
  const address = new URL(through("/chat/line"), window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => events.opened());
  socket.addEventListener("message", (event) => events.received(event.data));
  // An error is always followed by a close.
  socket.addEventListener("close", () => events.lost());
  return socket;
}

/** Where the lender does not vouch for anybody, or in vain, the visitor is anonymous, as on the desk's own page. */
async function handIn(token: string): Promise<void> {
  try {
    const body = JSON.stringify({ token });
    await fetch(through("/chat/vouch"), { method: "POST", headers: { "Content-Type": "application/json" }, body });
  } catch (error) {
    console.warn("desk: the site's word for its customer did not arrive", error);
  }
}

/** `crypto.randomUUID` exists only on secure origins; a laptop's plain-http address on the local network is none. */
function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tabStorage(): TextStore {
  try {
    return window.sessionStorage;
  } catch {
    // Denied by the browser: everything works but a reload forgets.
    return new MemoryStore();
  }
}

main();
