/** One message on the page. All text goes in as text: nothing from the server or the borrower is read as markup. */

import { drawChart } from "./chart.ts";
import { isFramed } from "./door.ts";
import { fetchFile } from "./file.ts";
import { documentAddress } from "./frames.ts";
import type { Author, DocumentLink, Extras, Message, QuickReply } from "./frames.ts";
import { Picker } from "./picker.ts";
import type { Asked } from "./picker.ts";
import { clockTime } from "./words.ts";
import type { Words } from "./words.ts";

export type Delivery = "sending" | "stored" | "refused";

/** So many short quick replies or more are a scale, and stand in one row. */
const SCALE = { least: 3, longest: 3 };

export interface BubbleHooks {
  /** The words of the moment. */
  readonly words: () => Words;
  readonly now: () => Date;
  readonly onPress: (bubble: Bubble, reply: QuickReply) => void;
  /** An amount or a day was picked. */
  readonly onPick: (text: string) => void;
  /** A file could not be had. */
  readonly onFileAway: () => void;
}

export class Bubble {
  /** deep-chat's outermost element of the message; carries `data-seq`, `data-author` and `data-delivery`. */
  readonly element: HTMLElement;
  readonly #hooks: BubbleHooks;
  readonly #author: Author;
  readonly #name = make("span", "desk-author");
  readonly #drawn = make("div", "desk-drawn");
  readonly #time = make("time", "desk-time");
  readonly #text = make("div", "desk-text");
  readonly #document = make("div", "desk-document");
  readonly #status = make("div", "desk-status");
  readonly #replies = make("div", "desk-replies");
  #quickReplies: readonly QuickReply[] = [];
  #typedHere = false;
  #at: Date | null = null;
  #delivery: Delivery = "stored";
  #chart: Extract<Extras, { kind: "chart" }> | null = null;
  #picker: Picker | null = null;
  #shownDocument: string | null = null;

  constructor(element: HTMLElement, slot: HTMLElement, author: Author, hooks: BubbleHooks) {
    this.element = element;
    this.#hooks = hooks;
    this.#author = author;
    element.dataset["author"] = author;
    element.setAttribute("role", "article");
    const head = make("div", "desk-head");
    head.append(this.#name, this.#time);
    this.#replies.setAttribute("role", "group");
    slot.append(head, this.#text, this.#drawn, this.#document, this.#status, this.#replies);
    this.speak();
  }

  /** Put the page's own words in place, in the script of the moment; what was said stays as it was said. */
  speak(): void {
    const words = this.#hooks.words();
    this.element.setAttribute("aria-label", words.author[this.#author]);
    this.#name.textContent = words.author[this.#author];
    this.#replies.setAttribute("aria-label", words.quickReplies);
    this.#picker?.speak(words);
    if (this.#chart !== null) this.#drawn.replaceChildren(drawChart(this.#chart, words));
    if (this.#at !== null) this.#showTime(this.#at);
    this.#showDelivery(this.#delivery);
  }

  /** Offer a field for what the message asks; taken away as soon as something else is said. */
  offer(asked: Asked): void {
    this.#picker = new Picker(asked, this.#hooks.words(), (text) => this.#hooks.onPick(text));
    this.#drawn.replaceChildren(this.#picker.element);
  }

  withdrawOffer(): void {
    this.#picker?.element.remove();
    this.#picker = null;
  }

  /** What the borrower just sent, before the server knows of it. */
  showUnsent(text: string): void {
    this.#typedHere = true;
    this.#text.textContent = text;
    this.#showTime(this.#hooks.now());
    this.#deliver("sending");
  }

  showStored(seq: number): void {
    this.element.dataset["seq"] = String(seq);
    this.#deliver("stored");
  }

  showRefused(): void {
    this.#deliver("refused");
  }

  showMessage(message: Message): void {
    // Masking is for whoever opens the page later: what was typed on this one stays as it was typed.
    if (!message.withheld || !this.#typedHere) this.#text.textContent = message.text;
    this.#showTime(new Date(message.at));
    this.showStored(message.seq);
    this.#showDocument(message.document);
    this.showReplies(message.buttons);
    this.#chart = message.extras?.kind === "chart" ? message.extras : null;
    this.element.toggleAttribute("data-card", this.#chart !== null);
    if (this.#chart !== null) this.#drawn.replaceChildren(drawChart(this.#chart, this.#hooks.words()));
  }

  showNotice(text: string): void {
    this.#text.textContent = text;
  }

  showReplies(replies: readonly QuickReply[]): void {
    this.#quickReplies = replies;
    const isScale = replies.length >= SCALE.least && replies.every((reply) => reply.title.length <= SCALE.longest);
    this.#replies.toggleAttribute("data-scale", isScale);
    this.#replies.replaceChildren(...replies.map((reply) => this.#replyButton(reply)));
  }

  /** No second press while the first is on its way. */
  holdReplies(): void {
    for (const button of this.#replies.querySelectorAll("button")) button.disabled = true;
  }

  /** Back to what the server last said about the buttons. */
  releaseReplies(): void {
    this.showReplies(this.#quickReplies);
  }

  #showDocument(link: DocumentLink | null): void {
    const shown = link === null ? null : `${link.id} ${link.title}`;
    if (shown === this.#shownDocument) return;
    this.#shownDocument = shown;
    const away = this.#hooks.onFileAway;
    this.#document.replaceChildren(...(link === null ? [] : [link.picture ? pictureOf(link, away) : linkTo(link, away)]));
  }

  #replyButton(reply: QuickReply): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "desk-reply";
    button.textContent = reply.title;
    button.dataset["token"] = reply.token;
    button.dataset["state"] = reply.state;
    button.disabled = reply.state !== "open";
    button.addEventListener("click", () => this.#hooks.onPress(this, reply));
    return button;
  }

  #showTime(at: Date): void {
    if (Number.isNaN(at.getTime())) return;
    this.#at = at;
    this.#time.dateTime = at.toISOString();
    this.#time.textContent = clockTime(at, this.#hooks.now(), this.#hooks.words());
  }

  #deliver(delivery: Delivery): void {
    this.element.dataset["delivery"] = delivery;
    this.#showDelivery(delivery);
  }

  #showDelivery(delivery: Delivery): void {
    this.#delivery = delivery;
    const { sending, notSent } = this.#hooks.words();
    this.#status.textContent = { sending, stored: "", refused: notSent }[delivery];
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

/**
 * In a tab of its own: the conversation stays where it is, and a refusal is read there. From a frame it is fetched here,
 * because the frame's session ends at the frame.
 */
function linkTo(link: DocumentLink, away: () => void): HTMLAnchorElement {
  const anchor = make("a", "desk-file");
  anchor.href = documentAddress(link);
  anchor.target = "_blank";
  anchor.rel = "noopener";
  anchor.textContent = link.title;
  if (isFramed) {
    anchor.addEventListener("click", (event) => {
      event.preventDefault();
      void fetchFile(documentAddress(link), link.title).then((done) => {
        if (!done) away();
      });
    });
  }
  return anchor;
}

function pictureOf(link: DocumentLink, away: () => void): HTMLAnchorElement {
  const anchor = linkTo(link, away);
  const picture = make("img", "desk-picture");
  picture.alt = link.title;
  // With its size the place is kept free before it is there, and the conversation does not jump.
  if (link.width !== null && link.height !== null) [picture.width, picture.height] = [link.width, link.height];
  picture.addEventListener("error", () => anchor.replaceWith(linkTo(link, away)), { once: true });
  picture.src = documentAddress(link);
  anchor.className = "desk-picture-link";
  anchor.replaceChildren(picture);
  return anchor;
}
