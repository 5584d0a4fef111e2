/** A memory in a few words, for those who decide whether to read it. */

const maxTitle = 100;
const maxSnippet = 160;
const maxRead = 4096;

/** Title and beginning of a value on one line each; the end of the key where it has no title. */
export function describeValue(key: string, value: unknown): { title: string; snippet: string } {
  const fallback = key.slice(key.lastIndexOf('/') + 1);
  if (typeof value === 'string') {
    const head = value.slice(0, maxRead);
    const heading = /^#{1,6}[ \t]+([^\n]*\S)/m.exec(head);
    const rest = heading ? head.slice(heading.index + heading[0].length) : head;
    return { title: cut(heading?.[1] ?? fallback, maxTitle), snippet: cut(rest, maxSnippet) };
  }
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const named = [fields['title'], fields['name']].find((one) => typeof one === 'string' && one.trim() !== '');
  const title = typeof named === 'string' ? named : fallback;
  return { title: cut(title, maxTitle), snippet: cut(JSON.stringify(value) ?? '', maxSnippet) };
}

function cut(text: string, length: number): string {
  const flat = text.slice(0, maxRead).replaceAll(/\s+/g, ' ').trim();
  return flat.length <= length ? flat : `${flat.slice(0, length - 1).toWellFormed()}…`;
}

/**
 * Tokens that a model counts for a text, estimated on the high side: one for four ASCII characters, one for each
 * other character, as Thai and Chinese need.
 */
export function estimateTokens(text: string): number {
  let others = 0;
  for (const character of text) if (character > '\u007f') others += 1;
  return Math.ceil((text.length - others) / 4) + others;
}
