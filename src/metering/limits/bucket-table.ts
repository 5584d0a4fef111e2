/** The buckets of everybody, found again by who calls what: by object or name on the way of a call, by key otherwise. */

import type { Priority } from '../../kernel/pool-options.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { LimitSettings } from '../../kernel/rate-limits.ts';
import type { Bucket, Moment, Owner, Policy } from './buckets.ts';
import { createRules, type NamedPolicy } from './rules.ts';

/** Buckets that a call counts in. */
export interface BucketList {
  readonly all: readonly Bucket[];
  /** Those of them that count what is under way. */
  readonly places: readonly Bucket[];
}

export interface OwnBuckets extends BucketList {
  readonly plan: string | undefined;
  readonly priority: Priority | undefined;
}

export interface BucketTable {
  /** Nothing is limited. */
  readonly isEmpty: boolean;
  readonly size: number;
  ofPrincipal(principal: Principal): OwnBuckets;
  ofServer(server: string): BucketList;
  ofTool(server: string, tool: string): BucketList;
  /** Takes other rules; what was counted stays where a rule kept its name. */
  apply(settings: LimitSettings): void;
  /** Forgets whoever has all that they may have. */
  sweep(at: Moment): void;
}

const none: BucketList = { all: [], places: [] };

export function createBucketTable(
  first: LimitSettings,
  make: (key: string, owner: Owner, policy: Policy) => Bucket,
): BucketTable {
  let rules = createRules(first);
  const buckets = new Map<string, Bucket>();
  let byPrincipal = new WeakMap<Principal, OwnBuckets>();
  let byServer = new Map<string, BucketList>();
  let byTool = new Map<string, Map<string, BucketList>>();

  function forgetPaths(): void {
    byPrincipal = new WeakMap();
    byServer = new Map();
    byTool = new Map();
  }

  function bucketOf({ source, policy }: NamedPolicy, owner: Owner): Bucket {
    const key = JSON.stringify([source, policy.per, policy.window, owner.tenant, owner.of]);
    let bucket = buckets.get(key);
    if (!bucket) buckets.set(key, (bucket = make(key, owner, policy)));
    bucket.policy = policy;
    return bucket;
  }

  function listOf(policies: readonly NamedPolicy[], ownerOf: (policy: Policy) => Owner): BucketList {
    if (policies.length === 0) return none;
    const all = policies.map((named) => bucketOf(named, ownerOf(named.policy)));
    return { all, places: all.filter(({ policy }) => policy.window === 'concurrency') };
  }

  function ownersOf({ id, tenant }: Principal): (policy: Policy) => Owner {
    return ({ per }) => {
      if (per === 'principal') return { tenant, of: id };
      return per === 'tenant' ? { tenant, of: tenant } : { tenant: '', of: '*' };
    };
  }

  function ofName(per: 'server' | 'tool', name: string): BucketList {
    return listOf(rules.ofName(per, name), () => ({ tenant: '', of: name }));
  }

  return {
    get isEmpty() {
      return rules.isEmpty;
    },
    get size() {
      return buckets.size;
    },
    ofPrincipal(principal) {
      let own = byPrincipal.get(principal);
      if (!own) {
        const { policies, plan, priority } = rules.ofPrincipal(principal.id, principal.tenant);
        own = { ...listOf(policies, ownersOf(principal)), plan, priority };
        byPrincipal.set(principal, own);
      }
      return own;
    },
    ofServer(server) {
      let list = byServer.get(server);
      if (!list) byServer.set(server, (list = ofName('server', server)));
      return list;
    },
    ofTool(server, tool) {
      let tools = byTool.get(server);
      if (!tools) byTool.set(server, (tools = new Map()));
      let list = tools.get(tool);
      if (!list) tools.set(tool, (list = ofName('tool', `${server}/${tool}`)));
      return list;
    },
    apply(settings) {
      rules = createRules(settings);
      forgetPaths();
    },
    sweep(at) {
      for (const [key, bucket] of buckets) if (bucket.isIdle(at)) buckets.delete(key);
      forgetPaths();
    },
  };
}
