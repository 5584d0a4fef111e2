/** Glob patterns without regular expressions, so that no pattern takes exponential time. */

import { ToolError } from '../../kernel/define-server.ts';

/** Says whether a path of `/`-separated segments fits. */
export type GlobMatcher = (path: string) => boolean;

const maxAlternatives = 64;

/**
 * Compiles a pattern: `*` and `?` within a segment, `**` across segments, `[a-z]` and `[!a-z]`, `{one,two}`.
 * A pattern without `/` fits the last segment at any depth. Both sides are compared in Unicode NFC.
 */
export function compileGlob(pattern: string, field = 'pattern'): GlobMatcher {
  if (pattern === '' || pattern.length > 500) throw new ToolError(`${field}: must have 1 to 500 characters`);
  const alternatives = expandBraces(pattern.normalize('NFC'), field).map((text) => {
    const plain = text.replace(/^\.?\/+/, '').replace(/\/+$/, '');
    const segments = plain
      .split('/')
      .map((segment) => (segment === '**' ? undefined : parseSegment(segment, field)));
    return text.includes('/') ? segments : [undefined, ...segments];
  });
  return (path) => {
    const names = path
      .normalize('NFC')
      .split('/')
      .map((name) => Array.from(name));
    return alternatives.some((segments) => matchSegments(segments, names));
  };
}

/** Any of the patterns; never fits when there are none. */
export function compileGlobs(patterns: readonly string[], field: string): GlobMatcher {
  const matchers = patterns.map((pattern, index) => compileGlob(pattern, `${field}[${index}]`));
  return (path) => matchers.some((matcher) => matcher(path));
}

function expandBraces(pattern: string, field: string): string[] {
  let expanded = [pattern];
  for (;;) {
    const next = expanded.flatMap(expandFirst);
    if (next.length > maxAlternatives)
      throw new ToolError(`${field}: more than ${maxAlternatives} alternatives in braces`);
    if (next.length === expanded.length && next.every((text, index) => text === expanded[index]))
      return expanded;
    expanded = next;
  }
}

/** Expands the first innermost `{a,b}` of a pattern. */
function expandFirst(text: string): string[] {
  const found = /\{([^{}]*,[^{}]*)\}/.exec(text);
  if (!found) return [text];
  const [before, after] = [text.slice(0, found.index), text.slice(found.index + found[0].length)];
  return found[1]!.split(',').map((choice) => before + choice + after);
}

/** One place of a segment: any run, any character, a literal, or a set. */
type Token =
  | '*'
  | '?'
  | { readonly literal: string }
  | {
      readonly set: ReadonlySet<string>;
      readonly ranges: readonly (readonly [string, string])[];
      readonly negated: boolean;
    };

function parseSegment(segment: string, field: string): Token[] {
  const characters = Array.from(segment);
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!;
    if (character === '*' || character === '?') {
      if (character !== '*' || tokens.at(-1) !== '*') tokens.push(character);
    } else if (character === '\\' && index + 1 < characters.length) {
      tokens.push({ literal: characters[++index]! });
    } else if (character === '[') {
      const end = characters.indexOf(']', index + 2);
      if (end === -1) throw new ToolError(`${field}: "[" has no "]"; write \\[ for the character itself`);
      tokens.push(parseSet(characters.slice(index + 1, end)));
      index = end;
    } else tokens.push({ literal: character });
  }
  return tokens;
}

function parseSet(given: readonly string[]): Token {
  const negated = given[0] === '!' || given[0] === '^';
  const inner = negated ? given.slice(1) : given;
  const set = new Set<string>();
  const ranges: [string, string][] = [];
  for (let index = 0; index < inner.length; index++) {
    if (inner[index + 1] === '-' && index + 2 < inner.length) {
      ranges.push([inner[index]!, inner[index + 2]!]);
      index += 2;
    } else set.add(inner[index]!);
  }
  return { set, ranges, negated };
}

function fits(token: Exclude<Token, '*'>, character: string): boolean {
  if (token === '?') return true;
  if ('literal' in token) return token.literal === character;
  const inside =
    token.set.has(character) || token.ranges.some(([from, to]) => from <= character && character <= to);
  return inside !== token.negated;
}

/** Greedy with one point of return, which suffices for `*`: time is the product of the lengths at most. */
function matchSegment(tokens: readonly Token[], characters: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let retry: readonly [token: number, at: number] | undefined;
  while (at < characters.length) {
    const current = tokens[token];
    if (current === '*') {
      retry = [token, at];
      token++;
    } else if (current !== undefined && fits(current, characters[at]!)) {
      token++;
      at++;
    } else if (retry) {
      retry = [retry[0], retry[1] + 1];
      [token, at] = [retry[0] + 1, retry[1]];
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

/** The same over segments, with `**` (undefined) as the run. */
function matchSegments(
  segments: readonly (readonly Token[] | undefined)[],
  names: readonly (readonly string[])[],
): boolean {
  let [segment, at] = [0, 0];
  let retry: readonly [segment: number, at: number] | undefined;
  while (at < names.length) {
    const isRun = segment < segments.length && segments[segment] === undefined;
    const current = segments[segment];
    if (isRun) {
      retry = [segment, at];
      segment++;
    } else if (current !== undefined && matchSegment(current, names[at]!)) {
      segment++;
      at++;
    } else if (retry) {
      retry = [retry[0], retry[1] + 1];
      [segment, at] = [retry[0] + 1, retry[1]];
    } else return false;
  }
  return segments.slice(segment).every((rest) => rest === undefined);
}
