/** Every row belongs to a tenant; those that are there to `default`. Tables are copied, as SQLite changes no key in place. */

import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

interface Table {
  readonly name: string;
  /** The former primary key. */
  readonly key: readonly [name: string, type: 'text' | 'integer'];
  readonly columns: readonly (readonly [name: string, type: 'text' | 'integer', nullable?: 'null'])[];
  /** Rows are numbered through: SQLite counts in a key of one column only, so the tenant is in an index. */
  readonly isCounted?: true;
}

const text = (...names: readonly string[]) => names.map((name) => [name, 'text'] as const);

const tables: readonly Table[] = [
  { name: 'listings', key: ['key', 'text'], columns: text('listing', 'updated_at') },
  { name: 'added_servers', key: ['name', 'text'], columns: text('entry', 'added_at') },
  { name: 'added_remotes', key: ['name', 'text'], columns: text('entry', 'added_at') },
  { name: 'bundles', key: ['name', 'text'], columns: text('settings', 'added_at') },
  { name: 'approvals', key: ['server', 'text'], columns: text('approval', 'updated_at') },
  {
    name: 'scale_bounds',
    key: ['server', 'text'],
    columns: [['least', 'integer'], ['most', 'integer'], ...text('set_at')],
  },
  { name: 'deployed_phases', key: ['phase', 'integer'], columns: text('record') },
  { name: 'server_settings', key: ['server', 'text'], columns: text('settings', 'updated_at') },
  { name: 'quarantined_servers', key: ['server', 'text'], columns: text('reason', 'at') },
  { name: 'deployment_reports', key: ['seq', 'integer'], isCounted: true, columns: text('report') },
  {
    name: 'server_changes',
    key: ['seq', 'integer'],
    isCounted: true,
    columns: [
      ...text('at', 'action', 'server', 'source'),
      ['origin', 'text', 'null'],
      ['problem', 'text', 'null'],
    ],
  },
];

async function addTenant(db: Kysely<unknown>, { name, key, columns, isCounted }: Table): Promise<void> {
  const copy = `${name}_of_tenants`;
  let create: CreateTableBuilder<string, string> = db.schema
    .createTable(copy)
    .addColumn('tenant', 'text', (column) => column.notNull());
  create = create.addColumn(...key, (column) =>
    isCounted ? column.primaryKey().autoIncrement() : column.notNull(),
  );
  for (const [column, type, nullable] of columns)
    create = create.addColumn(column, type, (one) => (nullable ? one : one.notNull()));
  if (!isCounted) create = create.addPrimaryKeyConstraint(`${name}_key`, ['tenant', key[0]]);
  await create.execute();
  const kept = sql.join([key[0], ...columns.map(([column]) => column)].map((column) => sql.ref(column)));
  await sql`insert into ${sql.table(copy)} (tenant, ${kept}) select 'default', ${kept} from ${sql.table(name)}`.execute(
    db,
  );
  await db.schema.dropTable(name).execute();
  await db.schema.alterTable(copy).renameTo(name).execute();
  if (isCounted)
    await db.schema.createIndex(`${name}_by_tenant`).on(name).columns(['tenant', 'seq']).execute();
}

export const tenants: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of tables) await addTenant(db, table);
    // Grows with each change of the keys of a tenant, in the same transaction: others see that there is something to read.
    await db.schema
      .createTable('key_changes')
      .addColumn('tenant', 'text', (column) => column.primaryKey())
      .addColumn('version', 'integer', (column) => column.notNull())
      .execute();
  },
};
