/** Fetching a file of the borrower's and handing it to the browser's downloads. */

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
