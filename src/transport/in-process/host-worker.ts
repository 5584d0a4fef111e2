/** Entry of a host worker thread: serves many light instances of built-in servers. */

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { InstanceContext, ServerDefinition, ToolContext } from '../../kernel/define-server.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { type JsonObject, rpcCodes, toRpcError } from '../../kernel/json-rpc.ts';
import { definitionOf, type PluginServer } from '../../kernel/plugin.ts';
import { passesLogLevel } from '../../kernel/protocol.ts';
import { callTool } from './call-tool.ts';
import { createMemoryProxy } from './memory-proxy.ts';
import { beatMs, createPulse, type Pulse } from './pulse.ts';
import { completeResource, createWatches, readResource, type Watches } from './resources.ts';
import { serveDefinition, type ServedDefinition } from './served-definition.ts';
import type { FromHost, ToHost } from './wire.ts';

interface Instance {
  readonly served: ServedDefinition;
  readonly context: InstanceContext;
  readonly settings: unknown;
  readonly watches: Watches | undefined;
  /** Calls in progress, by id. */
  readonly running: Map<number, AbortController>;
}

/** What servers still have to do when their thread is to end gets so long. */
const lastTasksMs = 200;

type OpenMessage = Extract<ToHost, { kind: 'open' }>;
type CallMessage = Extract<ToHost, { kind: 'call' }>;

