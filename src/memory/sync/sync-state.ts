/** What is remembered of the remotes over restarts: a small JSON file in the data folder. */

import { readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolderNow, writeDurably } from '../git/pack-files.ts';

/** How it went with one remote; times are milliseconds since the Unix epoch. */
export interface RemoteState {
  readonly lastSuccessMs?: number;
  /** The failure since the last success. */
  readonly lastError?: { readonly atMs: number; readonly message: string };
  /** Failures in a row. */
  readonly failures: number;
  /** What was unusual in the last rounds, newest last. */
  readonly notes: readonly string[];
  /** Commits there that have history which was forgotten here. */
  readonly refusedTips?: readonly string[];
}

export interface SyncState {
  get(remote: string): RemoteState;
  /** Throws what the disk failed with. */
  set(remote: string, state: RemoteState): void;
  /** Throws what the disk failed with. */
  remove(remote: string): void;
}

const nothing: RemoteState = { failures: 0, notes: [] };

/** The states in `dataDir`; a file that cannot be read counts as empty. */
export function openSyncState(dataDir: string): SyncState {
  const path = join(dataDir, 'sync.json');
  const states = new Map(Object.entries(readStates(path)));

  function write(): void {
    writeDurably(`${path}.tmp`, Buffer.from(`${JSON.stringify(Object.fromEntries(states), undefined, 2)}\n`));
    renameSync(`${path}.tmp`, path);
    syncFolderNow(dirname(path));
  }

  return {
    get: (remote) => states.get(remote) ?? nothing,
    set(remote, state) {
      states.set(remote, state);
      write();
    },
    remove(remote) {
      if (states.delete(remote)) write();
    },
  };
}

function readStates(path: string): Record<string, RemoteState> {
  try {
    const data: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof data !== 'object' || data === null) return {};
    const entries = Object.entries(data as Record<string, Partial<RemoteState>>);
    return Object.fromEntries(entries.map(([name, state]) => [name, { ...nothing, ...state }]));
  } catch {
    return {};
  }
}
