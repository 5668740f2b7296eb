/**
 * The conversation as shown: which bubble belongs to which message, and in what order they stand.
 *
 * deep-chat draws and scrolls; it only ever gets an empty slot, which `Bubble` fills. Its own text path reads Markdown,
 * and a borrower's or operator's words must stay as they were written.
 */

import type { DeepChat } from "deep-chat";
import type { LoadingToggleConfig } from "deep-chat/dist/types/loading";

import { Bubble } from "./bubble.ts";
import type { Author, Buttons, Message, QuickReply, Typing } from "./frames.ts";
import { isAsked } from "./picker.ts";
import type { Speech } from "./words.ts";

/** deep-chat's name for each side; `user` is drawn on the right. */
const ROLES: Readonly<Record<Author, string>> = { borrower: "user", bot: "ai", operator: "operator", notice: "notice" };

/** Messages that are not stored yet stand after everything that is. */
const UNSTORED = Number.POSITIVE_INFINITY;

export interface ThreadOptions {
  readonly chat: DeepChat;
  readonly log: HTMLElement;
  /** Shows or removes deep-chat's bubble for "is typing". */
  readonly toggleTyping: (config?: LoadingToggleConfig) => void;
  readonly speech: Speech;
  readonly now: () => Date;
  readonly onPress: (reply: QuickReply) => string | null;
  readonly onPick: (text: string) => void;
}

export class Thread {
  readonly #options: ThreadOptions;
  readonly #byKey = new Map<string, Bubble>();
  readonly #byId = new Map<string, Bubble>();
  readonly #pressedIn = new Map<string, Bubble>();
  readonly #order = new WeakMap<Element, number>();
  readonly #bubbles = new Set<Bubble>();
  /** The question that an amount or a day can be picked for now. */
  #asking: Bubble | null = null;
  #slots = 0;
  #highest = 0;
  #typing: string | null = null;

  constructor(options: ThreadOptions) {
    this.#options = options;
    options.speech.follow(() => {
      for (const bubble of this.#bubbles) bubble.speak();
    });
  }

  /** Show at once what the borrower sent under `key`. */
  showUnsent(key: string, text: string): void {
    const bubble = this.#add("borrower", UNSTORED);
    bubble.showUnsent(text);
    this.#byKey.set(key, bubble);
    this.#stopAsking();
    this.#options.chat.scrollToBottom();
  }

  showMessage(message: Message): void {
    const waiting = message.key === null ? undefined : this.#byKey.get(message.key);
    const bubble = waiting ?? this.#byId.get(message.id) ?? this.#add(message.author, message.seq);
    bubble.showMessage(message);
    if (message.seq >= this.#highest) this.#ask(bubble, message);
    this.#place(bubble, message.seq);
    this.#byId.set(message.id, bubble);
    if (message.key !== null) this.#byKey.set(message.key, bubble);
    this.#highest = Math.max(this.#highest, message.seq);
  }

  /** Only the newest question has a field: what was said after it has answered it, or put it aside. */
  #ask(bubble: Bubble, message: Message): void {
    if (message.author === "borrower" || isAsked(message.extras)) this.#stopAsking();
    if (!isAsked(message.extras)) return;
    bubble.offer(message.extras);
    this.#asking = bubble;
  }

  #stopAsking(): void {
    this.#asking?.withdrawOffer();
    this.#asking = null;
  }

  showStored(key: string, seq: number): void {
    const bubble = this.#byKey.get(key);
    if (bubble === undefined) return;
    bubble.showStored(seq);
    this.#place(bubble, seq);
  }

  showButtons(frame: Buttons): void {
    this.#byId.get(frame.id)?.showReplies(frame.buttons);
  }

  /** The text sent under `key` was refused; it stays readable where it stands. */
  refuse(key: string): void {
    const bubble = this.#byKey.get(key);
    if (bubble === undefined) return;
    bubble.showRefused();
    // It will never have a number: it stays where the conversation is now.
    this.#place(bubble, this.#highest);
  }

  /** Take back what was sent under `key`: its text has gone somewhere else, or it never was a text. */
  withdraw(key: string): void {
    const bubble = this.#byKey.get(key);
    bubble?.element.remove();
    if (bubble !== undefined) this.#bubbles.delete(bubble);
    this.#byKey.delete(key);
    this.#pressedIn.get(key)?.releaseReplies();
  }

  /** A line of the page's own, standing where the conversation is now; gone with the next load. */
  showNotice(text: string): void {
    const bubble = this.#add("notice", this.#highest);
    bubble.element.dataset["local"] = "";
    bubble.showNotice(text);
    this.#options.chat.scrollToBottom();
  }

  showTyping(frame: Typing): void {
    const { speech, toggleTyping } = this.#options;
    const { words } = speech;
    const next = frame.on ? frame.author : null;
    if (next === this.#typing) return;
    if (this.#typing !== null) toggleTyping();
    this.#typing = next;
    if (next === null) return;
    // Words of this page only. Hidden from screen readers: the answer itself is announced when it comes.
    const label = next === "operator" ? words.operatorTyping : words.botTyping;
    const html = `<div class="desk-typing" data-typing="${next}" aria-hidden="true">${label}<i></i><i></i><i></i></div>`;
    toggleTyping({ role: next === "operator" ? ROLES.operator : ROLES.bot, style: { html } });
  }

  #add(author: Author, order: number): Bubble {
    const { chat, log, speech, now, onPick } = this.#options;
    this.#slots += 1;
    chat.addMessage({ role: ROLES[author], html: `<div class="desk-message" data-slot="${this.#slots}"></div>` });
    const slot = log.querySelector<HTMLElement>(`[data-slot="${this.#slots}"]`);
    const element = slot?.closest<HTMLElement>(".outer-message-container");
    if (!slot || !element) throw new Error("deep-chat did not draw a message");
    const bubble = new Bubble(element, slot, author, {
      words: () => speech.words,
      now,
      onPress: (from, reply) => this.#press(from, reply),
      onPick,
      onFileAway: () => this.showNotice(speech.words.fileAway),
    });
    this.#bubbles.add(bubble);
    this.#place(bubble, order);
    return bubble;
  }

  /** Stand before everything of a higher order; among equals, last. */
  #place(bubble: Bubble, order: number): void {
    const { element } = bubble;
    this.#order.set(element, order);
    let before: Element | null = null;
    let other = element.parentElement?.lastElementChild ?? null;
    for (; other !== null; other = other.previousElementSibling) {
      if (other === element) continue;
      if ((this.#order.get(other) ?? UNSTORED) <= order && this.#order.has(other)) break;
      before = other;
    }
    if (before !== element.nextElementSibling) element.parentElement?.insertBefore(element, before);
  }

  #press(bubble: Bubble, reply: QuickReply): void {
    const key = this.#options.onPress(reply);
    if (key === null) return;
    bubble.holdReplies();
    this.#pressedIn.set(key, bubble);
    this.showUnsent(key, reply.title);
  }
}
