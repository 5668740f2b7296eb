/**
 * Keeps the reader where they want to be: at the newest message as long as they are at the end, and at the top of a
 * message that is too long for the screen. Whoever is not at the end gets a button that leads there.
 */

/** So near to the end, in pixels, counts as being there. */
const SLACK = 40;
/** Space above a long message, so that its head is not cut off. */
const MARGIN = 8;
const MESSAGE = "[data-author]";

export class Follow {
  readonly #log: HTMLElement;
  readonly #toEnd: HTMLButtonElement;
  #atEnd = true;
  /** The first long message of a burst: there the reading starts. */
  #long: HTMLElement | undefined;
  #settling: number | undefined;
  #height: number;
  /** The message at the top of the view, and how far its head is from there: so it stays when letters grow. */
  #top: { readonly message: HTMLElement; readonly above: number } | undefined;

  /** `toEnd` is shown and hidden from here on; whoever makes it puts it into the page. */
  constructor(log: HTMLElement, toEnd: HTMLButtonElement) {
    this.#log = log;
    this.#toEnd = toEnd;
    this.#height = log.clientHeight;
    toEnd.hidden = true;
    toEnd.addEventListener("click", () => this.#goToEnd());
    log.addEventListener("scroll", () => {
      // In the same frame as a change of size this comes first, and would take the change for a scroll upwards.
      if (log.clientHeight === this.#height && this.#settling === undefined) this.#look();
    });
    // A keyboard that opens, or the strip, makes the log smaller.
    new ResizeObserver(() => {
      this.#height = log.clientHeight;
      if (this.#atEnd) this.#goToEnd();
      else this.#stay();
    }).observe(log);
    new MutationObserver((changes) => this.#grown(changes)).observe(log, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  }

  #grown(changes: readonly MutationRecord[]): void {
    if (this.#atEnd && !this.#restoring) {
      this.#long ??= changes.flatMap((change) => [...change.addedNodes]).flatMap(messagesIn).find(this.#isLong);
    }
    // deep-chat scrolls in a timer that it set when it drew the message: this one comes after it.
    window.clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => this.#settle());
  }

  #settle(): void {
    const long = this.#long;
    this.#long = undefined;
    this.#settling = undefined;
    if (!this.#atEnd) return this.#look();
    if (long === undefined || !long.isConnected) return this.#goToEnd();
    this.#log.scrollTop += this.#above(long) - MARGIN;
    this.#look();
  }

  readonly #isLong = (message: HTMLElement): boolean => message.offsetHeight > this.#log.clientHeight;

  /** While the history is drawn nothing in it is news. */
  get #restoring(): boolean {
    return this.#log.getAttribute("aria-busy") === "true";
  }

  #goToEnd(): void {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#look();
  }

  #stay(): void {
    if (this.#top?.message.isConnected) {
      this.#log.scrollTop += this.#above(this.#top.message) - this.#top.above;
    }
    this.#look();
  }

  #above(message: HTMLElement): number {
    return message.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }

  #look(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#log;
    this.#atEnd = scrollTop + clientHeight >= scrollHeight - SLACK;
    this.#toEnd.hidden = this.#atEnd;
    const shown = [...this.#log.querySelectorAll<HTMLElement>(MESSAGE)].find(
      (message) => this.#above(message) + message.offsetHeight > 0,
    );
    this.#top = shown && { message: shown, above: this.#above(shown) };
  }
}

/** deep-chat puts a message into a group, and sometimes the group is what is new. */
function messagesIn(node: Node): HTMLElement[] {
  if (!(node instanceof HTMLElement)) return [];
  return node.matches(MESSAGE) ? [node] : [...node.querySelectorAll<HTMLElement>(MESSAGE)];
}
