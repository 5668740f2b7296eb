/** Every word of the page's own, in both scripts. What the desk says comes from the server, in the borrower's script. */

import type { Author } from "./frames.ts";

export type Script = "Hans" | "Hant";

export interface Words {
  readonly lang: string;
  /** Of the browser tab and of the header before the lender is known: never a word that gives a debt away. */
  readonly title: string;
  readonly needsScript: string;
  readonly aiLine: string;
  readonly queuedLine: string;
  readonly humanLine: string;
  readonly demo: string;
  readonly verified: string;
  readonly largeType: string;
  readonly telegram: string;
  readonly telegramAway: string;
  readonly log: string;
  readonly toEnd: string;
  readonly author: Readonly<Record<Author, string>>;
  readonly quickReplies: string;
  readonly input: string;
  readonly placeholder: string;
  readonly send: string;
  readonly sending: string;
  readonly notSent: string;
  readonly botTyping: string;
  readonly operatorTyping: string;
  readonly reconnecting: string;
  readonly offline: string;
  readonly reload: string;
  readonly close: string;
  readonly ownWindow: string;
  readonly fileAway: string;
  readonly more: string;
  readonly saveTranscript: string;
  readonly checkSender: string;
  readonly queuedBehind: (ahead: number) => string;
  readonly evidence: string;
  readonly evidenceHint: string;
  readonly evidenceWaiting: string;
  readonly evidenceSending: string;
  readonly evidenceKept: string;
  readonly evidenceLost: string;
  readonly evidenceTooLarge: string;
  readonly evidenceAgain: string;
  readonly evidenceDrop: string;
  readonly monthDay: (month: number, day: number) => string;
  readonly yearMonth: (year: number, month: number) => string;
  readonly pickAmount: string;
  readonly pickDay: string;
  readonly yuan: string;
  readonly useAmount: (yuan: string) => string;
  readonly useDay: (day: string) => string;
  readonly fullDay: (year: number, month: number, day: number) => string;
}

/** Of the button on the lender's site, where anybody can read along: no word that gives a debt away. */
export interface LauncherWords {
  readonly lang: string;
  readonly title: string;
  readonly open: string;
  readonly close: string;
  readonly unread: (count: number) => string;
  readonly opening: string;
  readonly notOpened: string;
  readonly ownWindow: string;
}

const HANS: Words = {
  lang: "zh-Hans",
  title: "在线客服",
  needsScript: "请在浏览器里打开 JavaScript，再刷新这个页面。",
  aiLine: "我是 AI 助手，不是真人。随时可以说“转人工”。",
  queuedLine: "正在为您转接人工客服，您可以继续留言。",
  humanLine: "现在由人工客服回复您。",
  demo: "演示：数据都是虚构的",
  verified: "已核对本人",
  largeType: "大字",
  telegram: "在 Telegram 里继续",
  telegramAway: "Telegram 那边暂时连不上，请过一会儿再试。这里可以继续聊。",
  log: "对话记录",
  toEnd: "到最下面 ↓",
  author: { borrower: "您", bot: "AI 助手", operator: "人工客服", notice: "提示" },
  quickReplies: "可以直接点选",
  input: "输入消息",
  placeholder: "请输入…",
  send: "发送",
  sending: "正在发送…",
  notSent: "没有发出去",
  botTyping: "AI 助手正在输入",
  operatorTyping: "人工客服正在输入",
  reconnecting: "正在重新连接…",
  offline: "网络断开了。您写的话不会丢，连上后自动发送。",
  reload: "重新打开",
  close: "收起",
  ownWindow: "在新窗口里打开",
  fileAway: "文件没有取到，请检查网络后再点一次。",
  more: "更多",
  saveTranscript: "保存对话记录",
  checkSender: "查真伪：对方真是我们吗",
  queuedBehind: (ahead) =>
    ahead === 0 ? "您排在第一位，同事看到就会来。您可以继续留言。" : `前面还有 ${ahead} 位，不用守着，您可以继续留言。`,
  evidence: "发材料",
  evidenceHint: "照片、截图、PDF，每个最多 10 MB",
  evidenceWaiting: "等着发送…",
  evidenceSending: "正在发送…",
  evidenceKept: "已收到",
  evidenceLost: "没有发出去，文件还在这里。连上网后会再发一次。",
  evidenceTooLarge: "这个文件太大了（最多 10 MB）。可以截图，或者拍成照片再发。",
  evidenceAgain: "再发一次",
  evidenceDrop: "不发了",
  monthDay: (month, day) => `${month}月${day}日`,
  yearMonth: (year, month) => `${year}年${month}月`,
  pickAmount: "填一个数",
  pickDay: "选一天",
  yuan: "元",
  useAmount: (yuan) => (yuan === "" ? "发送" : `发送 ${yuan} 元`),
  useDay: (day) => (day === "" ? "发送" : `就选${day}`),
  fullDay: (year, month, day) => `${year}年${month}月${day}日`,
};

