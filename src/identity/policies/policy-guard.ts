/** Stands before each call: may this caller do this to this server, this tool, these memories? */

import type { PolicyQuery } from '../../kernel/authorizer.ts';
import type { CallGuard, GuardedCall, Proceed } from '../../kernel/call-guard.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { parseMemoryUri } from '../../kernel/memory/memory-uri.ts';
import { operationActions } from '../../kernel/memory/operation-actions.ts';
import { type MemoryOperation, memoryOperations, scopeShape } from '../../kernel/memory/operations.ts';
import { isFullOwner } from '../../kernel/principal.ts';
import type { PolicyAuthorizer } from './authorizer.ts';
import type { Decision } from './decide.ts';
import { admitMemoryCall, cutToolResult } from './memory-access.ts';
import { coordinatorScope } from './memory-plans.ts';
import type { MemoryServerOf, PolicyEngine } from './policy-engine.ts';

const everything = { prefix: '', isExact: false } as const;

export function createPolicyGuard(parts: {
  readonly engine: PolicyEngine;
  readonly authorizer: PolicyAuthorizer;
  readonly memoryServerOf: MemoryServerOf;
}): CallGuard {
  const { engine, authorizer, memoryServerOf } = parts;

  /** What cannot be seen at all is not there; what is refused this time only is refused. */
  function refuse(call: GuardedCall, query: PolicyQuery, decision: Decision): never {
    if (!decision.isDynamic && decision.problem === undefined) throw notThere(call);
    return authorizer.refuse(call.principal, query, decision);
  }

  function runMemory(call: GuardedCall, defaultScope: string, next: Proceed): Promise<JsonObject> {
    const operation = operationOf(call.name);
    if (!operation) return next(call);
    const args = isJsonObject(call.params['arguments']) ? call.params['arguments'] : {};
    const about = aboutOf(call, args);
    if (isOpenToAll(call, operation, args, defaultScope)) return next(call);
    const { input } = memoryOperations[operation];
    const takesScope = scopedTools.has(operation);
    const placed = takesScope && args['scope'] === undefined ? { ...args, scope: defaultScope } : args;
    const parsed = input.safeParse(placed);
    // The server finds the same fault, and says it in its own way.
    if (!parsed.success) return next(call);
    const admitted = admitMemoryCall(
      authorizer.memoryParts(call.principal, about),
      operation,
      parsed.data as never,
    );
    const params = { ...call.params, arguments: admitted.input };
    const { cut } = admitted;
    return cut ? cutting(next({ ...call, params }), cut as never) : next({ ...call, params });
  }

  /** The usual case, without a look at the arguments: everywhere allowed, whatever they are. */
  function isOpenToAll(
    { principal, server, name, definition }: GuardedCall,
    operation: MemoryOperation,
    args: JsonObject,
    defaultScope: string,
  ): boolean {
    const action = operationActions[operation];
    if (wideOperations.has(operation)) return false;
    if (action !== 'memory:read' && (args['scope'] ?? defaultScope) === coordinatorScope) return false;
    const query = { action, server, tool: { name, definition }, place: everything };
    const decision = engine.decide(principal, query);
    return decision.isAllowed && !decision.isDynamic;
  }

  function readMemory(call: GuardedCall, next: Proceed): Promise<JsonObject> {
    const place = parseMemoryUri(call.name);
    if (!place) return next(call);
    const query = {
      ...aboutOf(call),
      action: 'memory:read' as const,
      place: { scope: place.scope, prefix: place.key, isExact: true },
    };
    const decision = engine.decide(call.principal, query);
    return decision.isAllowed ? next(call) : refuse(call, query, decision);
  }

  return {
    name: 'policy',
    async run(call, next) {
      const { principal, server } = call;
      if (isFullOwner(principal)) return await next(call);
      const query = queryOf(call);
      const decision = query.tool ? engine.decideTool(principal, query) : engine.decide(principal, query);
      if (!decision.isAllowed) refuse(call, query, decision);
      const memory = memoryServerOf(server.id);
      if (!memory) return await next(call);
      switch (call.method) {
        case 'tools/call':
          return await runMemory(call, memory.defaultScope, next);
        case 'resources/read':
          return await readMemory(call, next);
        case 'completion/complete':
          return cutCompletion(call, await next(call), (scope, key) => {
            const place = { scope, prefix: key ?? '', isExact: key !== undefined };
            const mode = key === undefined ? 'possible' : undefined;
            return engine.decide(principal, { action: 'memory:read', server, place }, mode).isAllowed;
          });
        default:
          return await next(call);
      }
    },
  };
}

