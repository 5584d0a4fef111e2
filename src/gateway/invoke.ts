/** The requests that reach an upstream: find the target, name things its way, forward, name them back. */

import type { CallGuard, GuardedCall } from '../kernel/call-guard.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import { localOwner } from '../kernel/principal.ts';
import { codeOf, type FinishedCall, type OnCall, type OnIncident } from '../kernel/observations.ts';
import type { Priority } from '../kernel/pool-options.ts';
import { metaKeys } from '../kernel/protocol.ts';
import { createAffinity } from './affinity.ts';
import type { Exchange } from './exchange.ts';
import { withFixed } from './bundles/fixed-arguments.ts';
import { forward, supports, translateError } from './forward.ts';
import { type Attempt, type FailoverCall, withFailover } from './failover.ts';
import { headerValueOf } from '../kernel/param-headers.ts';
import type { ParkedCalls } from './parked-calls.ts';
import { rewriteResult } from './rewrite.ts';
import { type Group, listingOf, type Target, type View } from './view.ts';

export interface Invoker {
  callTool(view: View, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
  getPrompt(view: View, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
  readResource(view: View, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
  complete(view: View, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
  /** A method the gateway has no word in; single mounts only. */
  pass(view: View, method: string, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
}

/** Keys of `_meta` that speak of the client's own link; the connection writes its own. */
const linkKeys: ReadonlySet<string> = new Set([
  metaKeys.protocolVersion,
  metaKeys.clientInfo,
  metaKeys.clientCapabilities,
  metaKeys.logLevel,
]);

function upstreamParams(params: JsonObject, changes: JsonObject): JsonObject {
  const meta = params['_meta'];
  if (!isJsonObject(meta)) return { ...params, ...changes };
  const kept: [string, unknown][] = [];
  let isChanged = false;
  for (const entry of Object.entries(meta)) {
    if (linkKeys.has(entry[0])) isChanged = true;
    else kept.push(entry);
  }
  if (!isChanged) return { ...params, ...changes };
  return { ...params, ...changes, _meta: kept.length === 0 ? {} : Object.fromEntries(kept) };
}

/** A member that has to be a string. Throws INVALID_INPUT. */
export function textIn(params: JsonObject, field: string): string {
  const value = params[field];
  if (typeof value !== 'string') throw new AppError('INVALID_INPUT', { field, problem: 'must be a string' });
  return value;
}

export interface InvokerDependencies {
  readonly parked: ParkedCalls;
  readonly clock: Clock;
  /** Hears of each call when it is over. */
  readonly onCall?: OnCall | undefined;
  readonly onIncident?: OnIncident | undefined;
  /** Stands before each call. */
  readonly guard?: CallGuard['run'] | undefined;
}

export function createInvoker(deps: InvokerDependencies): Invoker {
  const { parked, clock, onCall, onIncident, guard } = deps;
  const affinity = createAffinity();

  async function invoke(
    view: View,
    group: Group,
    method: string,
    name: string,
    params: JsonObject,
    exchange: Exchange,
    tool?: Pick<Target, 'definition'> & { readonly headers?: Readonly<Record<string, string>> | undefined },
  ): Promise<JsonObject> {
    const binding = { principal: principalOf(exchange), mount: view.key, method, name };
    // Back to where the conversation began, if that is one of this group's: a state opens no other door.
    const origin = affinity.find(params['requestState']);
    const isHere = origin !== undefined && group.instances.includes(origin.instance);

    const startedAtMs = performance.now();
    let server = group.instances[0]?.id ?? group.alias;
    let tries = 0;

    async function send(
      sent: JsonObject,
      { instance, connection, place, timeoutMs }: Attempt,
    ): Promise<JsonObject> {
      server = instance.id;
      tries += 1;
      const result = await forward(
        {
          instance,
          connection,
          place,
          method,
          params: sent,
          exchange,
          binding,
          paramHeaders: tool?.headers,
          timeoutMs,
        },
        parked,
      );
      if (result['resultType'] === 'input_required' && connection.era === 'modern') {
        affinity.remember(result['requestState'], { instance, connection });
      }
      return group.prefix === '' ? result : rewriteResult(result, (uri) => group.prefix + uri);
    }

    function tell(outcome: FinishedCall['outcome'], code?: string): void {
      if (!onCall) return;
      const durationMs = performance.now() - startedAtMs;
      const { era, requestId } = exchange;
      const atMs = Date.now() - durationMs;
      onCall({ atMs, durationMs, server, method, name, era, requestId, outcome, code, tries });
    }

    function run(sent: JsonObject, maxPriority?: Priority): Promise<JsonObject> {
      const { instances } = group;
      const isRepeatable = () => mayRunTwice(group, method, name, sent);
      const call: FailoverCall = {
        instances,
        exchange,
        params: sent,
        maxPriority,
        origin: isHere ? origin : undefined,
        isRepeatable,
      };
      return withFailover(call, clock, (attempt) => send(sent, attempt), onIncident);
    }

    try {
      const result = guard
        ? await guard(
            guardedCall({ view, group, method, name, params, exchange, definition: tool?.definition }),
            (call) => run(call.params, call.maxPriority),
          )
        : await run(params);
      tell(result['isError'] === true ? 'tool-error' : 'ok');
      return result;
    } catch (error) {
      tell('error', codeOf(error));
      throw translateError(error, exchange.era);
    }
  }

  function named(targets: ReadonlyMap<string, Target>, view: View, name: string): Target | undefined {
    const [only] = view.groups;
    return targets.get(name) ?? (view.isSingle && only ? { group: only, name, paramHeaders: [] } : undefined);
  }

  return {
    async callTool(view, params, exchange) {
      const name = textIn(params, 'name');
      const target = named(view.tools, view, name);
      if (!target) throw new AppError('TOOL_NOT_FOUND', { name });
      if (target.isHeld) {
        const server = target.group.instances[0]?.spec.id ?? target.group.alias;
        throw new AppError('TOOL_QUARANTINED', { name, server });
      }
      const args = target.fixed ? withFixed(params['arguments'], target.fixed) : params['arguments'];
      const sent = upstreamParams(params, { name: target.name, ...(target.fixed && { arguments: args }) });
      return await invoke(view, target.group, 'tools/call', target.name, sent, exchange, {
        definition: target.definition,
        headers: headersOf(target, args),
      });
    },
    async getPrompt(view, params, exchange) {
      const name = textIn(params, 'name');
      const target = named(view.prompts, view, name);
      if (!target) throw new AppError('PROMPT_NOT_FOUND', { name });
      return await invoke(
        view,
        target.group,
        'prompts/get',
        target.name,
        upstreamParams(params, { name: target.name }),
        exchange,
      );
    },
    async readResource(view, params, exchange) {
      const uri = textIn(params, 'uri');
      const resolved = view.resolveUri(uri);
      if (!resolved) throw new AppError('RESOURCE_NOT_FOUND', { uri });
      const result = await invoke(
        view,
        resolved.group,
        'resources/read',
        resolved.uri,
        upstreamParams(params, { uri: resolved.uri }),
        exchange,
      );
      const needsHint =
        exchange.era === 'modern' && result['resultType'] === 'complete' && result['ttlMs'] === undefined;
      return needsHint ? { ...result, ttlMs: 0, cacheScope: 'private' } : result;
    },
    async complete(view, params, exchange) {
      const { ref } = params;
      if (!isJsonObject(ref))
        throw new AppError('INVALID_INPUT', {
          field: 'ref',
          problem: 'must name a prompt or a resource template',
        });
      const { group, ref: upstreamRef } = resolveReference(view, ref);
      return await invoke(
        view,
        group,
        'completion/complete',
        '',
        upstreamParams(params, { ref: upstreamRef }),
        exchange,
      );
    },
    async pass(view, method, params, exchange) {
      const [group] = view.groups;
      if (!view.isSingle || !group) throw new AppError('METHOD_NOT_FOUND', { method });
      return await invoke(view, group, method, '', upstreamParams(params, {}), exchange);
    },
  };

  function resolveReference(view: View, ref: JsonObject): { group: Group; ref: JsonObject } {
    if (ref['type'] === 'ref/prompt') {
      const name = textIn(ref, 'name');
      const target = named(view.prompts, view, name);
      if (!target) throw new AppError('PROMPT_NOT_FOUND', { name });
      return { group: target.group, ref: { ...ref, name: target.name } };
    }
    const uri = textIn(ref, 'uri');
    const resolved = view.resolveUri(uri);
    if (!resolved) throw new AppError('RESOURCE_NOT_FOUND', { uri });
    return { group: resolved.group, ref: { ...ref, uri: resolved.uri } };
  }
}

/** Methods that change nothing by their nature. */
const readingMethods: ReadonlySet<string> = new Set(['resources/read', 'prompts/get', 'completion/complete']);

/** Reads, and tools that declare themselves read-only or idempotent. A round of a conversation is not repeated. */
function mayRunTwice(group: Group, method: string, name: string, params: JsonObject): boolean {
  if (params['requestState'] !== undefined || params['inputResponses'] !== undefined) return false;
  if (method !== 'tools/call') return readingMethods.has(method);
  const tool = listingOf(group)?.tools.find((listed) => listed['name'] === name);
  const annotations = tool?.['annotations'];
  if (!isJsonObject(annotations)) return false;
  return annotations['readOnlyHint'] === true || annotations['idempotentHint'] === true;
}

function guardedCall({
  view,
  group,
  exchange,
  ...rest
}: Pick<GuardedCall, 'method' | 'name' | 'params' | 'definition'> & {
  readonly view: View;
  readonly group: Group;
  readonly exchange: Exchange;
}): GuardedCall {
  const { era, peer, requestId, remoteAddress, signal, ask } = exchange;
  const { id = group.alias, category = '' } = group.instances[0]?.spec ?? {};
  return {
    principal: peer.principal ?? localOwner,
    remoteAddress,
    requestId,
    era,
    mount: view.key,
    server: { id, category },
    ...rest,
    capabilities: peer.capabilities,
    signal,
    ask:
      ask &&
      (async (asked, input) => {
        if (!supports(exchange, asked)) throw new AppError('METHOD_NOT_FOUND', { method: asked });
        return await ask(asked, input, signal);
      }),
  };
}

/** Whoever may go on with a conversation: the session, or in the modern era, which has none, the user. */
function principalOf({ era, peer }: Exchange): string {
  const { tenant, id } = peer.principal ?? localOwner;
  return era === 'modern' ? JSON.stringify([tenant, id]) : peer.key;
}

function headersOf(target: Target, args: unknown): Record<string, string> | undefined {
  if (target.paramHeaders.length === 0) return undefined;
  const headers: Record<string, string> = {};
  for (const { path, header } of target.paramHeaders) {
    const value = headerValueOf(args, path);
    if (value !== undefined) headers[header] = value;
  }
  return headers;
}
