/** The keys that sign access tokens (Ed25519), made once and kept beside the store, each replaced after 90 days. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';

/** Signs so long, milliseconds. */
export const keyLifeMs = 90 * 86_400_000;
/** Still published and taken so long after its time, milliseconds: tokens live shorter. */
const keyAfterlifeMs = 86_400_000;
const fileName = 'oauth-keys.json';

const fileShape = z.strictObject({
  keys: z.array(
    z.strictObject({
      createdAt: z.iso.datetime(),
      jwk: z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        d: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    }),
  ),
});
type KeyFile = z.output<typeof fileShape>;

async function makeKey(clock: Clock): Promise<KeyFile['keys'][number]> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { x = '', d = '' } = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x });
  const jwk = { kty: 'OKP', crv: 'Ed25519', x, d, kid, alg: 'EdDSA', use: 'sig' } as const;
  return { createdAt: new Date(clock.now()).toISOString(), jwk };
}

async function read(file: string): Promise<KeyFile | undefined> {
  try {
    return fileShape.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Another key in its place would end all tokens and hide the damage.
    throw new AppError('STORAGE_FAILED', { path: file, problem: `cannot be read (${messageOf(error)})` });
  }
}

/** Whole or not at all, readable by its owner only from the first byte. */
async function write(file: string, content: KeyFile): Promise<void> {
  const fresh = `${file}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
}

/** The private keys, the one that signs first. Makes and replaces them as needed. Throws STORAGE_FAILED. */
export async function loadSigningKeys(dataDir: string, clock: Clock): Promise<JWK[]> {
  const file = join(dataDir, fileName);
  const former = (await read(file))?.keys ?? [];
  const ageMs = (key: KeyFile['keys'][number]) => clock.now() - Date.parse(key.createdAt);
  const kept = former.filter((key) => ageMs(key) < keyLifeMs + keyAfterlifeMs);
  if (!kept[0] || ageMs(kept[0]) >= keyLifeMs) {
    kept.unshift(await makeKey(clock));
    await write(file, { keys: kept });
  }
  return kept.map(({ jwk }) => jwk);
}