/** Their reach is in more than a scope. */
const wideOperations: ReadonlySet<MemoryOperation> = new Set(['restore', 'snapshot', 'workspace', 'forget']);

/** Tools that work in the server's own scope when none is named. */
const scopedTools: ReadonlySet<MemoryOperation> = new Set([
  'store',
  'retrieve',
  'list',
  'delete',
  'history',
  'diff',
  'restore',
  'store_many',
  'append',
  'increment',
  'links',
]);

function operationOf(tool: string): MemoryOperation | undefined {
  const name = tool.startsWith('memory_') ? tool.slice('memory_'.length) : '';
  return Object.hasOwn(memoryOperations, name) ? (name as MemoryOperation) : undefined;
}

function aboutOf({ server, name, definition, remoteAddress, method }: GuardedCall, args?: JsonObject) {
  return {
    server,
    remoteAddress,
    arguments: args,
    ...(method === 'tools/call' && { tool: { name, definition } }),
  };
}

function queryOf(call: GuardedCall): PolicyQuery {
  const { method, params, server, name, definition, remoteAddress } = call;
  const about = {
    server,
    remoteAddress,
    arguments: isJsonObject(params['arguments']) ? params['arguments'] : {},
  };
  switch (method) {
    case 'tools/call':
      return { ...about, action: 'tools:call', tool: { name, definition } };
    case 'prompts/get':
      return { ...about, action: 'prompts:get' };
    case 'resources/read':
      return { ...about, action: 'resources:read' };
    case 'completion/complete': {
      const { ref } = params;
      const isPrompt = isJsonObject(ref) && ref['type'] === 'ref/prompt';
      return { ...about, action: isPrompt ? 'prompts:get' : 'resources:read' };
    }
    default:
      return { ...about, action: 'methods:call' };
  }
}

function notThere({ method, name, params }: GuardedCall): AppError {
  switch (method) {
    case 'tools/call':
      return new AppError('TOOL_NOT_FOUND', { name });
    case 'prompts/get':
      return new AppError('PROMPT_NOT_FOUND', { name });
    case 'resources/read':
      return new AppError('RESOURCE_NOT_FOUND', { uri: name });
    case 'completion/complete': {
      const ref = isJsonObject(params['ref']) ? params['ref'] : {};
      if (ref['type'] === 'ref/prompt') return new AppError('PROMPT_NOT_FOUND', { name: ref['name'] });
      return new AppError('RESOURCE_NOT_FOUND', { uri: ref['uri'] });
    }
    default:
      return new AppError('METHOD_NOT_FOUND', { method });
  }
}

async function cutting(
  answer: Promise<JsonObject>,
  cut: (output: JsonObject) => JsonObject,
): Promise<JsonObject> {
  const result = cutToolResult(await answer, cut);
  if (result) return result;
  throw new AppError('FORBIDDEN', { problem: 'the answer cannot be cut down to what you may read' });
}

/** Completions of `memory://{scope}/{+key}` name scopes and keys. */
function cutCompletion(
  { params }: GuardedCall,
  result: JsonObject,
  isOpen: (scope: string, key?: string) => boolean,
): JsonObject {
  const { completion } = result;
  const { argument, context } = params;
  if (!isJsonObject(completion) || !Array.isArray(completion['values']) || !isJsonObject(argument))
    return result;
  const given = isJsonObject(context) && isJsonObject(context['arguments']) ? context['arguments'] : {};
  const asked = scopeShape.safeParse(given['scope']);
  const scope = asked.success ? asked.data : 'shared';
  const offered = completion['values'] as unknown[];
  const values = offered.filter(
    (value) =>
      typeof value === 'string' && (argument['name'] === 'scope' ? isOpen(value) : isOpen(scope, value)),
  );
  if (values.length === offered.length) return result;
  const { total: _total, hasMore: _hasMore, ...rest } = completion;
  return { ...result, completion: { ...rest, values } };
}
