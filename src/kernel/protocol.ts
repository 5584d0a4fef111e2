/** The words of the Model Context Protocol that every layer uses: versions, eras, `_meta` keys, headers. */

import type { Principal } from './principal.ts';

/** `legacy`: initialize and sessions (2024-11-05 to 2025-11-25). `modern`: stateless (2026-07-28). */
export type Era = 'legacy' | 'modern';

export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export const modernVersions = ['2026-07-28'] as const;
export const latestLegacyVersion = legacyVersions[0];
export const latestModernVersion = modernVersions[0];

export function isModernVersion(version: unknown): boolean {
  return (modernVersions as readonly unknown[]).includes(version);
}

export function isLegacyVersion(version: unknown): boolean {
  return (legacyVersions as readonly unknown[]).includes(version);
}

/** Keys inside `_meta` that the modern era reserves. */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** The key inside `_meta` of `resources/updated` that holds the position in the memory's change feed. */
export const changePositionKey = 'git-memory-mcp/position';

/** The key inside `_meta`, and the header, by which a client says that a call is less urgent than others. */
export const priorityKey = 'git-memory-mcp/priority';
export const priorityHeader = 'x-priority';

/** Key of a result's `_meta`: what guardrails took out or a user confirmed. */
export const guardrailsKey = 'git-memory-mcp/guardrails';

/** HTTP headers, lower case as Node gives them. */
export const mcpHeaders = {
  sessionId: 'mcp-session-id',
  protocolVersion: 'mcp-protocol-version',
  method: 'mcp-method',
  name: 'mcp-name',
  paramPrefix: 'mcp-param-',
} as const;

/** The field of `params` that `Mcp-Name` repeats, for the methods that carry it (2026-07-28, standard headers). */
export const namedMethods: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** Log levels of RFC 5424 in rising order, as MCP uses them. */
export const logLevels = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;
export type McpLogLevel = (typeof logLevels)[number];

/** True when a message of `level` passes a threshold. */
export function passesLogLevel(level: unknown, threshold: McpLogLevel): boolean {
  const rank = logLevels.indexOf(level as McpLogLevel);
  return rank < 0 || rank >= logLevels.indexOf(threshold);
}

export interface ClientIdentity {
  readonly name: string;
  readonly version: string;
  readonly [key: string]: unknown;
}

export function isClientIdentity(value: unknown): value is ClientIdentity {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'name' in value &&
    typeof value.name === 'string' &&
    'version' in value &&
    typeof value.version === 'string'
  );
}

/** The downstream client on whose behalf a request goes out. */
export interface Peer {
  /** Stable for one client session or principal; requests of different peers are never mixed up. */
  readonly key: string;
  /** The key is that of a session, which ends; without one all that is known of a client is what it says. */
  readonly hasSession?: boolean;
  /** The local owner when absent. */
  readonly principal?: Principal;
  readonly clientInfo?: ClientIdentity;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly logLevel?: McpLogLevel;
}
