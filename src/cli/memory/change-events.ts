/** The coordinator's stream of changes as an iterable. */

import { routes } from '../../contract/rest/routes.ts';
import { changeShape, type MemoryFeedChange } from '../../kernel/memory/change-operations.ts';
import { brokenStream, readEvents } from '../event-stream.ts';
import type { CoordinatorAccess } from '../find-coordinator.ts';

/** What a coordinator says on its stream. */
export type ChangeEvent =
  | { readonly kind: 'change'; readonly change: MemoryFeedChange }
  /** The beginning: changes from this position on follow. */
  | { readonly kind: 'ready'; readonly next: string }
  /** Changes before this position are not kept any more. */
  | { readonly kind: 'reset'; readonly next: string };

export interface ChangeWish {
  readonly since?: string | undefined;
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Events until the stream ends or `signal` aborts. Throws what `readEvents` throws. */
export async function* readChanges(
  base: URL,
  wish: ChangeWish,
  signal: AbortSignal,
  access?: CoordinatorAccess,
): AsyncGenerator<ChangeEvent> {
  for await (const { event, id, data } of readEvents(
    base,
    routes.memoryChanges.path,
    { ...wish },
    signal,
    access,
  )) {
    if (event === 'change') {
      const parsed = changeShape.safeParse(JSON.parse(data));
      if (!parsed.success) throw brokenStream(base, 'a change is not as expected; is it another version?');
      yield { kind: 'change', change: parsed.data };
    } else if (event === 'ready' || event === 'reset') yield { kind: event, next: id };
  }
}
