/** Answers to the list methods, each built and written once for as long as its view is the current one. */

import type { ListKind } from '../catalog/listing.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Era } from '../kernel/protocol.ts';
import { pageOf } from './pages.ts';
import type { View } from './view.ts';

export interface ListPage {
  readonly result: JsonObject;
  /** The JSON text of `result`. */
  readonly text: string;
}

const identities: Readonly<Record<ListKind, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

/** First pages are what nearly all clients ask for; a view keeps so few others that cursors cannot fill the memory. */
const maxKeptPages = 32;

/** A view is compiled anew when the pool has changed, and its pages go with it. */
const pagesOf = new WeakMap<View, Map<string, ListPage>>();

/** The page of a list after `cursor`, as a client of `era` reads it; throws INVALID_INPUT for a foreign cursor. */
export function listPage(view: View, kind: ListKind, cursor: unknown, era: Era): ListPage {
  const pages = pagesOf.get(view) ?? new Map<string, ListPage>();
  pagesOf.set(view, pages);
  const key = cursor === undefined ? `${era} ${kind}` : `${era} ${kind} ${JSON.stringify(cursor)}`;
  const known = pages.get(key);
  if (known) return known;
  const { items, nextCursor } = pageOf(view.lists[kind], identities[kind], cursor);
  const page = { [kind]: items, ...(nextCursor !== undefined && { nextCursor }) };
  const result = era === 'modern' ? { resultType: 'complete', ...page, ...view.caching[kind] } : page;
  const listed = { result, text: JSON.stringify(result) };
  if (pages.size >= maxKeptPages) pages.clear();
  pages.set(key, listed);
  return listed;
}
