/**
 * What one mount shows, compiled once per change of the pool: merged lists and constant-time routes from an
 * exposed name or URI to the instances behind it.
 */

import { hash } from 'node:crypto';
import type { CacheHint, Listing, ListKind } from '../catalog/listing.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { Instance } from '../pool/instance.ts';
import { exposedName, splitUri, uriPrefix } from './names.ts';
import type { ParamHeader } from '../kernel/param-headers.ts';
import { type NamedItem, nameItem, partOf } from './view-part.ts';

/** Interchangeable instances behind one alias. */
export interface Group {
  readonly alias: string;
  readonly instances: readonly Instance[];
  /** Prefix of its URIs in this view; empty where URIs pass untouched. */
  readonly prefix: string;
}

export interface Target {
  readonly group: Group;
  /** The server's own name. */
  readonly name: string;
  readonly paramHeaders: readonly ParamHeader[];
  /** As the server lists it. */
  readonly definition?: JsonObject;
  /** Held back until someone approves its definition: known, not listed, not called. */
  readonly isHeld?: boolean;
  /** Arguments that a bundle has settled: the caller neither sees nor gives them. */
  readonly fixed?: JsonObject;
}

export interface View {
  readonly key: string;
  readonly isSingle: boolean;
  readonly groups: readonly Group[];
  readonly lists: Readonly<Record<ListKind, readonly JsonObject[]>>;
  readonly caching: Readonly<Record<ListKind, CacheHint>>;
  readonly tools: ReadonlyMap<string, Target>;
  readonly prompts: ReadonlyMap<string, Target>;
  /** The group a URI belongs to, with the server's own URI. */
  resolveUri(uri: string): { group: Group; uri: string } | undefined;
  /** True when both views show a client the same lists. */
  readonly fingerprint: Readonly<Record<ListKind, string>>;
  /** In search mode: the view that is searched. */
  readonly searched?: View;
  /** What clients are told about the mount, in place of the general text. */
  readonly instructions?: string;
  /** Name for people, in place of the general one. */
  readonly title?: string;
  /** The one kind of caller that it is for; everybody who sees everything when absent. */
  readonly audience?: string;
  /** It shows chosen tools and nothing else of their servers. */
  readonly isBundle?: boolean;
}

/** What the plain-named memory server answers for in shared mounts. */
const memoryUri = /^memory:\/\//i;

/** A server that says nothing about caching: a short life, since list_changed may be missed. */
const defaultHint: CacheHint = { ttlMs: 60_000, cacheScope: 'private' };
const kinds: readonly ListKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

export interface GroupSeed {
  readonly alias: string;
  readonly instances: readonly Instance[];
}

/** Compiles groups into a view. A single view passes names and URIs through untouched. */
export function compileView(key: string, seeds: readonly GroupSeed[], isSingle: boolean): View {
  const prefixes = new Set<string>();
  const groups = seeds.map(({ alias, instances }): Group => {
    if (isSingle) return { alias: '', instances, prefix: '' };
    // The one memory server whose names stay plain keeps its URIs plain too.
    if (alias === '') return { alias, instances, prefix: '' };
    const wanted = uriPrefix(alias);
    const prefix = prefixes.has(wanted) ? wanted.replace(/\+$/, `.${instances[0]?.spec.port ?? 0}+`) : wanted;
    prefixes.add(prefix);
    return { alias, instances, prefix };
  });
  const byPrefix = new Map(groups.map((group) => [group.prefix, group]));
  const lists: Record<ListKind, JsonObject[]> = {
    tools: [],
    prompts: [],
    resources: [],
    resourceTemplates: [],
  };
  const tools = new Map<string, Target>();
  const prompts = new Map<string, Target>();
  for (const group of groups) {
    const listing = listingOf(group);
    if (!listing) continue;
    const part = partOf(listing, group);
    addNamed(lists.tools, tools, group, part.tools);
    addHeld(tools, group, listing.held ?? []);
    addNamed(lists.prompts, prompts, group, part.prompts);
    for (const item of part.resources) lists.resources.push(item);
    for (const item of part.resourceTemplates) lists.resourceTemplates.push(item);
  }
  return {
    key,
    isSingle,
    groups,
    lists,
    caching: mergeHints(groups),
    tools,
    prompts,
    resolveUri(uri) {
      const [only] = groups;
      if (isSingle) return only && { group: only, uri };
      const parts = splitUri(uri);
      const group = parts ? byPrefix.get(parts.prefix) : byPrefix.get('');
      if (!group || (!parts && !memoryUri.test(uri))) return undefined;
      return { group, uri: parts?.uri ?? uri };
    },
    get fingerprint() {
      return fingerprintOf(groups);
    },
  };
}

