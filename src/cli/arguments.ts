/** Reads what stands on a command line; everything wrong is INVALID_INPUT naming the option. */

import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError, messageOf } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { CliContext } from './context.ts';

/** A whole number within bounds; for commander's option parsing. */
export function integerOption(field: string, minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new AppError('INVALID_INPUT', {
      field,
      problem: `must be a whole number from ${minimum} to ${maximum}`,
    });
  };
}

/** Gathers an option that may be given several times. */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `NAME=value` → pair; `undefined` as value when there is no `=`. */
export function splitPair(text: string, field: string): [name: string, value: string | undefined] {
  const index = text.indexOf('=');
  const name = index < 0 ? text : text.slice(0, index);
  if (name === '') throw new AppError('INVALID_INPUT', { field, problem: 'must look like name=value' });
  return [name, index < 0 ? undefined : text.slice(index + 1)];
}

/** JSON where the text is JSON, else the text itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A JSON object, or INVALID_INPUT. */
export function jsonObject(text: string, field: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('INVALID_INPUT', { field, problem: `is not valid JSON: ${messageOf(error)}` });
  }
  if (isJsonObject(value)) return value;
  throw new AppError('INVALID_INPUT', { field, problem: 'must be a JSON object' });
}

/** All of standard input as text. Refuses a terminal, where a person would wait for a prompt that never comes. */
export async function readStdin({ stdin }: CliContext, field: string): Promise<string> {
  if (stdin.isTTY)
    throw new AppError('INVALID_INPUT', {
      field,
      problem: 'is missing; give it, or pipe it to standard input',
    });
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer | string));
  return utf8(Buffer.concat(chunks), field);
}

/** Bytes that are no text would come back as other bytes: refused with INVALID_INPUT. */
function utf8(bytes: Buffer, field: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new AppError('INVALID_INPUT', {
    field,
    problem: 'is not UTF-8 text; encode binary data first, as Base64 for instance',
  });
}

/** The text of a file, or of standard input for `-`. */
export async function readInput(path: string, context: CliContext, field: string): Promise<string> {
  if (path === '-') return await readStdin(context, field);
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(context.cwd, path));
  } catch (error) {
    throw new AppError('INVALID_INPUT', { field, problem: messageOf(error) });
  }
  return utf8(bytes, field);
}
