/** JSON with one form per value: sorted fields, one a line, LF; so that equal values have equal blobs. */

import { AppError } from '../../kernel/errors.ts';

const maxDepth = 200;

/**
 * Turns any value into plain JSON data, as a trip through JSON text would; data that is plain already comes
 * back as it is. Throws INVALID_INPUT for what JSON cannot hold (a cycle, a BigInt, NaN) and for nesting over
 * 200 levels.
 */
export function toPlainJson(value: unknown): unknown {
  if (isPlain(value, maxDepth)) return value;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (_, part: unknown) => {
      if (typeof part === 'number' && !Number.isFinite(part)) throw new TypeError('contains NaN or Infinity');
      return part;
    });
  } catch (error) {
    const problem = error instanceof RangeError ? 'is nested too deeply' : 'cannot be written as JSON';
    throw new AppError('INVALID_INPUT', { field: 'value', problem }, { cause: error });
  }
  if (text === undefined) throw new AppError('INVALID_INPUT', { field: 'value', problem: 'is not JSON' });
  const plain: unknown = JSON.parse(text);
  if (!isPlain(plain, maxDepth)) {
    const problem = `is nested deeper than ${maxDepth} levels`;
    throw new AppError('INVALID_INPUT', { field: 'value', problem });
  }
  return plain;
}

/** True for what JSON.parse could have made, up to so many levels. */
function isPlain(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return isPlainLeaf(value);
  if (levels === 0) return false;
  const kind: unknown = Object.getPrototypeOf(value);
  const hasPlainKind = Array.isArray(value) ? kind === Array.prototype : kind === Object.prototype;
  if (!hasPlainKind || typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  const parts: unknown[] = Object.values(value);
  // A list with holes has fewer parts than items.
  if (Array.isArray(value) && parts.length !== value.length) return false;
  return parts.every((part) => isPlain(part, levels - 1));
}

function isPlainLeaf(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** Canonical text of plain JSON data, without a trailing newline. Fields sort by UTF-16 code unit. */
export function canonicalJson(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) text += `${lineStart(text, inner)}${canonicalJson(item, inner)}`;
    return text === '' ? '[]' : `[${text}\n${indent}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields).sort())
    text += `${lineStart(text, inner)}${JSON.stringify(name)}: ${canonicalJson(fields[name], inner)}`;
  return text === '' ? '{}' : `{${text}\n${indent}}`;
}

function lineStart(before: string, indent: string): string {
  return before === '' ? `\n${indent}` : `,\n${indent}`;
}
