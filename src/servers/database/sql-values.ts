/** How SQLite values look in JSON, both ways. Runs in the SQL process, so it does without zod. */

import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { ToolError } from '../../kernel/define-server.ts';

/** A value to bind: booleans become 1 and 0; the object forms are for what JSON cannot hold. */
export type InputValue = boolean | OutputValue;

/** A value that SQLite returned; the object forms are those of the input. */
export type OutputValue = string | number | null | { base64: string } | { integer: string };

/** Turns a JSON value into one to bind; `where` names it in the ToolError for an integer beyond 64 bits. */
export function toSqlValue(value: InputValue, where: string): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // A whole number must arrive as INTEGER: node:sqlite binds every number as REAL.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value === 'string') return value;
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  const integer = BigInt(value.integer);
  if (BigInt.asIntN(64, integer) === integer) return integer;
  throw new ToolError(`${where}: ${value.integer} does not fit in 64 bits; send it as text`);
}

/** Turns a value read with `setReadBigInts` into JSON; what JSON cannot hold gets the object form. */
export function fromSqlValue(value: SQLOutputValue): OutputValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : { integer: String(value) };
  }
  // JSON has no infinity; SQLite reads it from 9e999.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  return value;
}
