/** Operations on the change feed. */

import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';
import { isoTime } from './place.ts';

const defaultPage = 100;

/** Their handlers. */
export function createChangeHandlers({ index }: HandlerParts): Pick<MemoryHandlers, 'changes'> {
  return {
    async changes({ since, scope, prefix, limit = defaultPage }) {
      await index.caughtUp();
      const { feed } = index.rows;
      if (since === undefined) return { changes: [], next: feed.head(), more: false, reset: false };
      const page = feed.after(since, { scope, prefix: prefix?.normalize('NFC'), limit });
      if (!page) return { changes: [], next: feed.head(), more: false, reset: true };
      const changes = page.changes.map(({ atMs, ...change }) => ({ ...change, at: isoTime(atMs) }));
      return { changes, next: page.next, more: page.more, reset: false };
    },
  };
}
