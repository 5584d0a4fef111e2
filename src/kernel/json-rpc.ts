/** JSON-RPC 2.0 as MCP uses it: types, guards and the two shapes of an answer. */

import { type AppError, errorTable } from './errors.ts';

export type JsonObject = { [key: string]: unknown };
export type RequestId = string | number;

export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JsonObject;
}

export interface RpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface RpcResponse {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly result?: JsonObject;
  readonly error?: RpcErrorObject;
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

/** Codes of JSON-RPC 2.0 section 5.1 and of MCP 2026-07-28. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;

/** An error that an upstream answered; it passes through with code, message and data untouched. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(error: RpcErrorObject) {
    super(error.message);
    this.code = error.code;
    this.data = error.data;
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isRequest(value: unknown): value is RpcRequest {
  return (
    isJsonObject(value) &&
    value['jsonrpc'] === '2.0' &&
    typeof value['method'] === 'string' &&
    (typeof value['id'] === 'string' || typeof value['id'] === 'number') &&
    (value['params'] === undefined || isJsonObject(value['params']))
  );
}

export function isNotification(value: unknown): value is RpcNotification {
  return (
    isJsonObject(value) &&
    value['jsonrpc'] === '2.0' &&
    typeof value['method'] === 'string' &&
    value['id'] === undefined &&
    (value['params'] === undefined || isJsonObject(value['params']))
  );
}

export function isResponse(value: unknown): value is RpcResponse {
  return (
    isJsonObject(value) &&
    value['jsonrpc'] === '2.0' &&
    value['method'] === undefined &&
    (typeof value['id'] === 'string' || typeof value['id'] === 'number' || value['id'] === null) &&
    (isJsonObject(value['result']) || isJsonObject(value['error']))
  );
}

/** An AppError as a JSON-RPC error object: table code, sentence, and `{code, id, ...data}` as data. */
export function toRpcError(error: AppError): RpcErrorObject {
  return {
    code: errorTable[error.code].jsonRpc,
    message: error.message,
    data: { ...error.data, code: error.code, id: error.id },
  };
}
