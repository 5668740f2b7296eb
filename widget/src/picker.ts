/**
 * Under a question for a sum or a day: a field with the phone's own keys or calendar. What is picked is sent as words,
 * like anything typed; the box below stays, for whoever would rather write.
 */

import type { Extras } from "./frames.ts";
import type { Words } from "./words.ts";

export type Asked = Extract<Extras, { kind: "amount" | "day" }>;

export function isAsked(extras: Extras | null): extras is Asked {
  return extras?.kind === "amount" || extras?.kind === "day";
}

/** The amount in a field as the desk reads it, or nothing while it is none. */
export function amountIn(typed: string): string {
  const plain = typed.normalize("NFKC").replaceAll(/[,\s]|元$/g, "");
  return /^\d{1,9}(\.\d{1,2})?$/.test(plain) && Number(plain) > 0 ? plain : "";
}

export class Picker {
  readonly element = document.createElement("form");
  readonly #asked: Asked;
  readonly #field = document.createElement("input");
  readonly #unit = document.createElement("span");
  readonly #send = document.createElement("button");
  #words: Words;

  constructor(asked: Asked, words: Words, pick: (text: string) => void) {
    this.#asked = asked;
    this.#words = words;
    this.element.className = "desk-pick";
    this.element.noValidate = true;
    this.#send.type = "submit";
    if (asked.kind === "amount") {
      this.#field.type = "text";
      this.#field.inputMode = "decimal";
      this.#field.autocomplete = "off";
      this.#field.maxLength = 15;
      this.#field.enterKeyHint = "send";
      this.element.append(this.#field, this.#unit, this.#send);
    } else {
      this.#field.type = "date";
      [this.#field.min, this.#field.max] = [asked.first, asked.last];
      this.element.append(this.#field, this.#send);
    }
    this.#field.addEventListener("input", () => this.#show());
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#text();
      if (text !== "") pick(text);
    });
    this.speak(words);
  }

  speak(words: Words): void {
    this.#words = words;
    const label = this.#asked.kind === "amount" ? words.pickAmount : words.pickDay;
    this.#field.setAttribute("aria-label", label);
    if (this.#asked.kind === "amount") this.#field.placeholder = label;
    this.#unit.textContent = words.yuan;
    this.#show();
  }

  #show(): void {
    const { useAmount, useDay, monthDay } = this.#words;
    const day = this.#day();
    this.#send.textContent =
      this.#asked.kind === "amount"
        ? useAmount(amountIn(this.#field.value))
        : useDay(day === null ? "" : monthDay(day.month, day.day));
    this.#send.disabled = this.#text() === "";
  }

  #text(): string {
    if (this.#asked.kind === "amount") {
      const amount = amountIn(this.#field.value);
      return amount === "" ? "" : `${amount}元`;
    }
    const day = this.#day();
    return day === null ? "" : this.#words.fullDay(day.year, day.month, day.day);
  }

  #day(): { readonly year: number; readonly month: number; readonly day: number } | null {
    const { value } = this.#field;
    if (this.#asked.kind !== "day" || value === "" || value < this.#asked.first || value > this.#asked.last) return null;
    const [year = 0, month = 0, day = 0] = value.split("-").map(Number);
    return { year, month, day };
  }
}
