/** Deletes expired memories, so that they leave the current tree too; readers stop seeing them at once. */

import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { LiveIndex } from './index/live-index.ts';
import type { WritePath } from './write-path.ts';

const sweepIntervalMs = 30_000;
const maxPerSweep = 1000;

/** Sweeps every half minute until it is disposed. */
export function startExpiry(parts: {
  readonly index: LiveIndex;
  readonly writePath: WritePath;
  readonly clock: Clock;
  readonly logger: Logger;
}): AsyncDisposable {
  const { index, writePath, clock, logger } = parts;
  let cancel: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  async function sweep(): Promise<void> {
    await index.caughtUp();
    const over = index.rows.expired(clock.now(), maxPerSweep);
    const by = { actor: 'git-memory-mcp', agent: 'expiry' };
    const deletions = over.map(({ scope, key, etag }) =>
      // The etag keeps a value that someone stored meanwhile.
      writePath.submit({ op: 'delete', scope, key, ifMatch: etag, isExpiry: true, ...by }),
    );
    const failed = (await Promise.allSettled(deletions)).filter((result) => result.status === 'rejected');
    if (failed.length > 0)
      logger.warn({ failed: failed.length }, 'some expired memories could not be deleted');
  }

  function schedule(): void {
    if (closed) return;
    cancel = clock.after(sweepIntervalMs, () => {
      running = sweep()
        .catch((error: unknown) => logger.warn({ err: error }, 'expired memories could not be deleted'))
        .then(schedule);
    });
  }

  schedule();
  return {
    async [Symbol.asyncDispose]() {
      closed = true;
      cancel?.();
      await running;
    },
  };
}
