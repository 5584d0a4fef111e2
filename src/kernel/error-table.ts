/**
 * The one error table. Every edge (HTTP problem+json, JSON-RPC, exit code) answers from it, so a code
 * means the same everywhere. Retry `other-instance` only ever applies to a request that was never sent
 * or that the tool declares read-only or idempotent.
 */

import { accessErrorRows } from './access-error-rows.ts';
import { memoryErrorRows } from './memory/error-rows.ts';

interface ErrorRow {
  /** HTTP status of the REST edge. */
  readonly http: number;
  /** JSON-RPC code of the MCP edge. */
  readonly jsonRpc: number;
  /** Process exit code of the CLI. */
  readonly exit: number;
  /** What a caller may do by itself. */
  readonly retry: 'never' | 'later' | 'other-instance';
  /** What a person reads; `{name}` is filled from the error's data. */
  readonly message: string;
}

export const errorTable = {
  INVALID_INPUT: { http: 400, jsonRpc: -32602, exit: 2, retry: 'never', message: '{field}: {problem}' },
  PARSE_ERROR: {
    http: 400,
    jsonRpc: -32700,
    exit: 2,
    retry: 'never',
    message: 'the body is not valid JSON: {problem}',
  },
  INVALID_REQUEST: { http: 400, jsonRpc: -32600, exit: 2, retry: 'never', message: '{problem}' },
  PAYLOAD_TOO_LARGE: {
    http: 413,
    jsonRpc: -32600,
    exit: 2,
    retry: 'never',
    message: '{what} is {bytes} bytes, the limit is {limitBytes}',
  },
  URL_TOO_LONG: {
    http: 414,
    jsonRpc: -32600,
    exit: 2,
    retry: 'never',
    message: 'the path with its query is {bytes} bytes, the limit is {limitBytes}',
  },
  TOO_MANY_HEADERS: {
    http: 431,
    jsonRpc: -32600,
    exit: 2,
    retry: 'never',
    message: 'the request has more than {limit} headers',
  },
  BODY_TOO_SLOW: {
    http: 408,
    jsonRpc: -32600,
    exit: 1,
    retry: 'later',
    message: 'the body came more slowly than {leastBytesPerSecond} bytes a second',
  },
  METHOD_NOT_FOUND: {
    http: 404,
    jsonRpc: -32601,
    exit: 2,
    retry: 'never',
    message: 'method not found: {method}',
  },
  NOT_FOUND: { http: 404, jsonRpc: -32602, exit: 4, retry: 'never', message: '{what} not found: {id}' },
  TOOL_NOT_FOUND: { http: 404, jsonRpc: -32602, exit: 4, retry: 'never', message: 'unknown tool: {name}' },
  TOOL_QUARANTINED: {
    http: 403,
    jsonRpc: -32603,
    exit: 5,
    retry: 'never',
    message:
      'tool {name} is held back: nobody has approved it as {server} offers it now; see git-memory-mcp servers changes {server}, then servers approve or servers revert',
  },
  PROMPT_NOT_FOUND: {
    http: 404,
    jsonRpc: -32602,
    exit: 4,
    retry: 'never',
    message: 'unknown prompt: {name}',
  },
  RESOURCE_NOT_FOUND: {
    http: 404,
    jsonRpc: -32602,
    exit: 4,
    retry: 'never',
    message: 'resource not found: {uri}',
  },
  SESSION_NOT_FOUND: {
    http: 404,
    jsonRpc: -32001,
    exit: 4,
    retry: 'never',
    message: 'session not found: initialize again',
  },
  HEADER_MISMATCH: {
    http: 400,
    jsonRpc: -32020,
    exit: 2,
    retry: 'never',
    message: 'header and body disagree: {problem}',
  },
  MISSING_CLIENT_CAPABILITY: {
    http: 400,
    jsonRpc: -32021,
    exit: 2,
    retry: 'never',
    message: 'the client does not declare the capability {capability}',
  },
  UNSUPPORTED_PROTOCOL_VERSION: {
    http: 400,
    jsonRpc: -32022,
    exit: 2,
    retry: 'never',
    message: 'unsupported protocol version {requested}',
  },
  PORT_IN_USE: {
    http: 500,
    jsonRpc: -32603,
    exit: 7,
    retry: 'never',
    message: 'port {port} on {host} is in use; stop what listens there or choose another with --port',
  },
  CONFIG_INVALID: { http: 400, jsonRpc: -32602, exit: 3, retry: 'never', message: '{file}: {problem}' },
  COORDINATOR_NOT_RUNNING: {
    http: 503,
    jsonRpc: -32603,
    exit: 6,
    retry: 'later',
    message: 'no coordinator answers at {url}; start one with: git-memory-mcp start',
  },
  ALREADY_RUNNING: {
    http: 409,
    jsonRpc: -32603,
    exit: 7,
    retry: 'never',
    message: 'a coordinator (process {pid}) already uses the data folder {dataDir}',
  },
  UPSTREAM_UNAVAILABLE: {
    http: 502,
    jsonRpc: -32603,
    exit: 8,
    retry: 'other-instance',
    message: 'server {server} is not reachable: {problem}',
  },
  UPSTREAM_FAILED: {
    http: 502,
    jsonRpc: -32603,
    exit: 8,
    retry: 'other-instance',
    message: 'server {server} failed while answering: {problem}',
  },
  UPSTREAM_PROTOCOL: {
    http: 502,
    jsonRpc: -32603,
    exit: 8,
    retry: 'other-instance',
    message: 'server {server} broke the protocol: {problem}',
  },
  UPSTREAM_TIMEOUT: {
    http: 504,
    jsonRpc: -32603,
    exit: 8,
    retry: 'later',
    message: 'server {server} did not answer {method} within {timeoutMs} ms',
  },
  REQUEST_CANCELLED: {
    http: 499,
    jsonRpc: -32603,
    exit: 130,
    retry: 'never',
    message: 'the request was cancelled',
  },
  CLIENT_GONE: {
    http: 499,
    jsonRpc: -32603,
    exit: 130,
    retry: 'never',
    message: 'the client left before it answered {method}',
  },
  CLIENT_AMBIGUOUS: {
    http: 409,
    jsonRpc: -32603,
    exit: 1,
    retry: 'later',
    message:
      'server {server} asked {method} while several clients had calls in flight, so no one client can be asked',
  },
  STATE_EXPIRED: {
    http: 400,
    jsonRpc: -32602,
    exit: 2,
    retry: 'never',
    message: 'requestState is unknown, expired or not yours: start the call again',
  },
  OVERLOADED: {
    http: 429,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message: 'too much work at once: {problem}',
  },
  SERVER_BUSY: {
    http: 429,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message: 'server {server} is busy: {problem}; try again in {retryAfterMs} ms',
  },
  SHUTTING_DOWN: {
    http: 503,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message: 'the coordinator is shutting down',
  },
  MISSING_LIBRARY: {
    http: 501,
    jsonRpc: -32603,
    exit: 9,
    retry: 'never',
    message: '{server} needs the library {library}; install it with: npm install {library}',
  },
  NODE_TOO_OLD: {
    http: 501,
    jsonRpc: -32603,
    exit: 9,
    retry: 'never',
    message: '{what} needs Node.js {needed} or newer, this is {version}; run it with a newer one',
  },
  PLUGIN_FAILED: {
    http: 500,
    jsonRpc: -32603,
    exit: 3,
    retry: 'never',
    message: 'plugin {plugin}: {problem}',
  },
  ...accessErrorRows,
  ...memoryErrorRows,
  INTERNAL: {
    http: 500,
    jsonRpc: -32603,
    exit: 1,
    retry: 'never',
    message: 'internal error; the log has the details under the id {id}',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
