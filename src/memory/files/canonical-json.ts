/** JSON with one form per value: sorted fields, one a line, LF; so that equal values have equal blobs. */

import { AppError } from '../../kernel/errors.ts';

const maxDepth = 200;

/**
 * Turns any value into plain JSON data, as a trip through JSON text would. Throws INVALID_INPUT for what
 * JSON cannot hold (a cycle, a BigInt, NaN) and for nesting over 200 levels.
 */
export function toPlainJson(value: unknown): unknown {
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
  if (isDeeper(plain, maxDepth)) {
    const problem = `is nested deeper than ${maxDepth} levels`;
    throw new AppError('INVALID_INPUT', { field: 'value', problem });
  }
  return plain;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((part) => isDeeper(part, levels - 1));
}

/** Canonical text of plain JSON data, without a trailing newline. Fields sort by UTF-16 code unit. */
export function canonicalJson(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const items = value.map((item: unknown) => inner + canonicalJson(item, inner));
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (fields.length === 0) return '{}';
  const lines = fields.map(
    ([name, field]) => `${inner}${JSON.stringify(name)}: ${canonicalJson(field, inner)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
