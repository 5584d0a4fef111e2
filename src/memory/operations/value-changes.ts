/** Changes that come from the value itself: adding to its end, adding to a number in it. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput } from '../../kernel/memory/operations.ts';
import { toPlainJson } from '../files/canonical-json.ts';
import type { SealableFile } from '../encryption/file-codec.ts';

/** The file with text or items added; tags and expiry stay. Throws INVALID_INPUT when the types do not fit. */
export function appendTo(file: SealableFile | undefined, input: MemoryInput<'append'>): SealableFile {
  const { text, items, paragraph } = input;
  const value = file?.value;
  if (text !== undefined) {
    if (file && typeof value !== 'string') throw invalid('text', 'the memory holds no text');
    if (!text.isWellFormed()) throw invalid('text', 'contains half of a surrogate pair');
    const before = typeof value === 'string' ? value : '';
    return { tags: [], ...file, value: before + gapAfter(before, paragraph === true) + text };
  }
  if (file && !Array.isArray(value)) throw invalid('items', 'the memory holds no list');
  const before: unknown[] = Array.isArray(value) ? value : [];
  return { tags: [], ...file, value: toPlainJson([...before, ...(items ?? [])]) };
}

/** The line ends that are missing between a text and what is added. */
function gapAfter(text: string, isParagraph: boolean): string {
  if (text === '') return '';
  const ends = /\n*$/.exec(text.slice(-2))?.[0].length ?? 0;
  return '\n'.repeat(Math.max(0, (isParagraph ? 2 : 1) - ends));
}

/**
 * The file with a number made greater, and the number; tags and expiry stay. Throws INVALID_INPUT when there
 * is something else, or when the sum is no exact number.
 */
export function incrementIn(
  file: SealableFile | undefined,
  input: MemoryInput<'increment'>,
): { readonly file: SealableFile; readonly value: number } {
  const { by = 1, pointer = '' } = input;
  const tokens = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  let sum = 0;
  const value = replaceAt(file?.value, tokens, (before = 0) => {
    if (typeof before !== 'number') throw invalid('pointer', 'there is no number');
    sum = before + by;
    if (!Number.isFinite(sum)) throw invalid('by', 'makes the number too large');
    const isWhole = Number.isInteger(before) && Number.isInteger(by);
    if (isWhole && !Number.isSafeInteger(sum)) throw invalid('by', 'makes the number too large to be exact');
    return sum;
  });
  return { file: { tags: [], ...file, value }, value: sum };
}

/** A copy with the part at `tokens` replaced; objects on the way that are missing are made. */
function replaceAt(node: unknown, tokens: readonly string[], replace: (part: unknown) => unknown): unknown {
  const [token, ...rest] = tokens;
  if (token === undefined) return replace(node);
  if (Array.isArray(node)) {
    const at = /^(?:0|[1-9]\d{0,8})$/.test(token) ? Number(token) : -1;
    if (at < 0 || at >= node.length) throw invalid('pointer', `the list has no item ${token}`);
    return node.with(at, replaceAt(node[at], rest, replace));
  }
  if (node !== undefined && (typeof node !== 'object' || node === null)) {
    throw invalid('pointer', `there is nothing that could have a field ${token}`);
  }
  const fields = (node ?? {}) as Record<string, unknown>;
  const before = Object.hasOwn(fields, token) ? fields[token] : undefined;
  return { ...fields, [token]: replaceAt(before, rest, replace) };
}

function invalid(field: string, problem: string): AppError {
  return new AppError('INVALID_INPUT', { field, problem });
}
