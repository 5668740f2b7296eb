// Keeps an open page of the console up to date, and gives it keys. Without this script every page still works.
"use strict";

const conversation = document.body.dataset.conversation;
const list = document.getElementById("list");
const turns = document.getElementById("turns");

class Refused extends Error {
  constructor(address, status, words) {
    super(`${address}: ${status}`);
    this.isNoLongerTheirs = status === 404 || status === 409;
    this.words = words;
  }
}

async function fetchFragment(address, options = {}) {
  const response = await fetch(address, { headers: { Accept: "text/html" }, ...options });
  if (response.status === 403) {
    location.assign("/console/login?next=" + encodeURIComponent(location.pathname));
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html").body;
  if (!response.ok) throw new Refused(address, response.status, page.querySelector("[role=alert]")?.textContent);
  return page;
}

// --- Who needs somebody: the title counts them, the banner names whoever is new -------------------------------------

const alarmed = new Set(JSON.parse(sessionStorage.getItem("alarmed") || "[]"));
let firstLook = sessionStorage.getItem("alarmed") === null;

function attend() {
  const waiting = Number(list.querySelector(".filters").dataset.waiting);
  document.title = (waiting ? `(${waiting}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  const present = new Set();
  for (const row of list.querySelectorAll(".row")) {
    const { id, attention, alarm } = row.dataset;
    if (!attention) continue;
    const key = `${attention} ${id}`;
    present.add(key);
    if (alarmed.has(key)) continue;
    alarmed.add(key);
    // On the first page after a login the queue is in plain sight; only danger is worth a banner then.
    if (id !== conversation && (attention === "danger" || !firstLook)) raise(id, attention, alarm);
  }
  for (const key of alarmed) if (!present.has(key)) alarmed.delete(key);
  for (const line of document.querySelectorAll("#alarm p")) if (!present.has(line.dataset.key)) line.remove();
  firstLook = false;
  sessionStorage.setItem("alarmed", JSON.stringify([...alarmed]));
}

function raise(id, attention, words) {
  const line = document.getElementById("alarm-line").content.firstElementChild.cloneNode(true);
  line.className = attention;
  line.dataset.key = `${attention} ${id}`;
  line.querySelector("strong").textContent = words;
  line.querySelector("a").href = `/console/c/${id}`;
  line.querySelector("button").addEventListener("click", () => line.remove());
  const alarm = document.getElementById("alarm");
  if (attention === "danger") alarm.prepend(line);
  else alarm.append(line);
  while (alarm.children.length > 3) alarm.lastElementChild.remove();
}

async function refreshList() {
  const fresh = await fetchFragment(`/console/list?current=${conversation}`);
  const picked = list.querySelector(".picked")?.dataset.id;
  const scrolled = list.scrollTop;
  list.replaceChildren(...fresh.childNodes);
  list.scrollTop = scrolled;
  if (picked) list.querySelector(`[data-id="${picked}"]`)?.classList.add("picked");
  attend();
}

// --- The open conversation ------------------------------------------------------------------------------------------

const atBottom = () => turns.scrollHeight - turns.scrollTop - turns.clientHeight < 60;
function toBottom() {
  turns.scrollTop = turns.scrollHeight;
  document.getElementById("newer").hidden = true;
}

async function refreshTurns() {
  let fresh;
  try {
    fresh = await freshTurns();
  } catch (error) {
    if (!error.isNoLongerTheirs) throw error;
    closeWhatIsLost(error.words);
    return;
  }
  // It has come back: the page is made anew, and the draft is put into its box.
  if (document.getElementById("lost")) location.reload();
  else showTurns(fresh);
}

// Somebody else has the conversation now, or it is gone: nothing on this page may look as if it could still be done.
function closeWhatIsLost(words) {
  if (document.getElementById("lost")) return;
  keepDraft();
  const line = document.getElementById("lost-line").content.firstElementChild.cloneNode(true);
  line.querySelector("span").textContent = words;
  turns.before(line);
  document.getElementById("reply").readOnly = true;
  for (const done of document.querySelectorAll("#findings, #canned, #composer .send, #bar .acts")) done.remove();
  document.getElementById("side").replaceChildren();
}

async function freshTurns() {
  // A turn that the bot has not answered yet is asked for again: what it was understood as comes later.
  const shown = [...turns.querySelectorAll(".turn")];
  const open = shown.find((turn) => "open" in turn.dataset);
  const after = open ? Number(open.dataset.seq) - 1 : Number(shown.at(-1)?.dataset.seq || 0);
  return fetchFragment(`/console/c/${conversation}/turns?after=${after}`);
}

function showTurns(fresh) {
  const follow = atBottom();
  let added = false;
  for (const turn of fresh.querySelectorAll(".turn")) {
    const old = turns.querySelector(`[data-seq="${turn.dataset.seq}"]`);
    if (old) old.replaceWith(turn);
    else turns.querySelector("ol").append(turn);
    added = added || !old;
  }
  refreshSide(fresh.querySelector("aside"));
  const bar = document.getElementById("bar");
  const newBar = fresh.querySelector("#bar");
  if (bar.dataset.state !== newBar.dataset.state) bar.replaceWith(newBar);
  // The box is only exchanged when it opens or closes: whoever is typing in it must not be disturbed.
  if (document.getElementById("reply").readOnly !== fresh.querySelector("#reply").readOnly) {
    keepDraft();
    document.getElementById("composer").replaceWith(fresh.querySelector("#composer"));
    prepareComposer();
  }
  // Last of all, as a taller bar or box would cover the end again.
  if (follow) toBottom();
  else if (added) document.getElementById("newer").hidden = false;
}

function refreshSide(fresh) {
  const side = document.getElementById("side");
  if (side.querySelector("details[open]")) return;
  // What was revealed is shown once, and stays until the operator leaves the page: no refresh may cover it up.
  const kept = side.querySelector("[data-keep]");
  if (kept) fresh.querySelector(`#${kept.id}`).replaceWith(kept);
  side.replaceChildren(...fresh.childNodes);
}

// A reload asks for the page, and not for the same details once more.
if (document.querySelector("#side [data-keep]")) history.replaceState(null, "", `/console/c/${conversation}`);

// --- Drafts survive a reload, a lost session and another operator's taking over ---------------------------------------

const draftKey = `draft ${conversation}`;
function keepDraft() {
  const { readOnly, value: text } = document.getElementById("reply");
  if (readOnly) return;
  if (text.trim()) sessionStorage.setItem(draftKey, text);
  else sessionStorage.removeItem(draftKey);
}

// --- What must not be said is shown while it is being typed; the server refuses to send it all the same --------------

let toneTimer = null;
let toneCheck = null;
function checkTone() {
  clearTimeout(toneTimer);
  toneTimer = setTimeout(async () => {
    toneCheck?.abort();
    toneCheck = new AbortController();
    const form = new FormData(document.getElementById("composer"));
    try {
      const body = new URLSearchParams({ csrf: form.get("csrf"), text: form.get("text") });
      const fresh = await fetchFragment("/console/tone", { method: "POST", body, signal: toneCheck.signal });
      document.getElementById("findings")?.replaceWith(fresh.querySelector("#findings"));
    } catch (error) {
      if (error.name !== "AbortError") console.warn(error);
    }
  }, 500);
}

// --- Replies to start from: put where the cursor is, so that nothing already typed is lost ---------------------------

function insertCanned(event) {
  const text = event.target.closest("[data-insert]")?.dataset.insert;
  if (!text) return;
  const reply = document.getElementById("reply");
  reply.setRangeText(text, reply.selectionStart, reply.selectionEnd, "end");
  document.getElementById("canned").open = false;
  reply.focus();
  reply.dispatchEvent(new Event("input"));
}

let sending = false;
function prepareComposer() {
  sending = false;
  const reply = document.getElementById("reply");
  const form = document.getElementById("composer");
  if (!reply.value && !reply.readOnly) reply.value = sessionStorage.getItem(draftKey) || "";
  reply.addEventListener("input", keepDraft);
  reply.addEventListener("input", checkTone);
  document.getElementById("canned")?.addEventListener("click", insertCanned);
  if (reply.value && !reply.readOnly) checkTone();
  reply.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && !reply.readOnly) form.requestSubmit();
    if (event.key === "Escape") reply.blur();
  });
  form.addEventListener("submit", (event) => {
    if (sending) event.preventDefault();
    sending = true;
    sessionStorage.setItem("sending", conversation);
  });
}

