/** The sharp library, loaded on first use and restricted to the formats that this server serves. */

import type sharpModule from 'sharp';
import { type ConcurrencyLimit, createConcurrencyLimit } from '../../kernel/concurrency-limit.ts';
import { AppError } from '../../kernel/errors.ts';

export type SharpLibrary = typeof sharpModule;

/** One decoded image may take hundreds of megabytes, and libvips has threads of its own. */
const imageWork: ConcurrencyLimit = createConcurrencyLimit(2, 200);

let loading: Promise<SharpLibrary> | undefined;

/** Loads the library once. Throws MISSING_LIBRARY when it is not installed. */
export async function loadSharp(
  load: () => Promise<{ default: SharpLibrary }> = () => import('sharp'),
): Promise<SharpLibrary> {
  try {
    return restrict((await load()).default);
  } catch (error) {
    throw new AppError('MISSING_LIBRARY', { server: 'image-processing', library: 'sharp' }, { cause: error });
  }
}

/** Runs image work when its turn comes. */
export function withSharp<T>(work: (sharp: SharpLibrary) => Promise<T>, signal: AbortSignal): Promise<T> {
  return imageWork.run(async () => {
    loading ??= loadSharp();
    const sharp = await loading.catch((error: unknown) => {
      // Someone may install it while we run.
      loading = undefined;
      throw error;
    });
    signal.throwIfAborted();
    return work(sharp);
  }, signal);
}

/** Only these decoders stay; SVG, PDF and the like, which can reach other files, do not. */
const decoders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map(
  (name) => `VipsForeignLoad${name}Buffer`,
);

function restrict(sharp: SharpLibrary): SharpLibrary {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: decoders });
  sharp.cache({ memory: 32, files: 0, items: 20 });
  sharp.concurrency(2);
  return sharp;
}
