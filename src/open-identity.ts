/** Who may come in, as configured. Part of the composition root, like `coordinator.ts`. */

import { randomBytes } from 'node:crypto';
import type { Config } from './config/schema.ts';
import { type Authenticate, createAuthenticate } from './identity/authenticate.ts';
import { openKeyRing } from './identity/key-ring.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import type { Meters } from './metrics/create-meters.ts';
import type { Audit } from './open-audit.ts';
import type { People } from './open-people.ts';
import type { Store } from './store/open-store.ts';

export interface Identity {
  /** Undefined where nobody has to say who they are. */
  readonly authenticate: Authenticate | undefined;
  /** Opens this coordinator until it stops, for the commands of whoever can read its data folder. */
  readonly localKey: string | undefined;
  /** Keys are asked for, and nobody has one. */
  readonly lacksKeys: boolean;
  /** People and tokens, where they are wanted. */
  readonly people: People | undefined;
}

export async function openIdentity(
  parts: AsyncDisposableStack,
  base: {
    readonly config: Config;
    /** Absolute. */
    readonly dataDir: string;
    readonly store: Store;
    readonly meters: Meters;
    readonly audit: Audit | undefined;
    readonly logger: Logger;
  },
): Promise<Identity> {
  const { config, store, logger } = base;
  if (config.auth.mode === 'local')
    return { authenticate: undefined, localKey: undefined, lacksKeys: false, people: undefined };
  const ring = parts.use(await openKeyRing({ keys: store.apiKeys, clock: systemClock, logger }));
  const localKey = randomBytes(32).toString('base64url');
  // Loaded here, so that a coordinator for its owner alone starts without it.
  const { openPeople } = await import('./open-people.ts');
  const people = await openPeople(parts, base);
  const authenticate = createAuthenticate(ring, localKey, people?.tokens);
  return { authenticate, localKey, lacksKeys: ring.size === 0, people };
}
