/** The encrypted local store: secrets by tenant, owner and name, each in versions. */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { MasterKeyRow, SecretMeta, SecretPlace, SecretRows } from '../store/secrets.ts';
import { openSecret, rewrapKey, sealSecret } from './envelope.ts';
import { type KeySource, loadMasterKey, loadNextKey, type MasterKey, takeNextFile } from './master-key.ts';

export interface LocalSecrets {
  /** A new version. Throws INVALID_INPUT for a name or a text that cannot be kept. */
  set(place: SecretPlace, text: string, expiresAt?: string | null): Promise<SecretMeta>;
  /** The newest version; undefined when there is none. Throws CONFIG_INVALID when it was sealed under another key. */
  find(place: SecretPlace): Promise<{ readonly text: string; readonly meta: SecretMeta } | undefined>;
  /** Of a tenant, without what they hold. */
  list(tenant: string): Promise<SecretMeta[]>;
  /** Throws NOT_FOUND. */
  remove(place: SecretPlace): Promise<void>;
  /**
   * Puts all secrets under another master key; resolves with their number. Without `next` it is a new one of the same
   * source, which has to be a file.
   */
  rotateKey(next?: KeySource): Promise<number>;
}

export interface LocalSecretsOptions {
  readonly rows: SecretRows;
  readonly clock: Clock;
  readonly key: KeySource;
  /** Versions of a secret that are kept. */
  readonly versions: number;
}

const maxBytes = 65_536;
const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/;

function checkName({ name }: SecretPlace): void {
  if (namePattern.test(name) && !/[./]{2}/.test(name)) return;
  throw new AppError('INVALID_INPUT', {
    field: 'name',
    problem: 'must be letters, digits and . _ - / between them, at most 128',
  });
}

function checkText(text: string): void {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes === 0) throw new AppError('INVALID_INPUT', { field: 'value', problem: 'is empty' });
  if (bytes > maxBytes)
    throw new AppError('PAYLOAD_TOO_LARGE', { what: 'the value', bytes, limitBytes: maxBytes });
}

export function createLocalSecrets({ rows, clock, key, versions }: LocalSecretsOptions): LocalSecrets {
  const nowIso = () => new Date(clock.now()).toISOString();
  let loaded: MasterKey | undefined;

  /** Read when it is needed for the first time, and again when another process has rotated it. */
  async function masterKey(): Promise<MasterKey> {
    const kept = await rows.masterKey();
    if (loaded && kept?.id === loaded.id) return loaded;
    const made = await loadMasterKey(key, kept);
    const { id, parameters } = made;
    const claimed: MasterKeyRow =
      kept ?? (await rows.claimMasterKey({ id, parameters, createdAt: nowIso() }));
    loaded = claimed.id === id ? made : await loadMasterKey(key, claimed);
    return loaded;
  }

  return {
    async set(place, text, expiresAt = null) {
      checkName(place);
      checkText(text);
      const { id, bytes } = await masterKey();
      return await rows.add({
        place,
        masterKeyId: id,
        seal: (version) => sealSecret(bytes, { ...place, version }, text),
        keep: versions,
        createdAt: nowIso(),
        expiresAt,
      });
    },
    async find(place) {
      const row = await rows.newest(place);
      if (!row) return undefined;
      const { wrapped, sealed, ...meta } = row;
      const { id, bytes } = await masterKey();
      try {
        return { text: openSecret(bytes, row, { wrapped, sealed }), meta };
      } catch (cause) {
        // A rotation came between the two reads.
        if ((await rows.masterKey())?.id !== id || (await rows.newest(place))?.wrapped !== wrapped)
          return await this.find(place);
        const problem = `secret ${place.name} cannot be opened: its row was changed, or belongs to another secret`;
        throw new AppError('CONFIG_INVALID', { file: 'secrets', problem, path: place.name }, { cause });
      }
    },
    list: (tenant) => rows.list(tenant),
    async remove(place) {
      if (!(await rows.remove(place))) throw new AppError('NOT_FOUND', { what: 'secret', id: place.name });
    },
    async rotateKey(next = key) {
      if (next === key && key.kind !== 'file')
        throw new AppError('INVALID_INPUT', {
          field: 'key',
          problem: 'is needed: the one of the config is not in a file of ours to write',
        });
      const former = await masterKey();
      const made = await loadNextKey(next);
      const { id, parameters } = made;
      const count = await rows.rewrap(former.id, { id, parameters, createdAt: nowIso() }, (row) =>
        rewrapKey(former.bytes, made.bytes, row, row.wrapped),
      );
      if (next.kind === 'file') await takeNextFile(next.path);
      loaded = made;
      return count;
    },
  };
}
