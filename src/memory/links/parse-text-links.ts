/**
 * Links in Markdown: `[[wikilinks]]`, `[text](target)`, `<memory://…>` and link definitions; not in code. Every
 * pattern fails or ends where the next one could begin, so that the time is linear in the text.
 */

/** A link as it is written. */
export interface WrittenLink {
  readonly kind: 'wikilink' | 'markdown';
  readonly target: string;
  readonly label?: string;
}

const wikilink = /\[\[([^[\]|\n]{1,1200})(?:\|([^[\]\n]{0,300}))?\]\]/g;
/** A label with brackets in it (an image) is left out, the link is not. */
const inline =
  /(?:\[([^[\]\n]{0,300}))?\]\([ \t]*(?:<([^<>\n]{1,2000})>|((?:[^\s()<>]|\([^\s()<>]*\)){1,2000}))(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'))?[ \t]*\)/g;
const autolink = /<(memory:\/\/[^\s<>]{1,4000})>/gi;
const definition = /^ {0,3}\[([^[\]\n]{1,300})\]:[ \t]*<?([^\s<>]{1,4000})>?/gm;

/** The links of a text, in no particular order; more than `limit` of one kind are cut. */
export function parseTextLinks(text: string, limit: number): WrittenLink[] {
  if (!/\[|<memory:/i.test(text)) return [];
  const plain = withoutCode(text);
  return [
    ...take(plain, wikilink, limit, ([, target = '', label]) => ({
      kind: 'wikilink',
      target,
      ...named(label),
    })),
    ...take(plain, inline, limit, ([, label, bracketed, bare]) => ({
      kind: 'markdown',
      target: bracketed ?? bare ?? '',
      ...named(label),
    })),
    ...take(plain, autolink, limit, ([, target = '']) => ({ kind: 'markdown', target })),
    ...take(plain, definition, limit, ([, label, target = '']) => ({
      kind: 'markdown',
      target,
      ...named(label),
    })),
  ];
}

function named(label: string | undefined): { label?: string } {
  const text = label?.trim() ?? '';
  return text === '' ? {} : { label: text };
}

function take(
  text: string,
  pattern: RegExp,
  limit: number,
  toLink: (match: RegExpExecArray) => WrittenLink,
): WrittenLink[] {
  const links: WrittenLink[] = [];
  for (const match of text.matchAll(pattern)) {
    if (links.length >= limit) break;
    if (!isEscaped(text, match.index)) links.push(toLink(match));
  }
  return links;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (slashes < at && slashes < 100 && text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

/** The text with code blocks as empty lines and code spans as spaces. */
function withoutCode(text: string): string {
  if (!/`|~~~|^(?: {4}|\t)/m.test(text)) return text;
  return withoutSpans(withoutBlocks(text));
}

/** Fenced blocks, and indented ones after an empty line where no list is open (CommonMark 0.31, 4.4 and 4.5). */
function withoutBlocks(text: string): string {
  let fence: { mark: string; length: number } | undefined;
  let isAfterEmpty = true;
  let isInList = false;
  return text
    .split('\n')
    .map((line) => {
      const [, mark = ''] = /^ {0,3}(?:> ?){0,8} {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
      if (fence) {
        const ends = mark.startsWith(fence.mark) && mark.length >= fence.length && !/[^`~\s>]/.test(line);
        if (ends) fence = undefined;
        return '';
      }
      if (mark !== '' && !(mark.startsWith('`') && /`/.test(line.slice(line.indexOf(mark) + mark.length)))) {
        fence = { mark: mark[0] ?? '', length: mark.length };
        return '';
      }
      if (line.trim() === '') {
        isAfterEmpty = true;
        return '';
      }
      const isIndented = /^(?: {4}|\t)/.test(line);
      if (isIndented && isAfterEmpty && !isInList) return '';
      if (!isIndented)
        isInList = /^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s/.test(line) || (isInList && line.startsWith(' '));
      isAfterEmpty = false;
      return line;
    })
    .join('\n');
}

/** A span begins and ends with as many backticks, in one paragraph (CommonMark 0.31, 6.1). */
function withoutSpans(text: string): string {
  return text
    .split(/(\n[ \t]*\n)/)
    .map(withoutSpansOf)
    .join('');
}

function withoutSpansOf(paragraph: string): string {
  const runs = [...paragraph.matchAll(/`+/g)];
  const last = new Map(runs.map((run, i) => [run[0].length, i]));
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i];
    // Without a later run of this length it is no span, and no search for one is made.
    if (!run || (last.get(run[0].length) ?? 0) <= i || isEscaped(paragraph, run.index)) continue;
    let end = i + 1;
    while (runs[end]?.[0].length !== run[0].length) end += 1;
    const closing = runs[end];
    parts.push(paragraph.slice(from, run.index), ' ');
    from = (closing?.index ?? run.index) + run[0].length;
    i = end;
  }
  parts.push(paragraph.slice(from));
  return parts.join('');
}
