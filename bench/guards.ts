/**
 * What the guards add to a request, microseconds of one thread: Host and Origin, the key among others, the leave of its
 * role; beside the SHA-256 alone, without which no key can be checked. `node bench/guards.ts [--requests 200000] [--keys 10000]`.
 * Last line: one JSON object.
 */

import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAccess } from '../src/http/access.ts';
import { createGuard } from '../src/http/guards.ts';
import { createAuthenticate } from '../src/identity/authenticate.ts';
import { openKeyRing } from '../src/identity/key-ring.ts';
import { createManagedKeys } from '../src/identity/manage-keys.ts';
import type { GuardedCall } from '../src/kernel/call-guard.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import { localOwner } from '../src/kernel/principal.ts';
import { createCredentialsGuard } from '../src/secrets/credentials-guard.ts';
import type { ServerAuth } from '../src/secrets/upstream-credentials.ts';
import { openStore } from '../src/store/open-store.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    keys: { type: 'string', default: '10000' },
  },
});
const requests = Number(values.requests);
const keyCount = Number(values.keys);
const round = (value: number): number => Math.round(value * 100) / 100;

/** The second of two runs: the first is for the compiler. */
async function microseconds(work: () => unknown): Promise<number> {
  let tookMs = 0;
  for (let run = 0; run < 2; run += 1) {
    const before = performance.now();
    for (let n = 0; n < requests; n += 1) {
      const result = work();
      if (result instanceof Promise) await result;
    }
    tookMs = performance.now() - before;
  }
  return round((tookMs * 1000) / requests);
}

const folder = await mkdtemp(join(tmpdir(), 'guards-'));
await using parts = new AsyncDisposableStack();
parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
const store = parts.use(await openStore(folder));
const keys = createManagedKeys(store.apiKeys, 'default', systemClock);
let key = '';
for (let n = 0; n < keyCount; n += 1) ({ key } = await keys.create({ name: `key ${n}`, role: 'agent' }));
const ring = parts.use(await openKeyRing({ keys: store.apiKeys, clock: systemClock, logger: silentLogger }));
const access = createAccess({ authenticate: createAuthenticate(ring, 'another') });
const guard = createGuard({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [] });
const headers = { host: '127.0.0.1:3000', authorization: `Bearer ${key}` };
const request = { url: '/mcp', headers } as IncomingMessage;

// A server that wants nothing, and one whose token is there.
const call = { principal: localOwner, server: { id: 'one', category: 'custom' }, params: {} } as GuardedCall;
const wanting = { id: 'one', url: 'https://one.test/mcp', auth: { type: 'static' } } as ServerAuth;
const credentialsGuard = (server: ServerAuth | undefined) =>
  createCredentialsGuard({
    credentials: { need: () => undefined },
    signIns: { begin: () => ({ url: '', done: Promise.resolve() }) },
    serverOf: () => server,
    clock: systemClock,
  });
const answered = Promise.resolve({});
const [plain, wants] = [credentialsGuard(undefined), credentialsGuard(wanting)];

const figures = {
  credentials: await microseconds(() => plain.run(call, () => answered)),
  credentialsWanted: await microseconds(() => wants.run(call, () => answered)),
  hostAndOrigin: await microseconds(() => guard(request)),
  key: await microseconds(() => access.admit(request)),
  role: await microseconds(() => access.authorize(request, 'use')),
  sha256: await microseconds(() => hash('sha256', key, 'hex')),
};
const { sha256, ...guards } = figures;
const total = round(Object.values(guards).reduce((sum, one) => sum + one, 0));
for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name}: ${value} µs\n`);
process.stdout.write(`${JSON.stringify({ bench: 'guards', keys: keyCount, ...figures, total, sha256 })}\n`);
