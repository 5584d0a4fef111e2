/** Notices when a secret has changed: the command line sets those of the store from a process of its own. */

import type { Clock } from '../kernel/clock.ts';
import { isAppError, messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { VaultPlace } from '../kernel/secret-access.ts';
import type { SecretRows } from '../store/secrets.ts';
import type { Vault } from './vault-client.ts';

export interface SecretWatch extends AsyncDisposable {
  /** A field of the vault that is in use: it is read again and again from now on. */
  used(place: VaultPlace, text: string): void;
  /** Looks now, and resolves when whoever listens was told. */
  look(): Promise<void>;
}

export interface SecretWatchOptions {
  readonly rows: SecretRows;
  readonly vault: Vault | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between two looks into the store, and into the vault, milliseconds. */
  readonly storeMs: number;
  readonly vaultMs: number;
  readonly onChange: () => Promise<void>;
}

export async function watchSecrets(options: SecretWatchOptions): Promise<SecretWatch> {
  const { rows, vault, clock, logger } = options;
  const places = new Map<string, { readonly place: VaultPlace; text: string }>();
  let marks = await rows.marks();
  let lookedAtMs = clock.now();
  let cancel = (): void => {};
  let looking: Promise<void> | undefined;
  let isClosed = false;

  async function hasStoreChanged(): Promise<boolean> {
    const now = await rows.marks();
    const isSame = now.size === marks.size && [...now].every(([place, mark]) => marks.get(place) === mark);
    marks = now;
    return !isSame;
  }

  async function hasVaultChanged(): Promise<boolean> {
    if (!vault || clock.now() - lookedAtMs < options.vaultMs) return false;
    lookedAtMs = clock.now();
    let isChanged = false;
    for (const known of places.values()) {
      const text = await vault.read(known.place).catch((error: unknown) => {
        // While it does not answer, what was read last holds.
        if (!isAppError(error, 'NOT_FOUND'))
          logger.warn({ problem: messageOf(error) }, 'the vault does not answer');
        return known.text;
      });
      isChanged ||= text !== known.text;
      known.text = text;
    }
    return isChanged;
  }

  async function lookOnce(): Promise<void> {
    const inStore = await hasStoreChanged();
    const inVault = await hasVaultChanged();
    if ((inStore || inVault) && !isClosed) await options.onChange();
  }

  function look(): Promise<void> {
    looking ??= lookOnce()
      .catch((error: unknown) =>
        logger.error({ problem: messageOf(error) }, 'changes of secrets were not taken'),
      )
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  function lookOn(): void {
    cancel = clock.after(options.storeMs, () => {
      void look().finally(() => {
        if (!isClosed) lookOn();
      });
    });
  }

  lookOn();
  return {
    used(place, text) {
      places.set(JSON.stringify([place.mount, place.path, place.field]), { place, text });
    },
    look,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      cancel();
      await looking;
    },
  };
}
