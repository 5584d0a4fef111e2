/** The policy in force, and beside it the one that is tried: decisions, remembered where they may be. */

import type { Policy } from '../../contract/policy-shape.ts';
import type { Action } from '../../kernel/actions.ts';
import type { PolicyQuery, ServerName, ShownItem } from '../../kernel/authorizer.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { parseMemoryUri } from '../../kernel/memory/memory-uri.ts';
import { memoryOperations, type MemoryOperation } from '../../kernel/memory/operations.ts';
import { operationActions } from '../../kernel/memory/operation-actions.ts';
import { isFullOwner, type Principal } from '../../kernel/principal.ts';
import { type CompiledPolicy, compilePolicy } from './compile-policy.ts';
import { allowsAny, type Decision, decide } from './decide.ts';
import { createShadow, type ShadowReport } from './shadow.ts';

/** Where a memory server keeps what names no scope; undefined for all other servers. */
export type MemoryServerOf = (server: string) => { readonly defaultScope: string } | undefined;

export interface PolicyEngine {
  readonly current: CompiledPolicy;
  /** Throws INVALID_INPUT, and the former one stays. */
  use(policy: Policy, version: string): void;
  /** Nobody but the owner may do anything, as nobody knows what the others may. */
  useNothing(version: string): void;
  /** Starts to try a policy, or ends that. Throws INVALID_INPUT. */
  tryOut(policy: Policy | undefined, version: string): void;
  readonly tried: ShadowReport | undefined;
  decide(principal: Principal, query: PolicyQuery, mode?: 'possible'): Decision;
  /** As `decide` for the call of a tool; remembered by caller and tool. */
  decideTool(principal: Principal, query: PolicyQuery): Decision;
  mayAny(principal: Principal, actions: readonly Action[]): boolean;
  /** The same text for all callers of whom the same is decided. */
  audienceOf(principal: Principal): string;
  shows(principal: Principal, item: ShownItem): boolean;
  /** Called after each change. */
  onChange(listener: () => void): () => void;
}

/** Kinds of callers whose decisions are remembered, and decisions of each. */
const maxAudiences = 2000;
const maxDecisions = 20_000;

interface Remembered {
  readonly definition: unknown;
  readonly decision: Decision;
}

export function createPolicyEngine(parts: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memoryServerOf: MemoryServerOf;
}): PolicyEngine {
  const { clock, logger, memoryServerOf } = parts;
  let current = compilePolicy({ roles: {} }, 'built-in');
  const shadow = createShadow(logger);
  let audiences = new WeakMap<Principal, string>();
  let decisions = new Map<string, Map<string, Remembered>>();
  const listeners = new Set<() => void>();

  function replace(next: CompiledPolicy): void {
    current = next;
    audiences = new WeakMap();
    decisions = new Map();
    for (const listener of listeners) listener();
  }

  function audienceOf(principal: Principal): string {
    const known = audiences.get(principal);
    if (known !== undefined) return known;
    const { id, tenant, role, groups, narrowing, claims } = principal;
    const who = current.roles.get(role)?.asksWho === true ? [id, tenant, groups, claims] : [];
    const audience = JSON.stringify([current.version, role, narrowing, ...who]);
    audiences.set(principal, audience);
    return audience;
  }

  function rememberedOf(principal: Principal): Map<string, Remembered> {
    const audience = audienceOf(principal);
    let known = decisions.get(audience);
    if (known) return known;
    if (decisions.size >= maxAudiences) decisions.clear();
    decisions.set(audience, (known = new Map()));
    return known;
  }

  function decideNow(principal: Principal, query: PolicyQuery, mode?: 'possible'): Decision {
    const options = { nowMs: clock.now(), ...(mode && { mode }) };
    const decision = decide(current, principal, query, options);
    if (!mode) shadow.compare(principal, query, decision, options);
    return decision;
  }

  function isReadable(principal: Principal, server: ServerName, uri: string): boolean {
    const at = parseMemoryUri(uri);
    const place = at ? { scope: at.scope, prefix: at.key, isExact: true } : { prefix: '', isExact: false };
    return decideNow(principal, { action: 'memory:read', server, place }, 'possible').isAllowed;
  }

  /** A memory tool is also an operation of the memory. */
  function isUsableHere(principal: Principal, { kind, server, name, definition }: ShownItem): boolean {
    if (kind === 'prompts' || !memoryServerOf(server.id)) return true;
    if (kind === 'resources') return isReadable(principal, server, name);
    const operation = name.replace(/^memory_/, '');
    if (!Object.hasOwn(memoryOperations, operation)) return true;
    const action = operationActions[operation as MemoryOperation];
    // `list` and the like of those that else change something need leave to read.
    const either =
      operation === 'snapshot' || operation === 'workspace' ? [action, 'memory:read' as const] : [action];
    const place = { prefix: '', isExact: false };
    return either.some(
      (each) =>
        decideNow(principal, { action: each, server, tool: { name, definition }, place }, 'possible')
          .isAllowed,
    );
  }

  return {
    get current() {
      return current;
    },
    use: (policy, version) => replace(compilePolicy(policy, version)),
    useNothing: (version) => replace({ version, roles: new Map() }),
    tryOut: (policy, version) => shadow.use(policy && compilePolicy(policy, version)),
    get tried() {
      return shadow.report;
    },
    decide: decideNow,
    decideTool(principal, query) {
      const { server, tool } = query;
      if (shadow.report || isFullOwner(principal)) return decideNow(principal, query);
      const remembered = rememberedOf(principal);
      const key = `${server?.id} ${tool?.name}`;
      const known = remembered.get(key);
      if (known && known.definition === tool?.definition) return known.decision;
      const decision = decideNow(principal, query);
      if (decision.isDynamic) return decision;
      if (remembered.size >= maxDecisions) remembered.clear();
      remembered.set(key, { definition: tool?.definition, decision });
      return decision;
    },
    mayAny: (principal, actions) => isFullOwner(principal) || allowsAny(current, principal.role, actions),
    audienceOf,
    shows(principal, item) {
      const { kind, server, name, definition } = item;
      const action = showing[kind];
      const query = { action, server, ...(kind === 'tools' && { tool: { name, definition } }) };
      return decideNow(principal, query, 'possible').isAllowed && isUsableHere(principal, item);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const showing = { tools: 'tools:call', prompts: 'prompts:get', resources: 'resources:read' } as const;
