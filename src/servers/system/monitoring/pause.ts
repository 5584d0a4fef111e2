/** Waiting between two samples. */

import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../../kernel/errors.ts';

/** Resolves after so many milliseconds, or rejects REQUEST_CANCELLED as soon as the signal is aborted. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch {
    throw new AppError('REQUEST_CANCELLED');
  }
}

/** A share in percent with one decimal; 0 when there is no whole. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.round((part / whole) * 1000) / 10;
}
