/** Operations that follow links between memories. */

import { AppError } from '../../kernel/errors.ts';
import { walkLinks } from '../links/walk-links.ts';
import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';
import { placeOf } from './place.ts';

/** Their handlers. */
export function createLinkHandlers({ index, codec, clock }: HandlerParts): Pick<MemoryHandlers, 'links'> {
  return {
    async links(input) {
      await index.caughtUp();
      const place = placeOf(input);
      const found = walkLinks({ index: index.rows, codec }, place, { ...input, nowMs: clock.now() });
      if (!found) throw new AppError('MEMORY_NOT_FOUND', { ...place });
      return found;
    },
  };
}
