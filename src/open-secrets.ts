/** Where secrets are kept, as configured. Part of the composition root, like `coordinator.ts`. */

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from './config/load-config.ts';
import { resolveReference, secretSource } from './config/resolve-secrets.ts';
import type { SecretsConfig, VaultConfig } from './config/secrets-shape.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { AppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { localOwner } from './kernel/principal.ts';
import type { SecretAccess } from './kernel/secret-access.ts';
import { createLocalSecrets, type LocalSecrets } from './secrets/local-secrets.ts';
import type { KeySource } from './secrets/master-key.ts';
import { createVault, type Vault } from './secrets/vault-client.ts';
import { type SecretWatch, watchSecrets } from './secrets/watch-secrets.ts';
import type { SecretRows } from './store/secrets.ts';

/** Made in the data folder where no other key is configured. */
const keyFile = 'secrets.key';
/** A secret that the command line sets is in use after so long, milliseconds. */
const storeMs = 1000;

type KeyConfig = NonNullable<SecretsConfig['local']['key']>;

export interface Secrets {
  readonly local: LocalSecrets;
  readonly vault: Vault | undefined;
  /** Reads what references name, those of the vault remembered by `onRead`. */
  access(noted?: (text: string) => void): SecretAccess;
  /** From now on `onChange` hears when a secret is another one. */
  watch(parts: AsyncDisposableStack, onChange: () => Promise<void>): Promise<void>;
  /** Secrets that have run out, or do so within `secrets.warnDays`. */
  countExpiring(): Promise<number>;
  /** Looks for changes now, instead of a moment later. */
  look(): Promise<void>;
}

export interface SecretsDependencies {
  readonly rows: SecretRows;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

async function openVault(
  loaded: LoadedConfig,
  config: VaultConfig,
  deps: SecretsDependencies,
): Promise<Vault> {
  const { ca, token, appRole, ...rest } = config;
  const source = {
    ...secretSource({ baseDir: loaded.baseDir, file: loaded.file }),
    ...(deps.env && { env: deps.env }),
  };
  const read = (reference: NonNullable<typeof token>, name: string) => () =>
    resolveReference(reference, `secrets.vault.${name}`, source);
  const pem = ca === undefined ? undefined : await readPem(resolve(loaded.baseDir, ca));
  return createVault({
    ...rest,
    ca: pem,
    logIn: appRole
      ? {
          kind: 'app-role',
          mount: appRole.mount,
          roleId: read(appRole.roleId, 'appRole.roleId'),
          secretId: read(appRole.secretId, 'appRole.secretId'),
        }
      : { kind: 'token', token: read(token!, 'token') },
    clock: deps.clock ?? systemClock,
    logger: deps.logger,
  });
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const problem = `secrets.vault.ca needs the file ${path}: ${messageOf(error)}`;
    throw new AppError('CONFIG_INVALID', { file: 'config', problem, path: 'secrets.vault.ca' });
  }
}

/** Where a key of this form is; `where` names it in errors. */
export function keySourceOf(
  key: KeyConfig | undefined,
  loaded: LoadedConfig,
  vault: Vault | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): KeySource {
  const where = 'secrets.local.key';
  const source = { ...secretSource({ baseDir: loaded.baseDir, file: loaded.file }), env };
  if (key?.file !== undefined)
    return { kind: 'file', path: resolve(loaded.baseDir, key.file), mayCreate: false };
  if (key?.env !== undefined) {
    const reference = { env: key.env };
    return { kind: 'text', read: () => resolveReference(reference, where, source) };
  }
  if (key?.passphrase) {
    const { passphrase } = key;
    return { kind: 'passphrase', read: () => resolveReference(passphrase, where, source) };
  }
  if (key?.transit !== undefined) {
    const name = key.transit;
    if (!vault)
      throw new AppError('CONFIG_INVALID', {
        file: loaded.file ?? 'config',
        problem: `${where}.transit needs secrets.vault, which is not set`,
        path: where,
      });
    return {
      kind: 'transit',
      wrap: (bytes) => vault.encrypt(name, bytes),
      unwrap: (text) => vault.decrypt(name, text),
    };
  }
  return { kind: 'file', path: join(resolve(loaded.config.dataDir), keyFile), mayCreate: true };
}

/** Reads no secret yet, and makes no key before the first one is set. */
export async function openSecrets(
  parts: AsyncDisposableStack,
  loaded: LoadedConfig,
  deps: SecretsDependencies,
): Promise<Secrets> {
  const { rows, logger, clock = systemClock, env } = deps;
  const config = loaded.config.secrets;
  const warnMs = config.warnDays * 86_400_000;
  const vault = config.vault && parts.use(await openVault(loaded, config.vault, deps));
  const key = keySourceOf(config.local.key, loaded, vault, env);
  const local = createLocalSecrets({ rows, clock, key, versions: config.local.versions });
  let watch: SecretWatch | undefined;
  const seen: Parameters<SecretWatch['used']>[] = [];

  async function readVault(place: Parameters<Vault['read']>[0]): Promise<string> {
    if (!vault)
      throw new AppError('CONFIG_INVALID', {
        file: loaded.file ?? 'config',
        problem: 'secrets.vault is not set: give its address and how to log in',
        path: 'secrets.vault',
      });
    const text = await vault.read(place);
    if (watch) watch.used(place, text);
    else seen.push([place, text]);
    return text;
  }

  async function readLocal(name: string): Promise<string> {
    const found = await local.find({ tenant: localOwner.tenant, owner: '', name });
    if (!found) throw new AppError('NOT_FOUND', { what: 'secret', id: name });
    const { expiresAt } = found.meta;
    if (expiresAt !== null && Date.parse(expiresAt) - clock.now() < warnMs)
      logger.warn({ name, expiresAt }, 'a secret runs out soon, or has; set a new one');
    return found.text;
  }

  return {
    local,
    vault,
    access: (noted) => ({
      read: (reference) => ('secret' in reference ? readLocal(reference.secret) : readVault(reference.vault)),
      ...(noted && { noted }),
    }),
    async watch(holder, onChange) {
      const vaultMs = (config.vault?.refreshSeconds ?? 60) * 1000;
      watch = holder.use(await watchSecrets({ rows, vault, clock, logger, storeMs, vaultMs, onChange }));
      for (const used of seen) watch.used(...used);
    },
    countExpiring: () => rows.countExpiring(new Date(clock.now() + warnMs).toISOString()),
    look: async () => await watch?.look(),
  };
}
