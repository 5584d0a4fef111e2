/**
 * The child process that runs SQL. SQLite offers no way to stop a statement from JavaScript, and a long one
 * blocks its thread; in a process of its own it can be ended, and SQLite's journal undoes what was half done.
 */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ToolError } from '../../kernel/define-server.ts';
import { messageOf } from '../../kernel/errors.ts';
import { createSqlConnections } from './sql-connection.ts';
import { runSqlRequest, type SqlAnswer, type SqlRequest } from './sql-operations.ts';

/**
 * Ends this process when its parent is gone, also in the middle of a statement, when no event is handled.
 * The parent tells its own id: asked here, it could be that of the adopting process already.
 * The parent's id changes on POSIX when it dies; on Windows it can no longer be signalled.
 */
const watchdog = `
  const parent = require('node:worker_threads').workerData;
  setInterval(() => {
    try {
      process.kill(parent, 0);
      if (process.ppid === parent) return;
    } catch (error) {
      if (error.code === 'EPERM' && process.ppid === parent) return;
    }
    process.kill(process.pid, 'SIGKILL');
  }, 500);
`;

function answer(request: SqlRequest, run: (request: SqlRequest) => unknown): SqlAnswer {
  try {
    return { kind: 'value', value: run(request) };
  } catch (error) {
    return { kind: error instanceof ToolError ? 'tool-error' : 'failure', message: messageOf(error) };
  }
}

function serve(parent: number): void {
  const guard = new Worker(watchdog, {
    eval: true,
    workerData: parent,
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  });
  guard.unref();
  // No statement before someone can end it.
  const guarded = once(guard, 'online');
  const connections = createSqlConnections();
  process.on('message', (request: SqlRequest) => {
    void guarded.then(() => process.send?.(answer(request, (wanted) => runSqlRequest(wanted, connections))));
  });
  process.on('disconnect', () => {
    connections[Symbol.dispose]();
    process.exit(0);
  });
}

// Only as the child's own entry: whoever merely imports this file starts nothing.
if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Number(process.argv[2]));
