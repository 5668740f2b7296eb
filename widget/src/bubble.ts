/** One message on the page. All text goes in as text: nothing from the server or the borrower is read as markup. */

import { isFramed } from "./door.ts";
import { fetchFile } from "./file.ts";
import { documentAddress } from "./frames.ts";
import type { Author, DocumentLink, Message, QuickReply } from "./frames.ts";
import { clockTime } from "./words.ts";
import type { Words } from "./words.ts";

export type Delivery = "sending" | "stored" | "refused";

export interface BubbleHooks {
  readonly words: Words;
  readonly now: () => Date;
  readonly onPress: (bubble: Bubble, reply: QuickReply) => void;
  /** A file could not be had. */
  readonly onFileAway: () => void;
}

export class Bubble {
  /** deep-chat's outermost element of the message; carries `data-seq`, `data-author` and `data-delivery`. */
  readonly element: HTMLElement;
  readonly #hooks: BubbleHooks;
  readonly #time = make("time", "desk-time");
  readonly #text = make("div", "desk-text");
  readonly #document = make("div", "desk-document");
  readonly #status = make("div", "desk-status");
  readonly #replies = make("div", "desk-replies");
  #quickReplies: readonly QuickReply[] = [];
  #typedHere = false;
  #shownDocument: string | null = null;

  constructor(element: HTMLElement, slot: HTMLElement, author: Author, hooks: BubbleHooks) {
    this.element = element;
    this.#hooks = hooks;
    element.dataset["author"] = author;
    element.setAttribute("role", "article");
    element.setAttribute("aria-label", hooks.words.author[author]);
    const head = make("div", "desk-head");
    const name = make("span", "desk-author");
    name.textContent = hooks.words.author[author];
    head.append(name, this.#time);
    this.#replies.setAttribute("role", "group");
    this.#replies.setAttribute("aria-label", hooks.words.quickReplies);
    slot.append(head, this.#text, this.#document, this.#status, this.#replies);
  }

  /** What the borrower just sent, before the server knows of it. */
  showUnsent(text: string): void {
    this.#typedHere = true;
    this.#text.textContent = text;
    this.#showTime(this.#hooks.now());
    this.#showDelivery("sending");
  }

  showStored(seq: number): void {
    this.element.dataset["seq"] = String(seq);
    this.#showDelivery("stored");
  }

  showRefused(): void {
    this.#showDelivery("refused");
  }

  showMessage(message: Message): void {
    // Masking is for whoever opens the page later: what was typed on this one stays as it was typed.
    if (!message.withheld || !this.#typedHere) this.#text.textContent = message.text;
    this.#showTime(new Date(message.at));
    this.showStored(message.seq);
    this.#showDocument(message.document);
    this.showReplies(message.buttons);
  }

  showNotice(text: string): void {
    this.#text.textContent = text;
  }

  showReplies(replies: readonly QuickReply[]): void {
    this.#quickReplies = replies;
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
    this.#time.dateTime = at.toISOString();
    this.#time.textContent = clockTime(at, this.#hooks.now(), this.#hooks.words);
  }

  #showDelivery(delivery: Delivery): void {
    this.element.dataset["delivery"] = delivery;
    const { sending, notSent } = this.#hooks.words;
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
