/** A connection to one instance in a host worker. */

import type { Clock } from '../../kernel/clock.ts';
import type { InstanceContext } from '../../kernel/define-server.ts';
import { AppError } from '../../kernel/errors.ts';
import { latestModernVersion } from '../../kernel/protocol.ts';
import type { Connection, ConnectionEvents, ServerIdentity } from '../connection.ts';
import { createCalls } from '../protocol/calls.ts';
import type { Host, HostListener } from './host.ts';

export interface InProcessSpec {
  /** Id for errors and logs. */
  readonly server: string;
  /** Absolute path or file URL of the server's file; its default export is the definition. */
  readonly module: string;
  readonly instance: InstanceContext;
  /** Parsed by the definition's `settings` shape. */
  readonly settings: unknown;
}

const openTimeoutMs = 30_000;

/** Opens the instance; rejects UPSTREAM_UNAVAILABLE when the worker refuses it or dies. */
export async function connectInProcess(
  host: Host,
  spec: InProcessSpec,
  events: ConnectionEvents,
  clock: Clock,
): Promise<Connection> {
  const { server } = spec;
  const opened = Promise.withResolvers<ServerIdentity>();
  let isOpen = false;
  let ended: string | undefined;
  let hasMoved = false;
  const calls = createCalls<number>({
    server,
    clock,
    // Left behind on a thread that is held up, it ends with its last call.
    onSettle() {
      if (hasMoved && calls.inFlight().length === 0) host.close(connection);
    },
    onAbandon(call) {
      if (ended !== undefined && !hasMoved) return;
      host.post({ kind: 'cancel', connection, id: call.id });
    },
  });

  /** Of a call that the worker never took up nothing has happened, so it may go elsewhere. */
  function noteBegun(): void {
    for (const call of calls.inFlight()) call.sent = host.hasBegun(call.attachment ?? 0);
  }

  const listener: HostListener = {
    onMessage(message) {
      switch (message.kind) {
        case 'opened':
          opened.resolve(message.server);
          return;
        case 'refused':
          opened.reject(new AppError('UPSTREAM_UNAVAILABLE', { server, problem: message.problem }));
          return;
        case 'result':
          calls.answer({ jsonrpc: '2.0', id: message.id, result: message.result });
          return;
        case 'error':
          calls.answer({ jsonrpc: '2.0', id: message.id, error: message.error });
          return;
        case 'event':
          events.onNotification?.(message.notification);
          return;
        default: {
          const { id, notification } = message;
          if (notification.method === 'notifications/progress') calls.progress(notification);
          else calls.get(id)?.options.onNotification?.(notification);
        }
      }
    },
    isWorking() {
      noteBegun();
      return calls.inFlight().some(({ sent }) => sent);
    },
    onBlocked(problem, isCause) {
      ended = problem;
      hasMoved = true;
      opened.reject(new AppError('UPSTREAM_UNAVAILABLE', { server, problem }));
      noteBegun();
      for (const call of calls.inFlight())
        if (!call.sent) calls.reject(call, new AppError('UPSTREAM_UNAVAILABLE', { server, problem }));
      if (isOpen) {
        const data = { server, problem, ...(isCause && { heldUpHost: true }) };
        events.onClose?.(new AppError('UPSTREAM_FAILED', data));
      }
      if (calls.inFlight().length === 0) host.close(connection);
    },
    onExit(problem, blame) {
      ended = problem;
      opened.reject(new AppError('UPSTREAM_UNAVAILABLE', { server, problem }));
      noteBegun();
      calls.rejectAll(problem);
      if (!isOpen || blame === 'ours') return;
      const data = {
        server,
        problem,
        ...(blame === 'own' && { atFault: true }),
        ...(blame === 'of another' && { innocent: true }),
      };
      events.onClose?.(new AppError('UPSTREAM_FAILED', data));
    },
  };

  const connection = host.open(
    { module: spec.module, instance: spec.instance, settings: spec.settings },
    listener,
  );
  const cancelTimer = clock.after(openTimeoutMs, () => {
    opened.reject(
      new AppError('UPSTREAM_UNAVAILABLE', { server, problem: `it did not start in ${openTimeoutMs} ms` }),
    );
  });
  const identity = await opened.promise.finally(cancelTimer).catch((error: unknown) => {
    host.close(connection);
    throw error;
  });
  isOpen = true;

  async function close(): Promise<void> {
    if (ended !== undefined && !hasMoved) return;
    ended = 'the connection is closed';
    noteBegun();
    host.close(connection);
    calls.rejectAll(ended);
  }

  return {
    era: 'modern',
    protocolVersion: latestModernVersion,
    server: identity,
    async request(method, params, options = {}) {
      if (ended !== undefined) throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: ended });
      return await calls.run(method, params, options, (call) => {
        call.sent = true;
        call.attachment = host.call({
          kind: 'call',
          connection,
          id: call.id,
          method,
          params,
          actor: options.peer?.clientInfo?.name ?? 'anonymous',
          requestId: options.requestId ?? crypto.randomUUID(),
          wantsProgress: call.callerToken !== undefined,
          logLevel: options.peer?.logLevel,
        });
      });
    },
    // Built-in servers take no notifications from clients.
    notify() {},
    async subscribe(uri) {
      if (identity.capabilities['resources'] === undefined) throw new AppError('RESOURCE_NOT_FOUND', { uri });
      if (ended === undefined) host.post({ kind: 'subscribe', connection, uri });
    },
    async unsubscribe(uri) {
      if (ended === undefined) host.post({ kind: 'unsubscribe', connection, uri });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
