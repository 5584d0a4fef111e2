/** What all sources of servers have in common. */

import type { ServerEntryConfig } from '../config/server-entry.ts';

/** A server that a source has found. */
export interface Announcement {
  readonly name: string;
  readonly entry: ServerEntryConfig;
  /** The file or DNS name it comes from. */
  readonly origin: string;
  /** Relative paths of the entry start here. */
  readonly baseDir: string;
  /** Announcements of one group are interchangeable. */
  readonly group?: string;
}

/** All that one source offers at the moment, with what is wrong at it. */
export interface Findings {
  readonly servers: readonly Announcement[];
  readonly problems: readonly string[];
}

/** A source that goes on looking until it is disposed. */
export interface DiscoverySource extends AsyncDisposable {
  readonly kind: 'folder' | 'dns' | 'client';
  /** The folder, file or DNS name. */
  readonly origin: string;
  /** Looks now, and reports. */
  look(): Promise<void>;
}

/** Takes what a source has found, in place of what it had found before. */
export type Report = (findings: Findings) => Promise<void>;
