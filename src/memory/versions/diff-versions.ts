/** What changed between two values of a memory: by field for JSON, by line for text. */

import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import type { MemoryFile } from '../files/memory-file.ts';
import { diffJson } from './json-diff.ts';
import { diffText } from './text-diff.ts';

interface Side {
  readonly etag: string;
  readonly file: MemoryFile;
}

/** Compares values, not tags; a missing side is an empty one. */
export function diffVersions(
  from: Side | undefined,
  to: Side | undefined,
  key: string,
): Omit<MemoryOutput<'diff'>, 'key' | 'scope'> {
  const ends = { from: from?.etag ?? null, to: to?.etag ?? null };
  const before = from?.file.value;
  const after = to?.file.value;
  const isText = [before, after].every((value) => value === undefined || typeof value === 'string');
  if (!from && !to) return { ...ends, kind: 'same', changes: [], patch: '' };
  if (isText) {
    const patch = diffText(asText(before), asText(after), key);
    const isSame = patch === '' && from !== undefined && to !== undefined;
    return { ...ends, kind: isSame ? 'same' : 'text', changes: [], patch };
  }
  if (!from) return { ...ends, kind: 'json', changes: [{ op: 'add', path: '', after }], patch: '' };
  if (!to) return { ...ends, kind: 'json', changes: [{ op: 'remove', path: '', before }], patch: '' };
  if (typeof before === 'string' || typeof after === 'string') {
    return {
      ...ends,
      kind: 'type-changed',
      changes: [{ op: 'replace', path: '', before, after }],
      patch: '',
    };
  }
  const changes = diffJson(before, after);
  return { ...ends, kind: changes.length === 0 ? 'same' : 'json', changes, patch: '' };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
