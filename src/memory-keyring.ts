/** The keys of the config as the memory takes them. Part of the composition root, like `coordinator.ts`. */

import type { LoadedConfig } from './config/load-config.ts';
import { resolveReference, secretSource } from './config/resolve-secrets.ts';
import { type Keyring, openKeyring } from './memory/encryption/keyring.ts';

/** Reads the keys by their references. Throws CONFIG_INVALID for a key that is missing, weak or not known. */
export async function memoryKeyring(loaded: LoadedConfig, dataDir: string): Promise<Keyring> {
  const { keys, scopes } = loaded.config.memory;
  const source = secretSource(loaded);
  const secrets: Record<string, string> = {};
  for (const [name, reference] of Object.entries(keys))
    secrets[name] = await resolveReference(reference, `memory.keys.${name}`, source);
  // A closer pattern without `encrypt` must not put a scope in clear.
  const encrypted = Object.entries(scopes).flatMap(([pattern, { encrypt }]) =>
    encrypt === undefined ? [] : [[pattern, encrypt === false ? [] : [encrypt]] as const],
  );
  return openKeyring(dataDir, secrets, Object.fromEntries(encrypted));
}
