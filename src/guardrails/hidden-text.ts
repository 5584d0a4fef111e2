/** Text that people do not see and models read: invisible characters, direction tricks, terminal codes, comments. */

import type { Report } from './guardrail.ts';

/** Tag characters outside of flags; overrides of direction; supplement selectors, which can carry bytes. */
const hidden =
  /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]{0,8})[\u{E0000}-\u{E007F}]{1,4096}|[\u{E0100}-\u{E01EF}]{3,4096}|[\u202D\u202E]|[\u2061-\u2064]|\uFFF9[^\uFFF9\uFFFB]{0,200}\uFFFB/gu;
/** Not in Thai, Lao, Khmer and Burmese, where a space of no width parts words, nor in emoji, which are joined so. */
const zeroWidth =
  /(?<=[A-Za-z0-9.,;:!? ])(?:\u200B|\u200C|\u200D|\u2060|\uFEFF){1,4096}(?=[A-Za-z0-9.,;:!? ])|[\u200B\u200C\u2060\uFEFF]{4,4096}/gu;
const isolates = /[\u202A\u202B\u202C\u2066-\u2069]{1,64}/gu;
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/;
const escape = String.fromCharCode(27);
/** Letters that are not shown, or of the colour of what is behind them. */
const terminalCode = new RegExp(`${escape}\\[(?:8|30;40|37;47)m`, 'g');
const blob =
  /(?<![A-Za-z0-9+/=_-])(?=[A-Za-z0-9+/_-]{0,60}[0-9])(?=[A-Za-z0-9+/_-]{0,60}[A-Z])(?=[A-Za-z0-9+/_-]{0,60}[a-z])[A-Za-z0-9+/_-]{120,8192}={0,2}/g;

/** Everything that may be hidden is outside of these: one look for texts in Latin letters. */
const special = /[\u200B-\u200D\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9\u{E0000}-\u{E01EF}]/u;

function all(pattern: RegExp, rule: string, text: string, report: Report): void {
  for (const match of text.matchAll(pattern)) report(rule, match.index, match.index + match[0].length);
}

function findComments(text: string, report: Report): void {
  for (let at = text.indexOf('<!--'); at >= 0; at = text.indexOf('<!--', at)) {
    const end = text.indexOf('-->', at + 4);
    if (end < 0) return;
    report('hidden-comment', at, end + 3);
    at = end + 3;
  }
}

/** Reports what is hidden; comments and long encoded texts where a person reads the text rendered or not at all. */
export function findHiddenText(text: string, isDefinition: boolean, report: Report): void {
  if (special.test(text)) {
    all(hidden, 'hidden-characters', text, report);
    // A mark of byte order at the very beginning of a file is none.
    all(zeroWidth, 'hidden-characters', text, report);
    if (!rightToLeft.test(text)) all(isolates, 'hidden-characters', text, report);
  }
  if (text.includes(escape)) all(terminalCode, 'hidden-characters', text, report);
  if (!isDefinition) return;
  findComments(text, report);
  if (text.length >= 120) all(blob, 'encoded-blob', text, report);
}