const HANT: Words = {
  lang: "zh-Hant",
  title: "線上客服",
  needsScript: "請在瀏覽器裡開啟 JavaScript，再重新整理這個頁面。",
  aiLine: "我是 AI 助手，不是真人。隨時可以說「轉人工」。",
  queuedLine: "正在為您轉接人工客服，您可以繼續留言。",
  humanLine: "現在由人工客服回覆您。",
  demo: "示範：資料都是虛構的",
  verified: "已核對本人",
  largeType: "大字",
  telegram: "在 Telegram 裡繼續",
  telegramAway: "Telegram 那邊暫時連不上，請過一會兒再試。這裡可以繼續聊。",
  log: "對話記錄",
  toEnd: "到最下面 ↓",
  author: { borrower: "您", bot: "AI 助手", operator: "人工客服", notice: "提示" },
  quickReplies: "可以直接點選",
  input: "輸入訊息",
  placeholder: "請輸入…",
  send: "傳送",
  sending: "正在傳送…",
  notSent: "沒有傳送成功",
  botTyping: "AI 助手正在輸入",
  operatorTyping: "人工客服正在輸入",
  reconnecting: "正在重新連線…",
  offline: "網路中斷了。您寫的話不會遺失，連上後自動傳送。",
  reload: "重新開啟",
  close: "收起",
  ownWindow: "在新視窗裡開啟",
  fileAway: "檔案沒有取到，請檢查網路後再點一次。",
  more: "更多",
  saveTranscript: "儲存對話記錄",
  checkSender: "查真偽：對方真是我們嗎",
  queuedBehind: (ahead) =>
    ahead === 0 ? "您排在第一位，同事看到就會來。您可以繼續留言。" : `前面還有 ${ahead} 位，不用守著，您可以繼續留言。`,
  evidence: "傳材料",
  evidenceHint: "照片、截圖、PDF，每個最多 10 MB",
  evidenceWaiting: "等著傳送…",
  evidenceSending: "正在傳送…",
  evidenceKept: "已收到",
  evidenceLost: "沒有傳送成功，檔案還在這裡。連上網路後會再傳一次。",
  evidenceTooLarge: "這個檔案太大了（最多 10 MB）。可以截圖，或者拍成照片再傳。",
  evidenceAgain: "再傳一次",
  evidenceDrop: "不傳了",
  monthDay: (month, day) => `${month}月${day}日`,
  yearMonth: (year, month) => `${year}年${month}月`,
  pickAmount: "填一個數",
  pickDay: "選一天",
  yuan: "元",
  useAmount: (yuan) => (yuan === "" ? "傳送" : `傳送 ${yuan} 元`),
  useDay: (day) => (day === "" ? "傳送" : `就選${day}`),
  fullDay: (year, month, day) => `${year}年${month}月${day}日`,
};

const LAUNCHER: Readonly<Record<Script, LauncherWords>> = {
  Hans: {
    lang: "zh-Hans",
    title: "在线客服",
    open: "打开在线客服",
    close: "收起",
    unread: (count) => `有 ${count} 条新消息`,
    opening: "正在打开…",
    notOpened: "这里暂时打不开。",
    ownWindow: "在新窗口里打开",
  },
  Hant: {
    lang: "zh-Hant",
    title: "線上客服",
    open: "開啟線上客服",
    close: "收起",
    unread: (count) => `有 ${count} 則新訊息`,
    opening: "正在開啟…",
    notOpened: "這裡暫時打不開。",
    ownWindow: "在新視窗裡開啟",
  },
};

/** The script for a browser's first Chinese language: Traditional for Taiwan, Hong Kong, Macau and `Hant`. */
export function pickScript(languages: readonly string[]): Script {
  const chinese = languages.find((tag) => /^zh\b/i.test(tag));
  if (chinese === undefined || /-hans\b/i.test(chinese)) return "Hans";
  return /-(hant|tw|hk|mo)\b/i.test(chinese) ? "Hant" : "Hans";
}

/** The words of the moment. The page begins in the browser's script and goes over to the one the borrower writes. */
export class Speech {
  #script: Script;
  readonly #followers: ((words: Words) => void)[] = [];

  constructor(script: Script) {
    this.#script = script;
  }

  get words(): Words {
    return wordsIn(this.#script);
  }

  get script(): Script {
    return this.#script;
  }

  /** Put words in place now, and anew whenever the script changes. */
  follow(speak: (words: Words) => void): void {
    this.#followers.push(speak);
    speak(this.words);
  }

  use(script: Script): void {
    if (script === this.#script) return;
    this.#script = script;
    for (const speak of this.#followers) speak(this.words);
  }
}

export function wordsIn(script: Script): Words {
  return script === "Hant" ? HANT : HANS;
}

export function launcherWordsIn(script: Script): LauncherWords {
  return LAUNCHER[script];
}

/** Hour and minute on the reader's own clock, with the date in front unless it is today's. */
export function clockTime(at: Date, now: Date, words: Words): string {
  const time = `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;
  if (at.toDateString() === now.toDateString()) return time;
  const day = words.monthDay(at.getMonth() + 1, at.getDate());
  return at.getFullYear() === now.getFullYear() ? `${day} ${time}` : `${at.getFullYear()}年${day} ${time}`;
}
