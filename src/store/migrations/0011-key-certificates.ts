/** Keys may be bound to a client certificate (RFC 8705); of it the SHA-256 is kept. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const keyCertificates: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('api_keys').addColumn('certificate', 'text').execute();
  },
};
