/** What a server was told and has to be told again when its connection is a new one. */

import { messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { McpLogLevel } from '../kernel/protocol.ts';
import type { Connection } from '../transport/connection.ts';

export interface SessionReplay {
  /** Tells a fresh connection everything; what it refuses goes to the log. */
  onOpen(connection: Connection, isFirst: boolean): Promise<void>;
  /** Tells the live connections, and later ones. */
  setLogLevel(level: McpLogLevel, live: readonly Connection[]): Promise<void>;
  /** The roots of a client have changed: later connections hear that they have to be asked for. */
  rootsChanged(): void;
  readonly subscribed: Set<string>;
  /** What it was last told to log at. */
  readonly logLevel: McpLogLevel | undefined;
}

const rootsChangedMethod = 'notifications/roots/list_changed';

export function createSessionReplay(server: string, logger: Logger): SessionReplay {
  const subscribed = new Set<string>();
  let logLevel: McpLogLevel | undefined;
  let hasRoots = false;

  async function sendLogLevel(connection: Connection, level: McpLogLevel): Promise<void> {
    if (connection.era !== 'legacy') return;
    await connection
      .request('logging/setLevel', { level })
      .catch((error: unknown) =>
        logger.warn({ server, problem: messageOf(error) }, 'could not set the log level'),
      );
  }

  async function subscribeAgain(connection: Connection, uri: string): Promise<void> {
    await connection
      .subscribe(uri)
      .catch((error: unknown) =>
        logger.warn({ server, uri, problem: messageOf(error) }, 'could not subscribe again'),
      );
  }

  return {
    subscribed,
    get logLevel() {
      return logLevel;
    },
    async onOpen(connection, isFirst) {
      if (logLevel !== undefined) await sendLogLevel(connection, logLevel);
      if (hasRoots && connection.era === 'legacy') connection.notify(rootsChangedMethod);
      // Updates of one replica are enough.
      if (isFirst) await Promise.all([...subscribed].map((uri) => subscribeAgain(connection, uri)));
    },
    async setLogLevel(level, live) {
      if (level === logLevel) return;
      logLevel = level;
      await Promise.all(live.map((connection) => sendLogLevel(connection, level)));
    },
    rootsChanged() {
      hasRoots = true;
    },
  };
}
