/** Table `oauth_records`: clients, grants, codes and refresh tokens, each as the authorization server gives it. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** One of them; times are ISO 8601. */
export interface OauthRecord {
  /** `Client`, `Grant`, `RefreshToken` … */
  readonly model: string;
  readonly id: string;
  /** JSON. */
  readonly payload: string;
  readonly grantId: string | null;
  /** The second name of a session. */
  readonly uid: string | null;
  readonly userId: string | null;
  readonly clientId: string | null;
  readonly createdAt: string;
  /** Null: it does not end by itself. */
  readonly expiresAt: string | null;
  readonly consumedAt: string | null;
}

export interface OauthRecords {
  find(tenant: string, model: string, id: string): Promise<OauthRecord | undefined>;
  findByUid(tenant: string, model: string, uid: string): Promise<OauthRecord | undefined>;
  put(tenant: string, record: OauthRecord): Promise<void>;
  /** Marks it as used; false when it is gone, or was used before. */
  consume(tenant: string, model: string, id: string, at: string): Promise<boolean>;
  remove(tenant: string, model: string, id: string): Promise<void>;
  /** All of a model that came from a grant. */
  removeOfGrant(tenant: string, model: string, grantId: string): Promise<void>;
  /** The grants of a person, newest first. */
  grantsOf(tenant: string, userId: string): Promise<OauthRecord[]>;
  /** Ids of all grants of a tenant. */
  grantIds(tenant: string): Promise<string[]>;
  countOf(tenant: string, model: string): Promise<number>;
  /** Forgets what is over, and clients from before `unusedBefore` that nobody gave leave to. */
  sweep(now: string, unusedBefore: string): Promise<void>;
}

export function createOauthRecords(db: Kysely<Tables>): OauthRecords {
  const select = (tenant: string, model: string) =>
    db
      .selectFrom('oauth_records')
      .select([
        'model',
        'id',
        'payload',
        'grant_id as grantId',
        'uid',
        'user_id as userId',
        'client_id as clientId',
        'created_at as createdAt',
        'expires_at as expiresAt',
        'consumed_at as consumedAt',
      ])
      .where('tenant', '=', tenant)
      .where('model', '=', model);
  const remove = (tenant: string, model: string) =>
    db.deleteFrom('oauth_records').where('tenant', '=', tenant).where('model', '=', model);
  return {
    find: (tenant, model, id) => select(tenant, model).where('id', '=', id).executeTakeFirst(),
    findByUid: (tenant, model, uid) => select(tenant, model).where('uid', '=', uid).executeTakeFirst(),
    async put(tenant, record) {
      const { uid, payload, expiresAt, consumedAt } = record;
      const links = { grant_id: record.grantId, user_id: record.userId, client_id: record.clientId };
      const now = { ...links, uid, payload, expires_at: expiresAt, consumed_at: consumedAt };
      await db
        .insertInto('oauth_records')
        .values({ tenant, model: record.model, id: record.id, created_at: record.createdAt, ...now })
        .onConflict((conflict) => conflict.columns(['tenant', 'model', 'id']).doUpdateSet(now))
        .execute();
    },
    async consume(tenant, model, id, at) {
      const { numUpdatedRows } = await db
        .updateTable('oauth_records')
        .set({ consumed_at: at })
        .where('tenant', '=', tenant)
        .where('model', '=', model)
        .where('id', '=', id)
        .where('consumed_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(tenant, model, id) {
      await remove(tenant, model).where('id', '=', id).execute();
    },
    async removeOfGrant(tenant, model, grantId) {
      await remove(tenant, model).where('grant_id', '=', grantId).execute();
    },
    grantsOf: (tenant, userId) =>
      select(tenant, 'Grant').where('user_id', '=', userId).orderBy('created_at', 'desc').execute(),
    async grantIds(tenant) {
      return (await select(tenant, 'Grant').execute()).map(({ id }) => id);
    },
    async countOf(tenant, model) {
      const { count } = await db
        .selectFrom('oauth_records')
        .select((expression) => expression.fn.countAll().as('count'))
        .where('tenant', '=', tenant)
        .where('model', '=', model)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async sweep(now, unusedBefore) {
      await db.deleteFrom('oauth_records').where('expires_at', '<', now).execute();
      await db
        .deleteFrom('oauth_records')
        .where('model', '=', 'Client')
        .where('created_at', '<', unusedBefore)
        .where((build) =>
          build.not(
            build.exists(
              build
                .selectFrom('oauth_records as grants')
                .select('grants.id')
                .where('grants.model', '=', 'Grant')
                .whereRef('grants.tenant', '=', 'oauth_records.tenant')
                .whereRef('grants.client_id', '=', 'oauth_records.id'),
            ),
          ),
        )
        .execute();
    },
  };
}
