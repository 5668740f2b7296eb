/** The box in which the borrower writes. Takes sending over from deep-chat, which would read the text as Markdown. */

import type { Speech, Words } from "./words.ts";

export interface ComposerOptions {
  readonly root: ShadowRoot;
  readonly input: HTMLElement;
  readonly sendButton: HTMLElement;
  readonly speech: Speech;
  /** Returns false when the text could not be taken; it then stays in the box. */
  readonly onSend: (text: string) => boolean;
  readonly onDraft: (text: string) => void;
}

/** Input methods report their own key presses with this code, in Safari even after the composition has ended. */
const INPUT_METHOD_KEY = 229;

export class Composer {
  readonly #options: ComposerOptions;

  constructor(options: ComposerOptions) {
    this.#options = options;
    const { root, input } = options;
    options.speech.follow((words) => this.#speak(words));
    input.setAttribute("aria-multiline", "true");
    input.setAttribute("enterkeyhint", "send");
    // Capturing at the root comes before deep-chat's own listeners on the elements.
    root.addEventListener("keydown", (event) => this.#onKey(event as KeyboardEvent), true);
    root.addEventListener("click", (event) => this.#onClick(event), true);
    input.addEventListener("input", () => options.onDraft(this.text));
  }

  /** Beside deep-chat's back: a property that is set would have it draw everything anew, empty. */
  #speak(words: Words): void {
    const { input, sendButton } = this.#options;
    input.setAttribute("deep-chat-placeholder-text", words.placeholder);
    input.setAttribute("aria-label", words.input);
    sendButton.setAttribute("aria-label", words.send);
  }

  /** What is written so far, without blank edges. */
  get text(): string {
    return this.#options.input.innerText.replaceAll("\u00a0", " ").trim();
  }

  set text(value: string) {
    this.#options.input.textContent = value;
    // deep-chat watches for this to set its button and placeholder.
    this.#options.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  focus(): void {
    this.#options.input.focus();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter") return;
    const onButton = event.target === this.#options.sendButton;
    if (!onButton && event.target !== this.#options.input) return;
    const composing = event.isComposing || event.keyCode === INPUT_METHOD_KEY;
    if (!onButton && event.shiftKey && !composing) return;
    event.stopImmediatePropagation();
    if (composing) return;
    event.preventDefault();
    this.#send();
  }

  #onClick(event: Event): void {
    if (!event.composedPath().includes(this.#options.sendButton)) return;
    event.stopImmediatePropagation();
    this.#send();
  }

  #send(): void {
    const { text } = this;
    if (text !== "" && this.#options.onSend(text)) this.text = "";
    this.focus();
  }
}
