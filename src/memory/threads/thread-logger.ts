/** Log lines of a worker thread go to the coordinator's thread, which writes them. */

import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** A log line on its way. */
export interface ThreadLogLine {
  readonly log: Level;
  readonly fields: object;
  readonly text: string;
}

/** A logger whose lines travel as messages; errors become their messages. */
export function createThreadLogger(): Logger {
  const write = (log: Level) => (fields: object, text: string) => {
    const plain = Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? messageOf(value) : String(value),
    ]);
    parentPort?.postMessage({ log, fields: Object.fromEntries(plain), text } satisfies ThreadLogLine, []);
  };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return logger;
}
