/** Where a message of the upstream goes: to the call it answers, to a client, to a subscription, or to the owner of the connection. */

import { isJsonObject, isNotification, isRequest, type RpcNotification } from '../../kernel/json-rpc.ts';
import type { ConnectionEvents } from '../connection.ts';
import type { Call, Calls } from './calls.ts';
import { findOwner, type ServerRequests } from './server-requests.ts';

export interface IncomingDependencies {
  readonly calls: Calls;
  readonly serverRequests: ServerRequests;
  readonly events: ConnectionEvents;
  /** Takes messages of a `subscriptions/listen`; true when it was one. */
  readonly listen?: (message: Record<string, unknown>) => boolean;
  readonly onInvalid?: (message: unknown) => void;
}

/** Routes one parsed message; `owner` is the call whose own stream carried it, `resultText` the text of its result. */
export type Incoming = (message: unknown, owner?: Call, resultText?: string) => void;

export function createIncoming(deps: IncomingDependencies): Incoming {
  const { calls, serverRequests, events } = deps;

  function routeLog(notification: RpcNotification, owner: Call | undefined): void {
    const verdict = owner
      ? ({ kind: 'owner', call: owner } as const)
      : findOwner(calls.inFlight(), (call) => call.options.onNotification !== undefined);
    if (verdict.kind === 'owner' && verdict.call.options.onNotification)
      verdict.call.options.onNotification(notification);
    else events.onNotification?.(notification);
  }

  function routeNotification(notification: RpcNotification, owner: Call | undefined): void {
    switch (notification.method) {
      case 'notifications/progress':
        // Late progress of a call that is over has no reader.
        calls.progress(notification);
        return;
      case 'notifications/cancelled':
        serverRequests.cancel(notification.params?.['requestId']);
        return;
      case 'notifications/message':
        routeLog(notification, owner);
        return;
      default:
        events.onNotification?.(notification);
    }
  }

  return (message, owner, resultText) => {
    if (!isJsonObject(message)) deps.onInvalid?.(message);
    else if (deps.listen?.(message)) return;
    else if (message['method'] === undefined) {
      if (!calls.answer(message, resultText) && message['id'] === undefined) deps.onInvalid?.(message);
    } else if (isRequest(message)) serverRequests.handle(message, owner);
    else if (isNotification(message)) routeNotification(message, owner);
    else deps.onInvalid?.(message);
  };
}
