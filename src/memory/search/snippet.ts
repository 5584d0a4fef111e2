/** The part of a text around the first word that was searched for. */

const snippetLength = 200;
const lead = 60;

/** Up to some 200 characters on one line, whole words where possible, with `…` where text was left out. */
export function snippetOf(text: string, words: readonly string[]): string {
  const flat = text
    .slice(0, 256 * 1024)
    .normalize('NFC')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (flat.length <= snippetLength) return flat;
  const start = startOf(flat, findHit(flat, words));
  let end = Math.min(flat.length, start + snippetLength);
  if (end < flat.length) {
    const space = flat.lastIndexOf(' ', end);
    if (space > start + snippetLength / 2) end = space;
  }
  const part = flat.slice(start, end).toWellFormed().trim();
  return `${start > 0 ? '…' : ''}${part}${end < flat.length ? '…' : ''}`;
}

function startOf(flat: string, hit: number): number {
  const wanted = Math.min(Math.max(0, hit - lead), Math.max(0, flat.length - snippetLength));
  if (wanted === 0) return 0;
  const space = flat.indexOf(' ', wanted);
  return space >= 0 && space < hit ? space + 1 : wanted;
}

/** Where the first searched word stands, 0 when none does as written. */
function findHit(flat: string, words: readonly string[]): number {
  const lower = flat.toLowerCase();
  const haystack = lower.length === flat.length ? lower : flat;
  let best = -1;
  for (const word of words) {
    let at = haystack.indexOf(word);
    // Words of four letters and more are looked for by their beginning too, for other forms of them.
    if (at < 0 && word.length > 4) at = haystack.indexOf(word.slice(0, -2));
    if (at >= 0 && (best < 0 || at < best)) best = at;
  }
  return Math.max(0, best);
}
