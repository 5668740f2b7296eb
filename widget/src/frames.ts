/**
 * The JSON frames of the chat line, and the only place where text from the server becomes typed data.
 *
 * Message text is plain text with `\n` line breaks. It is never markup.
 */

import { through } from "./door.ts";

export type Owner = "bot" | "queued" | "human" | "closed";
export type Author = "borrower" | "bot" | "operator" | "notice";
export type ButtonState = "open" | "used" | "stale";

export interface QuickReply {
  readonly title: string;
  /** Opaque: made by the server, sent back as it is. */
  readonly token: string;
  readonly state: ButtonState;
}

/** The script that the borrower writes. */
export type WrittenScript = "hans" | "hant";

/** What the page shows around the conversation. */
export interface Standing {
  readonly owner: Owner;
  readonly verified: boolean;
  /** How many wait for a person before this borrower; null when nobody is waited for. */
  readonly ahead: number | null;
  /** Whether a case is open that files would belong to. */
  readonly files: boolean;
  /** Null from a desk that does not say. */
  readonly script: WrittenScript | null;
}

export interface Welcome extends Standing {
  readonly type: "welcome";
  readonly last_seq: number;
  /** What the borrower has had before their eyes, in this tab or another. */
  readonly seen: number;
  readonly demo: boolean;
  /** Whether the conversation can go on there. */
  readonly telegram: boolean;
  readonly lender: string;
}

/** A file that a message carries, to be fetched from `documentAddress`. */
export interface DocumentLink {
  readonly id: string;
  readonly title: string;
  /** A picture is shown where it stands; anything else is a link. */
  readonly picture: boolean;
  /** Of a picture, in its own pixels; null where unknown. */
  readonly width: number | null;
  readonly height: number | null;
}

/** One payment of a chart: a day as `2026-12-15`, and fen. */
export type Payment = readonly [day: string, fen: number];

/** What may be drawn beside a message; its words say the same. */
export type Extras =
  | {
      readonly kind: "chart";
      readonly payments: readonly Payment[];
      /** The scale that this offer and those beside it share. */
      readonly begins: string;
      readonly ends: string;
      readonly mostFen: number;
    }
  | { readonly kind: "amount"; readonly mostFen: number | null }
  | { readonly kind: "day"; readonly first: string; readonly last: string };

export interface Message {
  readonly type: "message";
  readonly seq: number;
  readonly id: string;
  readonly author: Author;
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** On a borrower's message: the key which the sending page made for it. */
  readonly key: string | null;
  readonly buttons: readonly QuickReply[];
  /** Text or document are kept back until identity is proved; the whole message may follow under the same `seq`. */
  readonly withheld: boolean;
  readonly document: DocumentLink | null;
  readonly extras: Extras | null;
}

export interface Ack {
  readonly type: "ack";
  readonly key: string;
  readonly seq: number;
}

export interface Typing {
  readonly type: "typing";
  readonly on: boolean;
  readonly author: "bot" | "operator";
}

export interface State extends Standing {
  readonly type: "state";
}

export interface Buttons {
  readonly type: "buttons";
  readonly id: string;
  readonly buttons: readonly QuickReply[];
}

export interface Problem {
  readonly type: "problem";
  /** `session_expired` ends the line; any other code settles the key it names. */
  readonly code: string;
  readonly text: string;
  readonly key: string | null;
}

export type ServerFrame = Welcome | Message | Ack | Typing | State | Buttons | Problem;

export type ClientFrame =
  | { readonly type: "hello"; readonly after: number }
  | { readonly type: "say"; readonly key: string; readonly text: string }
  | { readonly type: "press"; readonly key: string; readonly token: string }
  | { readonly type: "seen"; readonly seq: number };

type Fields = Record<string, unknown>;

const OWNERS: ReadonlySet<unknown> = new Set<Owner>(["bot", "queued", "human", "closed"]);
const AUTHORS: ReadonlySet<unknown> = new Set<Author>(["borrower", "bot", "operator", "notice"]);
const BUTTON_STATES: ReadonlySet<unknown> = new Set<ButtonState>(["open", "used", "stale"]);

/** A frame from the server, or null for anything this page does not understand. */
export function readFrame(raw: unknown): ServerFrame | null {
  if (typeof raw !== "string") return null;
  let fields: unknown;
  try {
    fields = JSON.parse(raw);
  } catch {
    return null;
  }
  if (!isFields(fields)) return null;
  switch (fields["type"]) {
    case "welcome":
      return readWelcome(fields);
    case "message":
      return readMessage(fields);
    case "ack":
      return readAck(fields);
    case "typing":
      return readTyping(fields);
    case "state":
      return readState(fields);
    case "buttons":
      return readButtons(fields);
    case "problem":
      return readProblem(fields);
    default:
      return null;
  }
}

