/** Tools of the SQLite server that run statements: query, execute, transaction. */

import { z } from 'zod';
import { defineTool } from '../../kernel/define-server.ts';
import { databaseShape, readablePath, writablePath } from './database-files.ts';
import { inputValueShape, outputValueShape } from './sql-value-shapes.ts';
import { runSql, type SqliteContext } from './sqlite-settings.ts';

/** Bytes of JSON that one answer may hold. */
const maxAnswerBytes = 1024 * 1024;
const returningRows = 200;

const sqlShape = z.string().min(1).max(1_000_000).describe('One SQL statement of SQLite’s dialect.');
const parametersShape = z
  .union([z.array(inputValueShape).max(32_766), z.record(z.string(), inputValueShape)])
  .describe(
    'Values for ?, as a list, or for :name, as an object. Always use them instead of writing values into the SQL. ' +
      '{"base64": …} is a BLOB, {"integer": "…"} a 64-bit integer. A missing list value is NULL.',
  );

const columnsShape = z.array(z.string()).describe('Column names in order; a repeated one gets _2, _3 …');
const rowsShape = z.array(z.record(z.string(), outputValueShape)).describe('Rows as objects by column name.');

const writeOutput = {
  changes: z.number().int().describe('Rows inserted, updated or deleted, those of triggers included.'),
  lastInsertRowid: z
    .string()
    .optional()
    .describe('Row id of the last insert, decimal; only after an insert.'),
  columns: columnsShape,
  rows: rowsShape.describe('Rows of RETURNING, at most 200.'),
  truncated: z.boolean().describe('True when RETURNING had more rows; all were written.'),
};

export const query = defineTool({
  name: 'query',
  title: 'Query a database',
  description:
    'Run one SELECT (also WITH, VALUES, EXPLAIN QUERY PLAN or a reading PRAGMA such as table_info) and get its rows. ' +
    'Cannot change anything. Use list_tables and describe_table first if the schema is unknown. When truncated is ' +
    'true, narrow the query or page with LIMIT and OFFSET.',
  input: z.strictObject({
    sql: sqlShape,
    parameters: parametersShape.optional(),
    database: databaseShape,
    limit: z.number().int().min(1).max(5000).default(200).describe('Most rows to return.'),
  }),
  output: z.object({
    columns: columnsShape,
    rows: rowsShape,
    truncated: z.boolean().describe('True when there were more rows than limit, or than 1 MiB of JSON.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ sql, parameters, database, limit }, context: SqliteContext) => {
    const path = await readablePath(context.instance.dataDir, database);
    const cap = { maxRows: limit, maxBytes: maxAnswerBytes };
    return runSql('query', path, { statement: { sql, parameters }, cap }, context);
  },
});

export const execute = defineTool({
  name: 'execute',
  title: 'Write to a database',
  description:
    'Run one statement that writes: INSERT, UPDATE, DELETE, CREATE, ALTER, DROP; with RETURNING its rows come back. ' +
    'Makes the database if it is new. Durable when this returns. Use transaction for several statements that belong ' +
    'together and import_rows for many rows.',
  input: z.strictObject({ sql: sqlShape, parameters: parametersShape.optional(), database: databaseShape }),
  output: z.object(writeOutput),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  run: async ({ sql, parameters, database }, context: SqliteContext) => {
    const path = await writablePath(context.instance.dataDir, database);
    const cap = { maxRows: returningRows, maxBytes: maxAnswerBytes };
    return runSql('execute', path, { statement: { sql, parameters }, cap }, context);
  },
});

export const transaction = defineTool({
  name: 'transaction',
  title: 'Run a transaction',
  description:
    'Run a list of statements as one transaction: all take effect or, at the first failure, none. Reads in it see the ' +
    'writes before them. Do not send BEGIN or COMMIT. Returns one result a statement, in order.',
  input: z.strictObject({
    statements: z
      .array(z.strictObject({ sql: sqlShape, parameters: parametersShape.optional() }))
      .min(1)
      .max(1000)
      .describe('The statements in order.'),
    database: databaseShape,
  }),
  output: z.object({
    changes: z.number().int().describe('Sum over all statements.'),
    results: z.array(z.object(writeOutput)).describe('One result a statement, in order.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  run: async ({ statements, database }, context: SqliteContext) => {
    const path = await writablePath(context.instance.dataDir, database);
    const cap = { maxRows: returningRows, maxBytes: maxAnswerBytes };
    const results = await runSql('transaction', path, { statements, cap }, context);
    const changes = results.reduce((sum, result) => sum + result.changes, 0);
    return { changes, results };
  },
});
