/**
 * What the borrower sent and the server has not yet stored, and what they are still typing.
 *
 * Kept in the tab's own session storage: it survives a reload and dies with the tab, so the next person at a shared
 * phone does not find it.
 */

export type Unsent =
  | { readonly kind: "say"; readonly key: string; readonly text: string }
  | { readonly kind: "press"; readonly key: string; readonly token: string; readonly title: string };

export interface UnsentStore {
  load(): readonly Unsent[];
  save(unsent: readonly Unsent[]): void;
}

/** The part of the Web Storage interface that is used here. */
export interface TextStore {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

const UNSENT = "desk.unsent";
const DRAFT = "desk.draft";

export class StoredUnsent implements UnsentStore {
  readonly #storage: TextStore;

  constructor(storage: TextStore) {
    this.#storage = storage;
  }

  load(): readonly Unsent[] {
    const raw = this.#storage.getItem(UNSENT);
    if (raw === null) return [];
    try {
      const items: unknown = JSON.parse(raw);
      return Array.isArray(items) ? items.filter(isUnsent) : [];
    } catch {
      // Not written by this page, so nothing of the borrower's is lost by passing it over.
      return [];
    }
  }

  save(unsent: readonly Unsent[]): void {
    keep(this.#storage, UNSENT, unsent.length > 0 ? JSON.stringify(unsent) : null);
  }

  loadDraft(): string {
    return this.#storage.getItem(DRAFT) ?? "";
  }

  saveDraft(text: string): void {
    keep(this.#storage, DRAFT, text === "" ? null : text);
  }
}

/** Stands in where the browser denies storage: everything works but a reload forgets. */
export class MemoryStore implements TextStore {
  readonly #values = new Map<string, string>();

  getItem(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.#values.set(name, value);
  }

  removeItem(name: string): void {
    this.#values.delete(name);
  }
}

function keep(storage: TextStore, name: string, value: string | null): void {
  if (value === null) {
    storage.removeItem(name);
    return;
  }
  try {
    storage.setItem(name, value);
  } catch (error) {
    // A full store costs only survival over a reload; the message itself is still in memory and will be sent.
    console.warn("desk: could not keep unsent text", error);
  }
}

function isUnsent(value: unknown): value is Unsent {
  if (typeof value !== "object" || value === null) return false;
  const item = value as Record<string, unknown>;
  if (typeof item["key"] !== "string") return false;
  if (item["kind"] === "say") return typeof item["text"] === "string";
  return item["kind"] === "press" && typeof item["token"] === "string" && typeof item["title"] === "string";
}