function serve(port: NonNullable<typeof parentPort>, pulse: Pulse): void {
  pulse.beat();
  setInterval(() => pulse.beat(), beatMs).unref();
  const post = (message: FromHost) => port.postMessage(message);
  const memory = createMemoryProxy(post);
  const definitions = new Map<string, Promise<ServedDefinition>>();
  const instances = new Map<number, Instance>();

  function load(module: string): Promise<ServedDefinition> {
    let served = definitions.get(module);
    if (!served) {
      served = import(module).then((loaded: { default: ServerDefinition | PluginServer }) =>
        serveDefinition(definitionOf(loaded.default)),
      );
      definitions.set(module, served);
      // A module that failed is tried again by the next instance: a missing library may have been installed.
      served.catch(() => definitions.delete(module));
    }
    return served;
  }

  async function open({ connection, module, instance, settings }: OpenMessage): Promise<void> {
    try {
      const served = await load(module);
      const shape = served.definition.settings;
      const parsed = shape ? await shape.parseAsync(settings ?? {}) : settings;
      const { resources } = served.definition;
      const watches =
        resources &&
        createWatches(resources, (notification) => post({ kind: 'event', connection, notification }));
      instances.set(connection, { served, context: instance, settings: parsed, watches, running: new Map() });
      post({ kind: 'opened', connection, server: served.identity });
    } catch (error) {
      post({ kind: 'refused', connection, problem: messageOf(error) });
    }
  }

  function close(connection: number): void {
    const instance = instances.get(connection);
    instances.delete(connection);
    for (const abort of instance?.running.values() ?? []) abort.abort();
  }

  /** From inside, between two tasks: a thread that is ended from outside while it is in native code can take the process along. */
  function end(): void {
    for (const connection of instances.keys()) close(connection);
    port.close();
    // Runs only if something of a server keeps the thread alive.
    setTimeout(() => process.exit(0), lastTasksMs).unref();
  }

  function toolContext(instance: Instance, message: CallMessage, signal: AbortSignal): ToolContext {
    const { connection, id, logLevel } = message;
    const { context } = instance;
    const notify = (method: string, params: JsonObject) => {
      // What a tool says after it was cancelled has no reader.
      if (!instance.running.has(id)) return;
      post({ kind: 'notification', connection, id, notification: { jsonrpc: '2.0', method, params } });
    };
    return {
      signal,
      instance: context,
      settings: instance.settings,
      progress(update) {
        if (message.wantsProgress) notify('notifications/progress', { progressToken: id, ...update });
      },
      log(level, data) {
        if (!logLevel || !passesLogLevel(level, logLevel)) return;
        notify('notifications/message', { level, logger: context.name, data: plain(data) });
      },
      memory: (operation, input) =>
        memory.call(operation, input, {
          actor: message.actor,
          agent: context.id,
          requestId: message.requestId,
        }),
    };
  }

  async function run(instance: Instance, message: CallMessage): Promise<JsonObject> {
    const { method, params } = message;
    const known = instance.served.staticResult(method);
    if (known) return known;
    const abort = new AbortController();
    instance.running.set(message.id, abort);
    const context = toolContext(instance, message, abort.signal);
    try {
      const { resources } = instance.served.definition;
      if (resources && method === 'resources/read') return await readResource(resources, params, context);
      if (resources && method === 'completion/complete')
        return await completeResource(resources, params, context);
      if (method !== 'tools/call') throw new AppError('METHOD_NOT_FOUND', { method });
      const name = String(params?.['name']);
      const tool = instance.served.tool(name);
      if (!tool) throw new AppError('TOOL_NOT_FOUND', { name });
      const report = (id: string, error: unknown) => {
        const data = {
          server: instance.context.id,
          tool: name,
          id,
          problem: messageOf(error),
          stack: stackOf(error),
        };
        post({ kind: 'log', level: 'error', message: 'a tool failed unexpectedly', data });
      };
      return await callTool(tool, params?.['arguments'], context, report, (task) =>
        pulse.run(message.connection, task),
      );
    } finally {
      instance.running.delete(message.id);
    }
  }

  async function call(message: CallMessage): Promise<void> {
    const { connection, id } = message;
    const instance = instances.get(connection);
    if (!instance) {
      const error = { code: rpcCodes.internalError, message: 'the instance is closed' };
      return post({ kind: 'error', connection, id, error });
    }
    try {
      post({ kind: 'result', connection, id, result: await run(instance, message) });
    } catch (error) {
      const appError = error instanceof AppError ? error : new AppError('INTERNAL', {}, { cause: error });
      if (appError.code === 'INTERNAL') {
        const data = {
          server: instance.context.id,
          id: appError.id,
          problem: messageOf(error),
          stack: stackOf(error),
        };
        post({ kind: 'log', level: 'error', message: 'a request failed unexpectedly', data });
      }
      post({ kind: 'error', connection, id, error: toRpcError(appError) });
    }
  }

  port.on('message', (message: ToHost) => {
    switch (message.kind) {
      case 'open':
        void open(message);
        return;
      case 'close':
        close(message.connection);
        return;
      case 'end':
        end();
        return;
      case 'call':
        if (pulse.begin()) void call(message);
        return;
      case 'subscribe':
        instances.get(message.connection)?.watches?.add(message.uri);
        return;
      case 'unsubscribe':
        instances.get(message.connection)?.watches?.remove(message.uri);
        return;
      case 'memory-change':
        for (const { watches } of instances.values()) watches?.memoryChanged(message.change);
        return;
      case 'cancel':
        instances.get(message.connection)?.running.get(message.id)?.abort();
        return;
      default:
        memory.answer(message);
    }
  });

  // One server's forgotten promise must not end all instances of the host; a thrown error may have left
  // anything behind, so that one does.
  process.on('unhandledRejection', (error) => {
    const data = { problem: messageOf(error), stack: stackOf(error) };
    post({ kind: 'log', level: 'error', message: 'a built-in server left a rejected promise behind', data });
  });
}

/** Data as JSON has it: an Error or a function in a log message must not make the call fail. */
function plain(data: unknown): unknown {
  if (data instanceof Error) return messageOf(data);
  try {
    return JSON.parse(JSON.stringify(data) ?? 'null');
  } catch {
    return String(data);
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

if (!isMainThread && parentPort) serve(parentPort, createPulse(workerData as SharedArrayBuffer));
