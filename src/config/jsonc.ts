/** JSON as editors write it: with comments and trailing commas. */

import { AppError, messageOf } from '../kernel/errors.ts';

/** Strings, comments and single characters, in this order of preference. */
const tokenPattern = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|[\s\S]/g;

/** Blanks comments and trailing commas; every other character keeps its place, so positions stay true. */
export function stripJsonComments(text: string): string {
  const parts: string[] = [];
  let lastComma = -1;
  for (const [token] of text.matchAll(tokenPattern)) {
    if (token.startsWith('//') || token.startsWith('/*')) {
      parts.push(token.replaceAll(/[^\n\r]/g, ' '));
      continue;
    }
    if ((token === '}' || token === ']') && lastComma >= 0) parts[lastComma] = ' ';
    if (token === ',') lastComma = parts.length;
    else if (token.trim() !== '') lastComma = -1;
    parts.push(token);
  }
  return parts.join('');
}

/** Parses JSON with comments; an empty text is an empty object. Throws CONFIG_INVALID naming the file. */
export function parseJsonc(text: string, file: string): unknown {
  const bare = stripJsonComments(text.replace(/^\uFEFF/, ' '));
  if (bare.trim() === '') return {};
  try {
    return JSON.parse(bare) as unknown;
  } catch (error) {
    throw new AppError('CONFIG_INVALID', { file, problem: withoutExcerpt(messageOf(error)) });
  }
}

/** Engine messages quote the text around the place, which may hold a secret. */
function withoutExcerpt(message: string): string {
  const place = /\(line \d+ column \d+\)/.exec(message)?.[0] ?? '';
  return `is not valid JSON ${place}`.trim();
}
