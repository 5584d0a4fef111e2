/** Differences of two JSON values, a row a field, paths as RFC 6901 pointers. */

export interface JsonChange {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Fields by name, array items by position; a value that changed its type is replaced as a whole. */
export function diffJson(before: unknown, after: unknown, path = ''): JsonChange[] {
  const left = fieldsOf(before);
  const right = fieldsOf(after);
  if (!left || !right || Array.isArray(before) !== Array.isArray(after)) {
    return isSame(before, after) ? [] : [{ op: 'replace', path, before, after }];
  }
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((name): JsonChange[] => {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!right.has(name)) return [{ op: 'remove', path: at, before: left.get(name) }];
    if (!left.has(name)) return [{ op: 'add', path: at, after: right.get(name) }];
    return diffJson(left.get(name), right.get(name), at);
  });
}

function fieldsOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

/** For values of which at most one is an object or array. */
function isSame(before: unknown, after: unknown): boolean {
  return before === after;
}
