/** Our failures: thrown by code, worded by the table, answered by one mapper per edge. */

import { type ErrorCode, errorTable } from './error-table.ts';

export { type ErrorCode, errorTable };

/** Values that fill an error's message and travel to the caller; never secrets. */
export type ErrorData = Readonly<Record<string, unknown>>;

/** Fills `{name}` in a template from data; a name without data stays visible as `?`. */
function fill(template: string, data: ErrorData): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = data[name];
    if (value === undefined) return '?';
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** A failure of ours, by code; the sentence comes from the table. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly data: ErrorData;
  /** Short id printed to the caller and to the log, so that one finds the other. */
  readonly id: string;

  constructor(code: ErrorCode, data: ErrorData = {}, options?: { cause?: unknown }) {
    const id = crypto.randomUUID().slice(0, 8);
    super(fill(errorTable[code].message, { id, ...data }), options);
    this.code = code;
    this.data = data;
    this.id = id;
  }
}

/** True when the value is an AppError, with one of the given codes if any are given. */
export function isAppError(value: unknown, ...codes: ErrorCode[]): value is AppError {
  return value instanceof AppError && (codes.length === 0 || codes.includes(value.code));
}

/** Wraps anything thrown into an AppError; what is not ours becomes INTERNAL with the cause kept for the log. */
export function toAppError(value: unknown): AppError {
  return value instanceof AppError ? value : new AppError('INTERNAL', {}, { cause: value });
}

/** The message of anything thrown, for `problem` fields. */
export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
