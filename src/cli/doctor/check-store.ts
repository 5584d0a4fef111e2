/** The store: which one, and whether it answers. */

import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { resolveStore } from '../../config/resolve-store.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import type { Finding } from './finding.ts';

/** Asks a database that is configured; changes nothing in it. */
export async function checkStore(loaded: LoadedConfig, { env }: CliContext): Promise<Finding> {
  const check = 'store';
  try {
    const store = await resolveStore(loaded, env);
    if (!store)
      return { check, status: 'ok', detail: `SQLite, ${join(loaded.config.dataDir, 'state.sqlite')}` };
    // Loaded here: without a database nobody waits for its driver.
    const { probePostgres } = await import('../../store/postgres/open-postgres.ts');
    const { at, version } = await probePostgres(store.url);
    return { check, status: 'ok', detail: `PostgreSQL ${version}, ${at}` };
  } catch (error) {
    return {
      check,
      status: 'fail',
      detail: messageOf(error),
      fix: 'start the database, or correct store.url; without `store` the state is in the data folder',
    };
  }
}
