/** JSON Pointer, RFC 6901. */

import { ToolError } from '../../kernel/define-server.ts';

/** The value at a pointer; throws a ToolError that says how far the pointer led. */
export function atPointer(document: unknown, pointer: string): unknown {
  if (pointer === '') return document;
  if (!pointer.startsWith('/')) {
    throw new ToolError(
      `pointer: ${JSON.stringify(pointer)} must be empty or start with /, e.g. /items/0/name`,
    );
  }
  let value = document;
  let walked = '';
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!hasOwn(value, name))
      throw new ToolError(`pointer: nothing at ${walked}/${token}; ${describe(value)}`);
    value = value[name];
    walked += `/${token}`;
  }
  return value;
}

function hasOwn(value: unknown, name: string): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(name)) return false;
  return Object.hasOwn(value, name);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `there is an array of ${value.length} items`;
  if (typeof value !== 'object' || value === null) return `there is ${JSON.stringify(value)?.slice(0, 100)}`;
  const names = Object.keys(value);
  const more = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return `there are the fields ${names.slice(0, 20).join(', ')}${more}`;
}
