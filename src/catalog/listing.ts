/** What one server offers, as it said itself: the raw objects of its list answers. */

import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Era } from '../kernel/protocol.ts';

export interface Listing {
  readonly era: Era;
  readonly server: {
    readonly info: JsonObject;
    readonly capabilities: JsonObject;
    readonly instructions?: string;
  };
  readonly tools: readonly JsonObject[];
  /** Names of tools that are held back until someone approves them. */
  readonly held?: readonly string[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  /** How long each list may be cached and by whom, as the server said (2026-07-28); absent where it said nothing. */
  readonly caching: Readonly<Partial<Record<ListKind, CacheHint>>>;
}

export interface CacheHint {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** Where listings outlive a process, so that a sleeping server is listed without being started. */
export interface ListingStore {
  get(listingKey: string): Promise<Listing | undefined>;
  put(listingKey: string, listing: Listing): Promise<void>;
}
