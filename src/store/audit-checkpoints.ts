/** Table `audit_checkpoints`: signed ends of the chains of the audit log. The Git memory has them too. */

import type { Kysely } from 'kysely';
import type { AuditTables } from './tables.ts';

export interface StoredCheckpoint {
  readonly tenant: string;
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly hash: string;
  readonly keyId: string;
  /** Base64. */
  readonly signature: string;
}

export interface AuditCheckpoints {
  add(checkpoint: StoredCheckpoint): Promise<void>;
  /** In order, from after `seq` on. */
  after(tenant: string, seq: number, limit: number): Promise<StoredCheckpoint[]>;
  newest(tenant: string): Promise<StoredCheckpoint | undefined>;
}

export function createAuditCheckpoints(db: Kysely<AuditTables>): AuditCheckpoints {
  const select = (tenant: string) =>
    db
      .selectFrom('audit_checkpoints')
      .select(['tenant', 'seq', 'at', 'hash', 'key_id as keyId', 'signature'])
      .where('tenant', '=', tenant);
  return {
    async add({ keyId, ...rest }) {
      await db
        .insertInto('audit_checkpoints')
        .values({ ...rest, key_id: keyId })
        .onConflict((conflict) => conflict.columns(['tenant', 'seq']).doNothing())
        .execute();
    },
    after: (tenant, seq, limit) =>
      select(tenant).where('seq', '>', seq).orderBy('seq').limit(limit).execute(),
    newest: (tenant) => select(tenant).orderBy('seq', 'desc').limit(1).executeTakeFirst(),
  };
}
