/** Through which door this page was opened: the desk's own, or a frame on the lender's site. */

const FRAME_PREFIX = "/embedded";

/** Whether the page stands in a frame; its session is then another one than that of the desk's own page. */
export const isFramed = globalThis.location?.pathname.startsWith(`${FRAME_PREFIX}/`) ?? false;

/** A path of the chat's, as it is reached through this door. */
export function through(path: string): string {
  return isFramed ? FRAME_PREFIX + path : path;
}
