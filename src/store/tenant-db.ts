/** The state as its repositories see it: every look and every change is made for one tenant. */

import type { Kysely } from 'kysely';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { Tables } from './tables.ts';

/** Tables of which some rows have to be found before the tenant is known: PostgreSQL lets `readAcross` see these alone. */
export const readAcrossTables = ['api_keys', 'key_changes'] as const;
export type ReadAcrossTable = (typeof readAcrossTables)[number];

/** Where the state is, for people: never with a password. */
export interface StorePlace {
  readonly kind: 'sqlite' | 'postgresql';
  /** Path of the file, or `host:port/database`. */
  readonly at: string;
}

export type Work<T> = (db: Kysely<Tables>) => Promise<T>;

export interface TenantDb extends AsyncDisposable {
  readonly place: StorePlace;
  /**
   * Looks at rows of a tenant. Queries name the tenant; on PostgreSQL rows of others are not there either. Throws
   * STORAGE_FAILED, as all here.
   */
  read<T>(tenant: string, work: Work<T>): Promise<T>;
  /** Changes rows of a tenant: all or nothing. */
  write<T>(tenant: string, work: Work<T>): Promise<T>;
  /** Looks at rows of all tenants, for what finds out who someone is. */
  readAcross<T>(tables: readonly ReadAcrossTable[], work: Work<T>): Promise<T>;
}

/** What went wrong with the store, in our words; the rest passes. */
export function toStoreError({ at }: Pick<StorePlace, 'at'>, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const isFull = (error as { errcode?: unknown } | null)?.errcode === 13;
  if (isFull) return new AppError('DISK_FULL', { path: at }, { cause: error });
  return new AppError('STORAGE_FAILED', { path: at, problem: problemOf(error) }, { cause: error });
}

/** A name with several addresses fails with an empty message and one error an address. */
function problemOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return messageOf(error);
}
