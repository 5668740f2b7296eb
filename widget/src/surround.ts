/**
 * Between the chat in its frame and the launcher on the site around it: notes of a few known shapes, each way.
 *
 * Who may be the site around it is settled by the page's content security policy: no other site can show the frame.
 */

import type { Script } from "./words.ts";

export type ToFrame =
  | { readonly desk: "hello" }
  | { readonly desk: "shown"; readonly shown: boolean }
  /** The site's own server vouches for its customer. */
  | { readonly desk: "vouched"; readonly token: string };

export type FromFrame =
  | { readonly desk: "ready" }
  | { readonly desk: "unread"; readonly count: number }
  /** The script that the borrower writes. */
  | { readonly desk: "script"; readonly script: Script }
  | { readonly desk: "close" };

const LONGEST_TOKEN = 2000;

export function readToFrame(data: unknown): ToFrame | null {
  const note = fieldsOf(data);
  if (note?.["desk"] === "hello") return { desk: "hello" };
  if (note?.["desk"] === "shown") return { desk: "shown", shown: note["shown"] === true };
  const token = note?.["desk"] === "vouched" ? note["token"] : null;
  return typeof token === "string" && token.length <= LONGEST_TOKEN ? { desk: "vouched", token } : null;
}

export function readFromFrame(data: unknown): FromFrame | null {
  const note = fieldsOf(data);
  if (note?.["desk"] === "ready") return { desk: "ready" };
  if (note?.["desk"] === "close") return { desk: "close" };
  if (note?.["desk"] === "script") {
    const { script } = note;
    return script === "Hans" || script === "Hant" ? { desk: "script", script } : null;
  }
  const count = note?.["desk"] === "unread" ? note["count"] : null;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? { desk: "unread", count } : null;
}

function fieldsOf(data: unknown): Record<string, unknown> | null {
  return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : null;
}

export interface SurroundEvents {
  /** The frame has come into view or gone out of it. */
  readonly shown: (shown: boolean) => void;
  readonly vouched: (token: string) => void;
}

/** The site around the frame, as far as the chat has to do with it. */
export class Surround {
  #events: SurroundEvents | null = null;
  #site: string | null = null;
  #shown = false;
  #unread = 0;
  #token: string | null = null;
  #script: Script | null = null;

  /** To be made before the page has loaded: the launcher speaks first, and only once. */
  constructor() {
    window.addEventListener("message", (event) => {
      const note = event.source === window.parent ? readToFrame(event.data) : null;
      if (note === null) return;
      if (note.desk === "hello") {
        this.#site = event.origin;
        this.#tell({ desk: "ready" });
        this.#tell({ desk: "unread", count: this.#unread });
        if (this.#script !== null) this.#tell({ desk: "script", script: this.#script });
      } else if (note.desk === "shown") {
        this.#shown = note.shown;
        this.#events?.shown(note.shown);
      } else if (this.#events === null) this.#token = note.token;
      else this.#events.vouched(note.token);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.close();
    });
  }

  /** Pass on what comes from now on, and a token that came before. */
  listen(events: SurroundEvents): void {
    this.#events = events;
    if (this.#token !== null) events.vouched(this.#token);
    this.#token = null;
  }

  /** Whether somebody can see the frame. */
  get shown(): boolean {
    return this.#shown;
  }

  unread(count: number): void {
    this.#unread = count;
    this.#tell({ desk: "unread", count });
  }

  speak(script: Script): void {
    this.#script = script;
    this.#tell({ desk: "script", script });
  }

  close(): void {
    this.#tell({ desk: "close" });
  }

  #tell(note: FromFrame): void {
    if (this.#site !== null) window.parent.postMessage(note, this.#site);
  }
}
