/** The certificate of the listeners: looked at now and then, taken when it has changed, kept when the new one is bad. */

import { stat } from 'node:fs/promises';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { TlsMaterial } from '../../kernel/tls-material.ts';

export interface Certificate extends Disposable {
  readonly material: TlsMaterial;
  /** Until it expires; negative after. */
  readonly secondsLeft: number;
  /** Hears of each new one; returns the way to stop. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
}

export interface CertificateOptions {
  /** Absolute paths of all files. */
  readonly paths: readonly string[];
  /** Throws AppError for files that cannot be taken. */
  readonly read: (nowMs: number) => Promise<TlsMaterial>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the files are looked at, milliseconds. */
export const lookMs = 2000;
const warnBelowDays = 14;
const dayMs = 86_400_000;

/** Changes with anything that puts other bytes at a path: written over, renamed onto, a link that points elsewhere. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      try {
        const { mtimeMs, size, ino } = await stat(path);
        return `${mtimeMs} ${size} ${ino}`;
      } catch {
        return 'none';
      }
    }),
  );
  return stamps.join('\n');
}

/**
 * Reads the files. Throws what `read` throws. They are polled: watching is told nothing of links that are turned, as
 * certbot does it, nor of network file systems.
 */
export async function openCertificate(options: CertificateOptions): Promise<Certificate> {
  const { paths, read, clock, logger } = options;
  const listeners = new Set<(material: TlsMaterial) => void>();
  let taken = await stampOf(paths);
  let seen = taken;
  let material = await read(clock.now());
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  let cancel = () => {};
  let isClosed = false;

  const secondsLeft = () => Math.floor((material.expiresAtMs - clock.now()) / 1000);

  function warn(): void {
    const daysLeft = Math.floor(secondsLeft() / 86_400);
    if (daysLeft >= warnBelowDays || clock.now() - warnedAtMs < dayMs) return;
    warnedAtMs = clock.now();
    const expiresAt = new Date(material.expiresAtMs).toISOString();
    if (daysLeft < 0) logger.error({ expiresAt }, 'the certificate of tls.cert has expired; have it renewed');
    else logger.warn({ expiresAt, daysLeft }, 'the certificate of tls.cert expires soon; have it renewed');
  }

  async function look(): Promise<void> {
    const before = seen;
    seen = await stampOf(paths);
    // Two looks that agree: certificate and key are written one after the other.
    if (seen === taken || seen !== before) return;
    taken = seen;
    try {
      material = await read(clock.now());
    } catch (error) {
      logger.error({ problem: messageOf(error) }, 'the new certificate is refused; the old one goes on');
      return;
    }
    warnedAtMs = Number.NEGATIVE_INFINITY;
    logger.info({ expiresAt: new Date(material.expiresAtMs).toISOString() }, 'took a new certificate');
    for (const listener of listeners) listener(material);
  }

  function lookOn(): void {
    cancel = clock.after(lookMs, () => {
      look()
        .catch((error: unknown) =>
          logger.error({ problem: messageOf(error) }, 'the new certificate could not be put to use'),
        )
        .finally(() => {
          warn();
          if (!isClosed) lookOn();
        });
    });
  }

  warn();
  lookOn();
  return {
    get material() {
      return material;
    },
    get secondsLeft() {
      return secondsLeft();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.dispose]() {
      isClosed = true;
      cancel();
      listeners.clear();
    },
  };
}
