/** Messages between the main thread and a host worker; structured clones, so plain data only. */

import type { InstanceContext, MemoryChangeNotice } from '../../kernel/define-server.ts';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { JsonObject, RpcErrorObject, RpcNotification } from '../../kernel/json-rpc.ts';
import type { MemoryCaller, MemoryOperation } from '../../kernel/memory/operations.ts';
import type { McpLogLevel } from '../../kernel/protocol.ts';
import type { ServerIdentity } from '../connection.ts';

/** An AppError on its way through a port, which would turn the class into a bare Error. */
export interface WireError {
  readonly code: ErrorCode;
  readonly data: JsonObject;
}

export type ToHost =
  | {
      readonly kind: 'open';
      /** Number of the connection, unique in the host. */
      readonly connection: number;
      readonly module: string;
      readonly instance: InstanceContext;
      readonly settings: unknown;
    }
  | { readonly kind: 'close'; readonly connection: number }
  | {
      readonly kind: 'call';
      readonly connection: number;
      readonly id: number;
      readonly method: string;
      readonly params: JsonObject | undefined;
      /** The client's name, for the memory's provenance. */
      readonly actor: string;
      readonly requestId: string;
      readonly wantsProgress: boolean;
      readonly logLevel: McpLogLevel | undefined;
    }
  /** Ends the thread, from inside. */
  | { readonly kind: 'end' }
  | { readonly kind: 'cancel'; readonly connection: number; readonly id: number }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly connection: number; readonly uri: string }
  | { readonly kind: 'memory-change'; readonly change: MemoryChangeNotice }
  | { readonly kind: 'memory-result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'memory-error'; readonly id: number; readonly error: WireError };

export type FromHost =
  | { readonly kind: 'opened'; readonly connection: number; readonly server: ServerIdentity }
  | { readonly kind: 'refused'; readonly connection: number; readonly problem: string }
  | { readonly kind: 'result'; readonly connection: number; readonly id: number; readonly result: JsonObject }
  | {
      readonly kind: 'error';
      readonly connection: number;
      readonly id: number;
      readonly error: RpcErrorObject;
    }
  | {
      readonly kind: 'notification';
      readonly connection: number;
      /** The call it belongs to. */
      readonly id: number;
      readonly notification: RpcNotification;
    }
  /** A notification that belongs to no call. */
  | { readonly kind: 'event'; readonly connection: number; readonly notification: RpcNotification }
  | {
      readonly kind: 'memory';
      readonly id: number;
      readonly operation: MemoryOperation;
      readonly input: unknown;
      readonly caller: MemoryCaller;
    }
  | {
      readonly kind: 'log';
      readonly level: 'warn' | 'error';
      readonly message: string;
      readonly data: Readonly<Record<string, unknown>>;
    };
