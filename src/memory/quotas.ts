/**
 * Limits on keys and bytes of scopes. What counts is the accepted state, writes in flight included, so that
 * writers at the same time cannot overshoot; expired values count until they are swept.
 */

import { AppError } from '../kernel/errors.ts';
import { settingsOf } from '../kernel/memory/scope-settings.ts';
import type { WriteRecord } from './write-record.ts';

/** Limits of one scope; what is absent is not limited. */
export interface ScopeLimits {
  readonly maxKeys?: number | undefined;
  readonly maxBytes?: number | undefined;
}

interface Use {
  keys: number;
  bytes: number;
}

/** A wished write, with the bytes that the memory holds before it; null when there is none. */
export interface QuotaWrite {
  readonly record: WriteRecord;
  readonly heldBytes: number | null;
}

export interface Quotas {
  /** False when no scope has a limit: then nothing has to be checked or counted. */
  readonly isLimited: boolean;
  limitsOf(scope: string): ScopeLimits | undefined;
  /** Throws QUOTA_EXCEEDED when a scope would grow over its limit; what shrinks it always passes. */
  check(writes: readonly QuotaWrite[]): void;
  /** Counts accepted writes as in flight. */
  accept(writes: readonly QuotaWrite[]): void;
  /** A write is durable and in the index, or has failed. */
  settle(record: WriteRecord, isApplied: boolean): void;
  /** Others changed the index: it is counted anew as soon as no write is under way. */
  recount(): void;
}

/**
 * Quotas by pattern of scopes; `sizes` tells what the index holds, expired values included, and `isQuiet` whether
 * that is all that is durable.
 */
export function createQuotas(
  limits: Readonly<Record<string, ScopeLimits>>,
  sizes: () => readonly { readonly scope: string; readonly keys: number; readonly bytes: number }[],
  isQuiet: () => boolean = () => true,
): Quotas {
  const isLimited = Object.values(limits).some(
    ({ maxKeys, maxBytes }) => maxKeys !== undefined || maxBytes !== undefined,
  );
  let applied = new Map<string, Use>();
  const flying = new Map<string, Use>();
  const growths = new Map<number, { readonly scope: string; readonly growth: Use }>();

  function limitsOf(scope: string): ScopeLimits | undefined {
    const found = settingsOf(limits, scope);
    return found && { maxKeys: found.maxKeys, maxBytes: found.maxBytes };
  }

  let isStale = isLimited;

  function countAnew(): void {
    if (!isStale || growths.size > 0 || !isQuiet()) return;
    applied = new Map(sizes().map(({ scope, keys, bytes }) => [scope, { keys, bytes }]));
    isStale = false;
  }

  countAnew();

  return {
    isLimited,
    limitsOf,
    recount() {
      isStale = isLimited;
      countAnew();
    },
    check(writes) {
      countAnew();
      const growing = new Map<string, Use>();
      for (const write of writes) add(growing, write.record.scope, growthOf(write));
      for (const [scope, growth] of growing) {
        const limits = limitsOf(scope);
        if (!limits) continue;
        const keys = useOf(applied, scope).keys + useOf(flying, scope).keys;
        const bytes = useOf(applied, scope).bytes + useOf(flying, scope).bytes;
        requireRoom(scope, 'keys', 'maxKeys', { use: keys, growth: growth.keys, limit: limits.maxKeys });
        requireRoom(scope, 'bytes', 'maxBytes', { use: bytes, growth: growth.bytes, limit: limits.maxBytes });
      }
    },
    accept(writes) {
      for (const write of writes) {
        const { scope, seq } = write.record;
        const growth = growthOf(write);
        growths.set(seq, { scope, growth });
        add(flying, scope, growth);
      }
    },
    settle({ seq }, isApplied) {
      const one = growths.get(seq);
      if (!one) return;
      growths.delete(seq);
      add(flying, one.scope, { keys: -one.growth.keys, bytes: -one.growth.bytes });
      if (isApplied) add(applied, one.scope, one.growth);
    },
  };
}

/** Records with what their memories held before; an unchanged one has no record. */
export function toQuotaWrites(
  records: readonly (WriteRecord | undefined)[],
  states: readonly { readonly heldBytes: number | null }[],
): QuotaWrite[] {
  return records.flatMap((record, i) =>
    record ? [{ record, heldBytes: states[i]?.heldBytes ?? null }] : [],
  );
}

function growthOf({ record, heldBytes }: QuotaWrite): Use {
  const bytes = record.content?.length ?? 0;
  return {
    keys: Number(record.content !== null) - Number(heldBytes !== null),
    bytes: bytes - (heldBytes ?? 0),
  };
}

function useOf(uses: ReadonlyMap<string, Use>, scope: string): Use {
  return uses.get(scope) ?? { keys: 0, bytes: 0 };
}

function add(uses: Map<string, Use>, scope: string, growth: Use): void {
  const use = useOf(uses, scope);
  uses.set(scope, { keys: use.keys + growth.keys, bytes: use.bytes + growth.bytes });
}

function requireRoom(
  scope: string,
  what: string,
  option: keyof ScopeLimits,
  { use, growth, limit }: { use: number; growth: number; limit: number | undefined },
): void {
  const wanted = use + growth;
  if (limit === undefined || growth <= 0 || wanted <= limit) return;
  throw new AppError('QUOTA_EXCEEDED', { scope, what, option, use, wanted, limit });
}
