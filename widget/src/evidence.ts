/**
 * Files for a case: chosen, sent one after the other with what is under way in view, and kept here until the desk has
 * them. What could not be sent stays and is sent again when the network is back, or at the press of a button.
 */

import { through } from "./door.ts";
import { nameForHeader } from "./file.ts";
import { byId } from "./page.ts";
import type { Speech } from "./words.ts";

const ADDRESS = through("/chat/evidence");

/** As the desk's own limit: told before megabytes are sent in vain. */
const LARGEST = 10_000_000;

type Outcome =
  | { readonly kind: "kept" }
  /** The desk will not have it; `text` says why. */
  | { readonly kind: "refused"; readonly text: string }
  | { readonly kind: "lost" };

interface Item {
  readonly key: string;
  readonly file: File;
  readonly row: HTMLLIElement;
  readonly bar: HTMLProgressElement;
  readonly status: HTMLSpanElement;
  readonly again: HTMLButtonElement;
  readonly drop: HTMLButtonElement;
  state: "waiting" | "lost" | "over";
}

export interface EvidenceOptions {
  readonly speech: Speech;
  readonly newKey: () => string;
}

export class Evidence {
  readonly #options: EvidenceOptions;
  readonly #section = byId("evidence");
  readonly #list = byId("evidence-list");
  readonly #items: Item[] = [];
  #wanted = false;
  #sending = false;

  constructor(options: EvidenceOptions) {
    this.#options = options;
    const choose = byId("evidence-choose");
    const input = byId("evidence-file") as HTMLInputElement;
    options.speech.follow((words) => {
      this.#section.setAttribute("aria-label", words.evidence);
      choose.textContent = words.evidence;
      byId("evidence-hint").textContent = words.evidenceHint;
    });
    choose.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      for (const file of input.files ?? []) this.#add(file);
      input.value = "";
      void this.#send();
    });
    window.addEventListener("online", () => this.#retry());
  }

  /** Whether a case is open that files would belong to. What is not sent yet stays in view either way. */
  offer(wanted: boolean): void {
    this.#wanted = wanted;
    this.#show();
  }

  #show(): void {
    this.#section.hidden = !this.#wanted && this.#items.length === 0;
    byId("evidence-choose").hidden = !this.#wanted;
    byId("evidence-hint").hidden = !this.#wanted;
  }

  #add(file: File): void {
    const { speech, newKey } = this.#options;
    const { words } = speech;
    const item: Item = {
      key: newKey(),
      file,
      row: document.createElement("li"),
      bar: document.createElement("progress"),
      status: document.createElement("span"),
      again: button(words.evidenceAgain, `${words.evidenceAgain}：${file.name}`),
      drop: button("×", `${words.evidenceDrop}：${file.name}`),
      state: "waiting",
    };
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = file.name;
    item.bar.max = 1;
    item.bar.value = 0;
    item.bar.setAttribute("aria-label", file.name);
    item.status.setAttribute("role", "status");
    item.status.textContent = words.evidenceWaiting;
    item.again.hidden = true;
    item.again.addEventListener("click", () => this.#retry());
    item.drop.hidden = true;
    item.drop.addEventListener("click", () => this.#remove(item));
    item.row.append(name, item.bar, item.status, item.again, item.drop);
    this.#items.push(item);
    this.#list.append(item.row);
    this.#show();
  }

  #retry(): void {
    for (const item of this.#items) if (item.state === "lost") item.state = "waiting";
    void this.#send();
  }

  /** One after the other: a phone on a slow network gets at least the first one through. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let item = this.#next(); item !== undefined; item = this.#next()) await this.#sendOne(item);
    this.#sending = false;
  }

  #next(): Item | undefined {
    return this.#items.find((item) => item.state === "waiting");
  }

  async #sendOne(item: Item): Promise<void> {
    const { words } = this.#options.speech;
    item.again.hidden = item.drop.hidden = true;
    item.bar.hidden = false;
    item.status.textContent = words.evidenceSending;
    const outcome: Outcome =
      item.file.size > LARGEST
        ? { kind: "refused", text: words.evidenceTooLarge }
        : await upload(item, (share) => (item.bar.value = share));
    item.bar.hidden = true;
    if (outcome.kind === "kept") {
      item.state = "over";
      item.status.textContent = words.evidenceKept;
      // The desk says in the conversation that it has it; there it stays.
      window.setTimeout(() => this.#remove(item), KEPT_SHOWN_MS);
      return;
    }
    item.state = outcome.kind === "lost" ? "lost" : "over";
    item.status.textContent = outcome.kind === "lost" ? words.evidenceLost : outcome.text;
    item.again.hidden = outcome.kind !== "lost";
    item.drop.hidden = false;
  }

  #remove(item: Item): void {
    item.row.remove();
    const place = this.#items.indexOf(item);
    if (place !== -1) this.#items.splice(place, 1);
    this.#show();
  }
}

const KEPT_SHOWN_MS = 4000;

/** Without a byte getting through for so long, the file counts as lost: the others are waiting behind it. */
const STALLED_MS = 60_000;

/** A request of the old kind: the newer one does not tell how much of a body has gone. */
function upload(item: Item, progress: (share: number) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let stalled = 0;
    const alive = (): void => {
      window.clearTimeout(stalled);
      stalled = window.setTimeout(() => request.abort(), STALLED_MS);
    };
    request.upload.addEventListener("progress", (event) => {
      alive();
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => resolve(outcomeOf(request)));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => resolve({ kind: "lost" }));
    request.addEventListener("loadend", () => window.clearTimeout(stalled));
    request.open("POST", ADDRESS);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Upload-Key", item.key);
    request.setRequestHeader("X-File-Name", nameForHeader(item.file.name));
    alive();
    request.send(item.file);
  });
}

function outcomeOf(request: XMLHttpRequest): Outcome {
  if (request.status === 200) return { kind: "kept" };
  let body: unknown = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // Not the desk that answered: something on the way, or a desk in trouble.
    return { kind: "lost" };
  }
  const text = typeof body === "object" && body !== null && "text" in body ? body.text : null;
  return request.status >= 400 && request.status < 500 && typeof text === "string"
    ? { kind: "refused", text }
    : { kind: "lost" };
}

function button(text: string, label: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  return made;
}
