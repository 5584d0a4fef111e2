/**
 * What one listing shows under an alias. Views are compiled again whenever one of their servers changes, so the parts
 * of all the others are kept.
 */

import type { Listing } from '../catalog/listing.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import { type ParamHeader, paramHeadersOf } from '../kernel/param-headers.ts';
import { exposedName } from './names.ts';
import { rewriteMeta } from './rewrite.ts';

/** A tool or prompt. */
export interface NamedItem {
  /** The server's own name. */
  readonly name: string;
  /** The name that clients see. */
  readonly exposed: string;
  /** As the server lists it. */
  readonly own: JsonObject;
  /** As clients see it. */
  readonly shown: JsonObject;
  readonly paramHeaders: readonly ParamHeader[];
}

export interface ViewPart {
  readonly tools: readonly NamedItem[];
  readonly prompts: readonly NamedItem[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
}

/** Where a part is shown; with an empty prefix names and URIs pass untouched. */
interface Place {
  readonly alias: string;
  readonly prefix: string;
}

/** Parts by alias and prefix. Instances of one definition share a listing. */
const parts = new WeakMap<Listing, Map<string, ViewPart>>();
/** Aliases come and go with replicas; over this number those of a listing are made again. */
const maxParts = 20_000;

/** The part of a listing, made at its first use. */
export function partOf(listing: Listing, place: Place): ViewPart {
  let known = parts.get(listing);
  if (!known) parts.set(listing, (known = new Map()));
  const id = `${place.prefix}\n${place.alias}`;
  let part = known.get(id);
  if (!part) {
    if (known.size >= maxParts) known.clear();
    known.set(id, (part = makePart(listing, place)));
  }
  return part;
}

/** A definition under another name, its URIs with the prefix. */
export function nameItem(item: JsonObject, exposed: string, prefix: string): JsonObject {
  return prefix === '' ? item : rewriteMeta({ ...item, name: exposed }, (uri) => prefix + uri);
}

function makePart(listing: Listing, { alias, prefix }: Place): ViewPart {
  const named = (items: readonly JsonObject[]): NamedItem[] =>
    items.flatMap((own) => {
      const { name } = own;
      if (typeof name !== 'string') return [];
      const exposed = prefix === '' ? name : exposedName(alias, name);
      const paramHeaders = paramHeadersOf(own['inputSchema']);
      return [{ name, exposed, own, shown: nameItem(own, exposed, prefix), paramHeaders }];
    });
  const placed = (items: readonly JsonObject[], field: 'uri' | 'uriTemplate'): JsonObject[] =>
    items.flatMap((item) => {
      const uri = item[field];
      if (typeof uri !== 'string') return [];
      return [prefix === '' ? item : rewriteMeta({ ...item, [field]: prefix + uri }, (own) => prefix + own)];
    });
  return {
    tools: named(listing.tools),
    prompts: named(listing.prompts),
    resources: placed(listing.resources, 'uri'),
    resourceTemplates: placed(listing.resourceTemplates, 'uriTemplate'),
  };
}
