/** Files of the borrower's: fetching one and handing it to the browser's downloads, and naming one that is sent. */

/** How long the browser may take to begin reading what it was handed. */
const HELD_MS = 60_000;

/** Returns whether the file was had. `title` names it where the server does not. */
export async function fetchFile(address: string, title: string): Promise<boolean> {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return false;
    const url = URL.createObjectURL(await answer.blob());
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = nameIn(answer.headers.get("Content-Disposition")) ?? title;
    anchor.click();
    window.setTimeout(() => URL.revokeObjectURL(url), HELD_MS);
    return true;
  } catch (error) {
    console.warn("desk: a file could not be fetched", error);
    return false;
  }
}

/** The name in a `Content-Disposition`, in the form for letters beyond ASCII. */
export function nameIn(disposition: string | null): string | null {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

/** Characters of a file's name that are sent along. */
const LONGEST_NAME = 120;

/** A file's name for a header: cut between characters, and without half ones, which cannot be encoded. */
export function nameForHeader(name: string): string {
  const whole = Array.from(name).filter((letter) => !/^[\ud800-\udfff]$/.test(letter));
  return encodeURIComponent(whole.slice(0, LONGEST_NAME).join(""));
}
