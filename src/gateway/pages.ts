/** Pages of merged lists under our own opaque cursors. */

import { AppError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';

/** Items a page; large, because some clients read the first page only. */
export const pageSize = 1000;

interface Page {
  readonly items: readonly JsonObject[];
  readonly nextCursor?: string;
}

/**
 * The page after `cursor`. A cursor remembers the last item's identity beside its place, so that a list
 * that grew or shrank in between neither repeats nor skips what stayed.
 */
export function pageOf(
  items: readonly JsonObject[],
  identity: string,
  cursor: unknown,
  size = pageSize,
): Page {
  const start = cursor === undefined ? 0 : placeAfter(items, identity, cursor);
  const page = start === 0 && items.length <= size ? items : items.slice(start, start + size);
  const end = start + page.length;
  if (end >= items.length) return { items: page };
  const last = page.at(-1)?.[identity];
  return { items: page, nextCursor: Buffer.from(JSON.stringify([end, last])).toString('base64url') };
}

function placeAfter(items: readonly JsonObject[], identity: string, cursor: unknown): number {
  const parsed = typeof cursor === 'string' ? parse(cursor) : undefined;
  if (!parsed)
    throw new AppError('INVALID_INPUT', {
      field: 'cursor',
      problem: 'is not a cursor of this list; start again without one',
    });
  const [place, last] = parsed;
  if (items[place - 1]?.[identity] === last) return place;
  const found = items.findIndex((item) => item[identity] === last);
  return found < 0 ? Math.min(place, items.length) : found + 1;
}

function parse(cursor: string): [number, unknown] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(value) || !Number.isSafeInteger(value[0]) || value[0] < 1) return undefined;
    return [value[0] as number, value[1]];
  } catch {
    return undefined;
  }
}
