/** What the pool needs to run one instance: identity, place, and how to reach or launch it. */

import type { Isolation, PoolOptions, ScaleOptions } from '../kernel/pool-options.ts';
import type { ProcessLimits } from '../kernel/process-limits.ts';
import type { serverSources } from '../contract/rest/server-routes.ts';
import type { Era } from '../kernel/protocol.ts';
import type { SsrfPolicy } from '../kernel/ssrf-guard.ts';
import type { CredentialOwner, UpstreamAuth } from '../kernel/upstream-auth.ts';

export type Launch =
  | { readonly kind: 'in-process'; readonly module: string; readonly settings: unknown }
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
      readonly limits?: ProcessLimits;
      readonly era: Era | 'auto';
    }
  | {
      readonly kind: 'streamable-http';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Bounds on the addresses that are connected to; none for what the operator wrote down. */
      readonly bounds?: SsrfPolicy;
      readonly era: Era | 'auto';
    };

export type ServerSource = (typeof serverSources)[number];

export interface InstanceSpec extends PoolOptions {
  /** Unique; part of URLs: `[a-z0-9][a-z0-9._-]*`. */
  readonly id: string;
  /** Name of the definition; instances that share it are interchangeable. */
  readonly name: string;
  /** Prefix of tool names in shared mounts; empty for the one memory server whose names stay plain. */
  readonly alias: string;
  readonly title: string;
  readonly category: string;
  readonly port: number;
  /** Connections kept to it; calls go round them. Where they follow the load, the number at the start. */
  readonly replicas: number;
  /** How their number follows the load; it stays as it is when absent. */
  readonly scale?: ScaleOptions;
  /** Who shares a connection; all clients when absent. Otherwise it is lazy and has one replica. */
  readonly isolation?: Isolation;
  /** How it is told who we are. */
  readonly auth?: UpstreamAuth;
  /** Of a connection of one owner: whose credentials it uses. */
  readonly credentialOwner?: CredentialOwner;
  /** Clients that may have a connection of their own at once; `defaultMaxConnections` when absent. */
  readonly maxConnections?: number;
  /** Started by the first call instead of at start-up. */
  readonly lazy: boolean;
  /** Longest time for one call, milliseconds; the gateway's default when absent. */
  readonly timeoutMs?: number;
  /** Only approved definitions are shown and called. */
  readonly pin?: boolean;
  /** Labels, for people and selectors. */
  readonly tags?: readonly string[];
  readonly source: ServerSource;
  /** The file, DNS name or lease it comes from, for people. */
  readonly origin?: string;
  readonly launch: Launch;
  /** Same key, same tools: such instances share one stored listing. */
  readonly listingKey: string;
}