/** What a group offers, from the first of its instances that has been listed. */
export function listingOf(group: GroupSeed): Listing | undefined {
  return group.instances.find((instance) => instance.listing)?.listing;
}

function addNamed(
  list: JsonObject[],
  targets: Map<string, Target>,
  group: Group,
  items: readonly NamedItem[],
): void {
  for (const item of items) {
    const { name, paramHeaders } = item;
    let { exposed, shown } = item;
    const taken = targets.get(exposed);
    // `a` with `b__c` and `a__b` with `c`, or two servers of one alias: the port, which is its own, tells them apart.
    if (taken && taken.group !== group) {
      exposed = exposedName(`${group.alias}-${group.instances[0]?.spec.port ?? 0}`, name);
      shown = nameItem(item.own, exposed, group.prefix);
    }
    // A server that lists a name twice keeps its first.
    if (targets.has(exposed)) continue;
    targets.set(exposed, { group, name, paramHeaders, definition: item.own });
    list.push(shown);
  }
}

/** A name that another server's tool has is that tool's. */
function addHeld(targets: Map<string, Target>, group: Group, names: readonly string[]): void {
  for (const name of names) {
    const exposed = group.prefix === '' ? name : exposedName(group.alias, name);
    if (!targets.has(exposed)) targets.set(exposed, { group, name, paramHeaders: [], isHeld: true });
  }
}

function mergeHints(groups: readonly Group[]): Record<ListKind, CacheHint> {
  return byKind((kind) => {
    const hints = groups.map((group) => listingOf(group)?.caching[kind] ?? defaultHint);
    const isPrivate = hints.length === 0 || hints.some(({ cacheScope }) => cacheScope === 'private');
    const ttlMs = hints.reduce((least, hint) => Math.min(least, hint.ttlMs), Infinity);
    return {
      ttlMs: Number.isFinite(ttlMs) ? ttlMs : defaultHint.ttlMs,
      cacheScope: isPrivate ? 'private' : 'public',
    };
  });
}

/** Many instances share one listing, so each is hashed once however many views show it. */
const listingPrints = new WeakMap<Listing, Record<ListKind, string>>();

function printOf(listing: Listing): Record<ListKind, string> {
  const known = listingPrints.get(listing);
  if (known) return known;
  const print = byKind((kind) => hash('sha1', JSON.stringify(listing[kind]), 'hex'));
  listingPrints.set(listing, print);
  return print;
}

function fingerprintOf(groups: readonly Group[]): Record<ListKind, string> {
  return byKind((kind) => {
    const shown: string[] = [];
    for (const group of groups) {
      const listing = listingOf(group);
      // A server that offers none of a kind changes nothing for those who list it.
      if (listing && listing[kind].length > 0) shown.push(group.alias, group.prefix, printOf(listing)[kind]);
    }
    return hash('sha1', JSON.stringify(shown), 'hex');
  });
}

function byKind<T>(valueOf: (kind: ListKind) => T): Record<ListKind, T> {
  return Object.fromEntries(kinds.map((kind) => [kind, valueOf(kind)])) as Record<ListKind, T>;
}

/** Capabilities of a view: the server's own in a single mount, the union of all in a shared one. */
export function capabilitiesOf(view: View): JsonObject {
  const listings = view.groups.map(listingOf).filter((listing) => listing !== undefined);
  if (view.isBundle) return { tools: { listChanged: true }, logging: {} };
  if (view.isSingle && !view.searched) return listings[0]?.server.capabilities ?? {};
  const has = (name: string) => listings.some(({ server }) => isJsonObject(server.capabilities[name]));
  return {
    tools: { listChanged: true },
    ...(has('prompts') && { prompts: { listChanged: true } }),
    ...(has('resources') && { resources: { subscribe: true, listChanged: true } }),
    ...(has('completions') && { completions: {} }),
    ...(has('logging') && { logging: {} }),
  };
}
