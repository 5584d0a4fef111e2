/**
 * What a look at the store and a change cost on SQLite and on PostgreSQL, microseconds, one after the other; and how many a second
 * PostgreSQL does for eight at a time. `node bench/store.ts [--operations 1000]`. Without `initdb` SQLite alone. Last line: JSON.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore, type Store } from '../src/store/open-store.ts';
import { startPostgres, whyNoPostgres } from '../test/fixtures/postgres.ts';

const { values } = parseArgs({ options: { operations: { type: 'string', default: '1000' } } });
const operations = Number(values.operations);

/** The second of two runs: the first is for the compiler. */
async function microseconds(work: (n: number) => Promise<unknown>): Promise<number> {
  let tookMs = 0;
  for (let run = 0; run < 2; run += 1) {
    const before = performance.now();
    for (let n = 0; n < operations; n += 1) await work(n);
    tookMs = performance.now() - before;
  }
  return Math.round((tookMs * 1000) / operations);
}

async function perSecond(work: (n: number) => Promise<unknown>): Promise<number> {
  const before = performance.now();
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < operations) await work(n++);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return Math.round((operations * 1000) / (performance.now() - before));
}

async function measure(store: Store): Promise<Record<string, number>> {
  for (let n = 0; n < 20; n += 1) await store.quarantine.put('default', `s${n}`, 'odd');
  const read = () => store.quarantine.all('default');
  return {
    read: await microseconds(read),
    write: await microseconds((n) => store.quarantine.put('default', `s${n % 20}`, `odd ${n}`)),
    keysVersion: await microseconds(() => store.apiKeys.version()),
    readsPerSecond: await perSecond(read),
  };
}

await using parts = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'store-'));
parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
const figures: Record<string, Record<string, number>> = {
  sqlite: await measure(parts.use(await openStore(folder))),
};
const why = whyNoPostgres();
if (why === undefined) {
  const server = parts.use(await startPostgres({ isDurable: true }));
  const postgres = { url: await server.newUrl(), poolSize: 8 };
  figures['postgresql'] = await measure(parts.use(await openStore(folder, { postgres })));
} else process.stdout.write(`without PostgreSQL: ${why}\n`);
for (const [name, own] of Object.entries(figures))
  for (const [what, value] of Object.entries(own))
    process.stdout.write(`${name} ${what}: ${value}${what === 'readsPerSecond' ? '/s' : ' µs'}\n`);
process.stdout.write(`${JSON.stringify({ bench: 'store', operations, ...figures })}\n`);
