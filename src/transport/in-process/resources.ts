/** Resources of one instance of a built-in server: read, completed, watched. */

import type { MemoryChangeNotice, ResourceProvider, ToolContext } from '../../kernel/define-server.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, type RpcNotification } from '../../kernel/json-rpc.ts';
import { changePositionKey } from '../../kernel/protocol.ts';

/** Longest list that completion/complete may answer with (2025-11-25, completion). */
const maxCompletions = 100;

/** Answers `resources/read`; what is read may be stale at once, so nobody keeps it. */
export async function readResource(
  provider: ResourceProvider,
  params: JsonObject | undefined,
  context: ToolContext,
): Promise<JsonObject> {
  const uri = params?.['uri'];
  if (typeof uri !== 'string')
    throw new AppError('INVALID_INPUT', { field: 'uri', problem: 'must be a string' });
  if (provider.canonical(uri) === undefined) throw new AppError('RESOURCE_NOT_FOUND', { uri });
  const contents = await provider.read(uri, context as ToolContext<never>);
  return { resultType: 'complete', contents, ttlMs: 0, cacheScope: 'private' };
}

/** Answers `completion/complete` for a variable of one of the provider's templates. */
export async function completeResource(
  provider: ResourceProvider,
  params: JsonObject | undefined,
  context: ToolContext,
): Promise<JsonObject> {
  const ref = isJsonObject(params?.['ref']) ? params['ref'] : {};
  const template = provider.templates.find(({ uriTemplate }) => uriTemplate === ref['uri']);
  if (!template) throw new AppError('RESOURCE_NOT_FOUND', { uri: ref['uri'] });
  const argument = isJsonObject(params?.['argument']) ? params['argument'] : {};
  const { name, value } = argument;
  if (typeof name !== 'string' || typeof value !== 'string') {
    throw new AppError('INVALID_INPUT', { field: 'argument', problem: 'must have a name and a value' });
  }
  const rest = isJsonObject(params?.['context']) ? params['context']['arguments'] : undefined;
  const given = isJsonObject(rest) ? rest : {};
  const values = await provider.complete(name, value, given, context as ToolContext<never>);
  const completion = { values: values.slice(0, maxCompletions), hasMore: values.length > maxCompletions };
  return { resultType: 'complete', completion };
}

export interface Watches {
  add(uri: string): void;
  remove(uri: string): void;
  /** Sends `resources/updated` under every spelling that was subscribed to. */
  memoryChanged(change: MemoryChangeNotice): void;
}

/** However often a memory changes, whoever watches it hears of it at most so often, milliseconds. */
const pauseMs = 100;

export function createWatches(
  provider: ResourceProvider,
  send: (notification: RpcNotification) => void,
  clock: Clock = systemClock,
): Watches {
  const spellings = new Map<string, Set<string>>();
  /** Positions by canonical URI, in their order: who has heard of one has heard of all before it. */
  const changed = new Map<string, string | undefined>();

  function tell(): void {
    for (const [canonical, position] of changed) {
      const meta = position === undefined ? {} : { _meta: { [changePositionKey]: position } };
      for (const uri of spellings.get(canonical) ?? []) {
        send({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri, ...meta } });
      }
    }
    changed.clear();
  }

  return {
    add(uri) {
      const canonical = provider.canonical(uri);
      if (canonical === undefined) return;
      const known = spellings.get(canonical) ?? new Set<string>();
      spellings.set(canonical, known.add(uri));
    },
    remove(uri) {
      const canonical = provider.canonical(uri);
      const known = canonical === undefined ? undefined : spellings.get(canonical);
      known?.delete(uri);
      if (canonical !== undefined && known?.size === 0) spellings.delete(canonical);
    },
    memoryChanged(change) {
      const canonical = spellings.size === 0 ? undefined : provider.changedUri(change);
      if (canonical === undefined || !spellings.has(canonical)) return;
      if (changed.size === 0) clock.after(pauseMs, tell);
      changed.delete(canonical);
      changed.set(canonical, change.position);
    },
  };
}