function readWelcome(f: Fields): Welcome | null {
  const { last_seq, lender } = f;
  const standing = readStanding(f);
  if (!isSeq(last_seq) || standing === null || typeof lender !== "string") return null;
  const seen = isSeq(f["seen"]) ? f["seen"] : last_seq;
  const [demo, telegram] = [f["demo"] === true, f["telegram"] === true];
  return { type: "welcome", last_seq, seen, ...standing, demo, telegram, lender };
}

function readMessage(f: Fields): Message | null {
  const { seq, id, author, text, at, key } = f;
  const buttons = readQuickReplies(f["buttons"] ?? []);
  if (!isSeq(seq) || !isAuthor(author) || buttons === null) return null;
  if (typeof id !== "string" || typeof text !== "string" || typeof at !== "string") return null;
  const withheld = f["withheld"] === true;
  const document = readDocument(f["document"]);
  const ownKey = typeof key === "string" ? key : null;
  const extras = readExtras(f["extras"]);
  return { type: "message", seq, id, author, text, at, key: ownKey, buttons, withheld, document, extras };
}

/** Extras that cannot be read are left out, as a document is. */
function readExtras(value: unknown): Extras | null {
  if (!isFields(value)) return null;
  const { kind, payments, begins, ends, first, last } = value;
  const mostFen = isSeq(value["most_fen"]) ? value["most_fen"] : null;
  if (kind === "amount") return { kind, mostFen };
  if (kind === "day") return isDay(first) && isDay(last) && first <= last ? { kind, first, last } : null;
  if (kind !== "chart" || !Array.isArray(payments) || !isDay(begins) || !isDay(ends) || mostFen === null) return null;
  if (payments.length === 0 || !payments.every(isPayment)) return null;
  return { kind, payments, begins, ends, mostFen };
}

function isPayment(value: unknown): value is Payment {
  return Array.isArray(value) && value.length === 2 && isDay(value[0]) && isSeq(value[1]);
}

function isDay(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
}

/** A document that cannot be read is left out: the words of its message stand for themselves. */
function readDocument(value: unknown): DocumentLink | null {
  if (!isFields(value)) return null;
  const { id, title, picture, width, height } = value;
  if (typeof id !== "string" || !/^[0-9a-f]{32}$/.test(id) || typeof title !== "string") return null;
  return { id, title, picture: picture === true, width: readSide(width), height: readSide(height) };
}

function readSide(value: unknown): number | null {
  return isSeq(value) && value > 0 ? value : null;
}

/** Where a document is fetched, on this page's own host. */
export function documentAddress(link: DocumentLink): string {
  return through(`/documents/${link.id}`);
}

function readAck(f: Fields): Ack | null {
  const { key, seq } = f;
  return typeof key === "string" && isSeq(seq) ? { type: "ack", key, seq } : null;
}

function readTyping(f: Fields): Typing {
  return { type: "typing", on: f["on"] === true, author: f["author"] === "operator" ? "operator" : "bot" };
}

function readState(f: Fields): State | null {
  const standing = readStanding(f);
  return standing === null ? null : { type: "state", ...standing };
}

function readStanding(f: Fields): Standing | null {
  const { owner, ahead, script } = f;
  if (!isOwner(owner)) return null;
  return {
    owner,
    verified: f["verified"] === true,
    ahead: isSeq(ahead) ? ahead : null,
    files: f["files"] === true,
    script: script === "hans" || script === "hant" ? script : null,
  };
}

function readButtons(f: Fields): Buttons | null {
  const { id } = f;
  const buttons = readQuickReplies(f["buttons"]);
  return typeof id === "string" && buttons !== null ? { type: "buttons", id, buttons } : null;
}

function readProblem(f: Fields): Problem | null {
  const { code, text, key } = f;
  if (typeof code !== "string" || typeof text !== "string") return null;
  return { type: "problem", code, text, key: typeof key === "string" ? key : null };
}

function readQuickReplies(value: unknown): readonly QuickReply[] | null {
  if (!Array.isArray(value)) return null;
  const replies: QuickReply[] = [];
  for (const item of value) {
    if (!isFields(item)) return null;
    const { title, token, state } = item;
    if (typeof title !== "string" || typeof token !== "string" || !isButtonState(state)) return null;
    replies.push({ title, token, state });
  }
  return replies;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isOwner(value: unknown): value is Owner {
  return OWNERS.has(value);
}

function isAuthor(value: unknown): value is Author {
  return AUTHORS.has(value);
}

function isButtonState(value: unknown): value is ButtonState {
  return BUTTON_STATES.has(value);
}
