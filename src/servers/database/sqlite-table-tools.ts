/** Tools of the SQLite server about tables: list, describe, import. */

import { z } from 'zod';
import { defineTool } from '../../kernel/define-server.ts';
import { databaseShape, readablePath, writablePath } from './database-files.ts';
import { inputValueShape } from './sql-value-shapes.ts';
import { runSql, type SqliteContext } from './sqlite-settings.ts';

const tableShape = z.string().min(1).max(200).describe('Name of the table, as it is, without quotes.');
const namesShape = z.array(z.string());

export const listTables = defineTool({
  name: 'list_tables',
  title: 'List tables',
  description:
    'List the tables, views and virtual tables of a database by name. Use describe_table for their columns.',
  input: z.strictObject({
    database: databaseShape,
    limit: z.number().int().min(1).max(5000).default(500).describe('Most tables to return.'),
  }),
  output: z.object({
    tables: z
      .array(
        z.object({
          name: z.string().describe('Name of the table.'),
          type: z.string().describe('table, view or virtual.'),
          columns: z.number().int().describe('How many columns it has.'),
        }),
      )
      .describe('By name.'),
    truncated: z.boolean().describe('True when there are more than limit.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ database, limit }, context: SqliteContext) =>
    runSql('listTables', await readablePath(context.instance.dataDir, database), { limit }, context),
});

const descriptionShape = z.object({
  name: z.string().describe('Name as it was declared.'),
  type: z.string().describe('table, view or virtual.'),
  sql: z.string().nullable().describe('The CREATE statement.'),
  strict: z.boolean().describe('True for a STRICT table, which enforces its types.'),
  withoutRowid: z.boolean().describe('True for a WITHOUT ROWID table.'),
  columns: z
    .array(
      z.object({
        name: z.string().describe('Column name.'),
        type: z.string().describe('Declared type, or empty.'),
        notNull: z.boolean().describe('True when NULL is refused.'),
        defaultValue: z.string().nullable().describe('Default as SQL, or null.'),
        primaryKeyPosition: z.number().int().describe('Place in the primary key from 1, or 0.'),
        generated: z.boolean().describe('True for a computed column.'),
      }),
    )
    .describe('In order.'),
  indexes: z
    .array(
      z.object({
        name: z.string().describe('Index name.'),
        unique: z.boolean().describe('True when it forbids duplicates.'),
        columns: namesShape.describe('Indexed columns in order.'),
      }),
    )
    .describe('By name.'),
  foreignKeys: z
    .array(
      z.object({
        columns: namesShape.describe('Columns here.'),
        table: z.string().describe('The other table.'),
        references: namesShape.describe('Columns there; empty means its primary key.'),
        onUpdate: z.string().describe('e.g. NO ACTION, CASCADE.'),
        onDelete: z.string().describe('e.g. NO ACTION, CASCADE.'),
      }),
    )
    .describe('References to other tables.'),
  triggers: namesShape.describe('Names of its triggers.'),
  rowCount: z.number().int().describe('Rows, counted up to 1,000,000.'),
  rowCountExact: z.boolean().describe('False when there are more than were counted.'),
});

export const describeTable = defineTool({
  name: 'describe_table',
  title: 'Describe a table',
  description:
    'Show one table or view: columns with types and keys, indexes, foreign keys, triggers, the CREATE statement and ' +
    'the number of rows. Use it before writing SQL against an unknown table.',
  input: z.strictObject({ table: tableShape, database: databaseShape }),
  output: descriptionShape,
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ table, database }, context: SqliteContext) =>
    runSql('describeTable', await readablePath(context.instance.dataDir, database), { table }, context),
});

export const importRows = defineTool({
  name: 'import_rows',
  title: 'Import rows',
  description:
    'Insert up to 10,000 JSON objects into a table in one transaction: all or none. Field names are column names; a ' +
    'missing field is NULL. With createTable a new table gets its columns and types from the rows.',
  input: z.strictObject({
    table: tableShape,
    rows: z
      .array(z.record(z.string().min(1).max(200), inputValueShape))
      .min(1)
      .max(10_000)
      .describe('The rows as objects by column name.'),
    createTable: z.boolean().default(false).describe('Make the table if there is none of that name.'),
    onConflict: z
      .enum(['fail', 'ignore', 'replace'])
      .default('fail')
      .describe(
        'What to do with a row that breaks a key: fail (nothing is imported), ignore it, or replace the old.',
      ),
    database: databaseShape,
  }),
  output: z.object({
    inserted: z.number().int().describe('Rows written.'),
    skipped: z.number().int().describe('Rows ignored because of a conflict.'),
    created: z.boolean().describe('True when the table was made.'),
    columns: namesShape.describe('Columns that were filled.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  run: async ({ database, ...wish }, context: SqliteContext) => {
    const path = await writablePath(context.instance.dataDir, database);
    return runSql('importRows', path, { wish }, context);
  },
});
