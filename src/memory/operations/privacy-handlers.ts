/** Operations about personal data and keys. */

import { isAppError } from '../../kernel/errors.ts';
import type { MemoryCaller, MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { createForget } from '../erasure/forget.ts';
import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';
import { type Place, callerOf } from './place.ts';

const chunkKeys = 200;
const shownKeys = 100;

/** Their handlers. */
export function createPrivacyHandlers(parts: HandlerParts): Pick<MemoryHandlers, 'forget' | 'rekey'> {
  const { index, writePath, gate } = parts;
  const forget = createForget(parts);

  function scopesOf(scope: string | undefined): string[] {
    const all = index.rows.sizes(0).map((one) => one.scope);
    return scope === undefined ? all : all.filter((one) => one === scope);
  }

  /** Writes some values as they are, which seals them as their scope asks. */
  async function rekeySome(places: readonly Place[], caller: MemoryCaller, done: MemoryOutput<'rekey'>) {
    const results = await Promise.allSettled(
      places.map((place) =>
        writePath.submit({ op: 'store', ...place, file: (now) => now, ...callerOf(caller) }),
      ),
    );
    for (const [at, result] of results.entries()) {
      const place = places[at];
      if (result.status === 'fulfilled') done[result.value.isChanged ? 'rekeyed' : 'unchanged'] += 1;
      else if (!isAppError(result.reason, 'MEMORY_SEALED')) throw result.reason;
      else if (place && done.unreadable.length < shownKeys) done.unreadable.push(place);
    }
  }

  async function rekey(input: MemoryInput<'rekey'>, caller: MemoryCaller): Promise<MemoryOutput<'rekey'>> {
    await index.caughtUp();
    const done: MemoryOutput<'rekey'> = { rekeyed: 0, unchanged: 0, unreadable: [] };
    for (const scope of scopesOf(input.scope)) {
      let after: string | undefined;
      for (;;) {
        const rows = await gate.pass(async () => {
          const page = index.rows.list({ scope, after, nowMs: parts.clock.now(), limit: chunkKeys });
          await rekeySome(
            page.map(({ key }) => ({ scope, key })),
            caller,
            done,
          );
          return page;
        });
        after = rows.at(-1)?.key;
        if (rows.length < chunkKeys) break;
      }
    }
    return done;
  }

  return {
    forget,
    rekey,
  };
}