function forgetSentDraft() {
  if (location.hash === "#done") {
    if (sessionStorage.getItem("sending") === conversation) sessionStorage.removeItem(draftKey);
    history.replaceState(null, "", location.pathname);
  }
  sessionStorage.removeItem("sending");
}

// --- Approvals: how many wait, and the list where it is open ------------------------------------------------------

async function refreshApprovals() {
  const fresh = await fetchFragment("/console/approvals/list");
  const waiting = Number(fresh.querySelector("[data-waiting]").dataset.waiting);
  const badge = document.getElementById("approvals-waiting");
  badge.textContent = waiting;
  badge.hidden = !waiting;
  const open = document.getElementById("approval-list");
  const focused = open?.contains(document.activeElement) && document.activeElement.getAttribute("href");
  open?.replaceChildren(...fresh.childNodes);
  if (focused) open.querySelector(`[href="${focused}"]`)?.focus({ preventScroll: true });
}

// --- Keys -----------------------------------------------------------------------------------------------------------

function pick(step) {
  const rows = [...list.querySelectorAll(".row")];
  const here = rows.findIndex((row) => row.classList.contains("picked"));
  const from = here >= 0 ? here : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const row = rows[Math.min(Math.max(from + step, 0), rows.length - 1)];
  if (!row) return;
  rows[here]?.classList.remove("picked");
  row.classList.add("picked");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea")) return;
  if (event.key === "j") pick(1);
  else if (event.key === "k") pick(-1);
  else if (event.key === "r" && conversation && !document.getElementById("reply").readOnly) {
    document.getElementById("reply").focus();
  } else if (event.key === "t") document.getElementById("take")?.requestSubmit();
  else if (event.key === "a") location.assign("/console/approvals");
  else return;
  event.preventDefault();
});

