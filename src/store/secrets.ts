/** Tables `secrets` and `secret_master_keys`: sealed values, and which key they are sealed under. */

import type { Kysely } from 'kysely';
import { AppError } from '../kernel/errors.ts';
import type { Tables } from './tables.ts';

/** Whose a secret is, and its name; `owner` is empty for one of the whole tenant. */
export interface SecretPlace {
  readonly tenant: string;
  readonly owner: string;
  readonly name: string;
}

/** What a version is sealed as: text, readable by whoever has the master key. */
export interface SealedSecret {
  readonly wrapped: string;
  readonly sealed: string;
}

/** A version without what it holds; times are ISO 8601. */
export interface SecretMeta extends SecretPlace {
  readonly version: number;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** The key that wraps all others is not kept; `parameters` is JSON that says how it is made of a passphrase. */
export interface MasterKeyRow {
  readonly id: string;
  readonly parameters: string;
  readonly createdAt: string;
}

export interface SecretRows {
  masterKey(): Promise<MasterKeyRow | undefined>;
  /** The first one; what is there when another process was faster. */
  claimMasterKey(row: MasterKeyRow): Promise<MasterKeyRow>;
  /** The newest version of each secret of a tenant, by name. */
  list(tenant: string): Promise<SecretMeta[]>;
  newest(place: SecretPlace): Promise<(SecretMeta & SealedSecret) | undefined>;
  /** A new version; of the older ones `keep - 1` stay. Throws INVALID_INPUT when the master key is another one by now. */
  add(wish: {
    readonly place: SecretPlace;
    readonly masterKeyId: string;
    readonly seal: (version: number) => SealedSecret;
    readonly keep: number;
    readonly createdAt: string;
    readonly expiresAt: string | null;
  }): Promise<SecretMeta>;
  /** All versions; false when there was none. */
  remove(place: SecretPlace): Promise<boolean>;
  /** Puts another master key in place of one, and all data keys under it, or changes nothing; answers how many. */
  rewrap(
    former: string,
    next: MasterKeyRow,
    wrap: (row: SecretMeta & SealedSecret) => string,
  ): Promise<number>;
  /** Secrets of all tenants whose newest version runs out before a time, ISO 8601. */
  countExpiring(before: string): Promise<number>;
  /** Something that changes when a secret does, by its place, of all tenants. */
  marks(): Promise<ReadonlyMap<string, string>>;
}

/** The master key wraps what all tenants have. */
const ofAll = 'default';

const metaColumns = [
  'tenant',
  'owner',
  'name',
  'version',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const;
const allColumns = [...metaColumns, 'wrapped', 'sealed'] as const;

export function createSecretRows(db: Kysely<Tables>): SecretRows {
  const versions = (place: SecretPlace) =>
    db
      .selectFrom('secrets')
      .where('tenant', '=', place.tenant)
      .where('owner', '=', place.owner)
      .where('name', '=', place.name);
  const masterKey = () =>
    db
      .selectFrom('secret_master_keys')
      .select(['id', 'parameters', 'created_at as createdAt'])
      .executeTakeFirst();

  async function assertMasterKey(id: string): Promise<void> {
    if ((await masterKey())?.id !== id)
      throw new AppError('INVALID_INPUT', {
        field: 'secrets.local.key',
        problem: 'was rotated by another process; try again',
      });
  }

  return {
    masterKey: () => masterKey(),
    async claimMasterKey({ createdAt, ...row }) {
      const found = await masterKey();
      if (found) return found;
      const values = { ...row, tenant: ofAll, created_at: createdAt };
      await db.insertInto('secret_master_keys').values(values).execute();
      return { ...row, createdAt };
    },
    async list(tenant) {
      const rows = await db
        .selectFrom('secrets')
        .select(metaColumns)
        .where('tenant', '=', tenant)
        .orderBy('name')
        .orderBy('owner')
        .orderBy('version', 'desc')
        .execute();
      return rows.filter((row, at) => rows[at - 1]?.name !== row.name || rows[at - 1]?.owner !== row.owner);
    },
    newest: (place) =>
      versions(place).select(allColumns).orderBy('version', 'desc').limit(1).executeTakeFirst(),
    async add({ place, masterKeyId, seal, keep, createdAt, expiresAt }) {
      await assertMasterKey(masterKeyId);
      const last = await versions(place)
        .select('version')
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      const version = (last?.version ?? 0) + 1;
      const { tenant, owner, name } = place;
      const { wrapped, sealed } = seal(version);
      await db
        .insertInto('secrets')
        .values({
          tenant,
          owner,
          name,
          version,
          wrapped,
          sealed,
          created_at: createdAt,
          expires_at: expiresAt,
        })
        .execute();
      await db
        .deleteFrom('secrets')
        .where('tenant', '=', tenant)
        .where('owner', '=', owner)
        .where('name', '=', name)
        .where('version', '<=', version - keep)
        .execute();
      return { tenant, owner, name, version, createdAt, expiresAt };
    },
    async remove({ tenant, owner, name }) {
      const { numDeletedRows } = await db
        .deleteFrom('secrets')
        .where('tenant', '=', tenant)
        .where('owner', '=', owner)
        .where('name', '=', name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async rewrap(former, { createdAt, ...next }, wrap) {
      await assertMasterKey(former);
      const rows = await db.selectFrom('secrets').select(allColumns).execute();
      for (const row of rows)
        await db
          .updateTable('secrets')
          .set({ wrapped: wrap(row) })
          .where('tenant', '=', row.tenant)
          .where('owner', '=', row.owner)
          .where('name', '=', row.name)
          .where('version', '=', row.version)
          .execute();
      await db.deleteFrom('secret_master_keys').execute();
      await db
        .insertInto('secret_master_keys')
        .values({ ...next, tenant: ofAll, created_at: createdAt })
        .execute();
      return rows.length;
    },
    async countExpiring(before) {
      const rows = await db
        .selectFrom('secrets')
        .select(['tenant', 'owner', 'name', 'expires_at as expiresAt'])
        .orderBy('version')
        .execute();
      const newest = new Map(
        rows.map(({ tenant, owner, name, expiresAt }) => [JSON.stringify([tenant, owner, name]), expiresAt]),
      );
      return [...newest.values()].filter((expiresAt) => expiresAt !== null && expiresAt < before).length;
    },
    async marks() {
      const rows = await db
        .selectFrom('secrets')
        .select(['tenant', 'owner', 'name', 'version', 'created_at as createdAt'])
        .orderBy('version')
        .execute();
      return new Map(
        rows.map(({ tenant, owner, name, version, createdAt }) => [
          JSON.stringify([tenant, owner, name]),
          `${version} ${createdAt}`,
        ]),
      );
    },
  };
}