// --- The live feed --------------------------------------------------------------------------------------------------

function refresh(ids) {
  const work = [refreshList()];
  if (conversation && (!ids || ids.includes(conversation))) work.push(refreshTurns());
  if (!ids || ids.includes("approvals")) work.push(refreshApprovals());
  // A failed refresh is made good by the next one; the line in the header says when the server cannot be reached.
  Promise.all(work).catch((error) => console.warn(error));
}

function listen() {
  const live = document.getElementById("live");
  const say = (on) => {
    live.classList.toggle("off", !on);
    live.firstElementChild.textContent = on ? live.dataset.on : live.dataset.off;
  };
  let off = null;
  const source = new EventSource("/console/live");
  source.addEventListener("ready", () => {
    clearTimeout(off);
    off = null;
    say(true);
    refresh();
  });
  source.addEventListener("changed", (event) => refresh(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    // Streams end every minute by design and come back at once: only a longer gap is worth a word.
    off ??= setTimeout(() => say(false), 4000);
    if (source.readyState === EventSource.CLOSED) {
      refresh();
      setTimeout(listen, 5000);
    }
  });
  addEventListener("pagehide", () => source.close());
}

attend();
list.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });
if (conversation) {
  forgetSentDraft();
  prepareComposer();
  toBottom();
  turns.addEventListener("scroll", () => atBottom() && (document.getElementById("newer").hidden = true));
  document.getElementById("newer").addEventListener("click", toBottom);
}
listen();
setInterval(() => refreshList().catch((error) => console.warn(error)), 60000);
