/**
 * What the guards add to a request, microseconds of one thread: Host and Origin, the key among others, the leave of its
 * role, the audit log on the call's way (`audit`) and with what is done behind it (`auditWritten`); beside the SHA-256
 * alone, without which no key can be checked. `node bench/guards.ts [--requests 200000] [--keys 10000]`.
 * Last line: one JSON object.
 */

import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setImmediate } from 'node:timers/promises';
import { createAccess } from '../src/http/access.ts';
import { createGuard } from '../src/http/guards.ts';
import { createAuthenticate } from '../src/identity/authenticate.ts';
import { openKeyRing } from '../src/identity/key-ring.ts';
import { createManagedKeys } from '../src/identity/manage-keys.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import type { GuardedCall } from '../src/kernel/call-guard.ts';
import { createAuditGuard } from '../src/metering/audit/audit-guard.ts';
import { createAuditWriter } from '../src/metering/audit/audit-writer.ts';
import { openAuditStore } from '../src/store/open-audit-store.ts';
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

const call: GuardedCall = {
  principal: { id: 'key:1f2e3d4c5b6a', tenant: 'default', role: 'agent' },
  requestId: 'r-1',
  era: 'modern',
  mount: 'all',
  method: 'tools/call',
  server: { id: 'git-memory-1', category: 'core' },
  name: 'memory_store',
  definition: { name: 'memory_store', inputSchema: { type: 'object' } },
  params: {
    name: 'memory_store',
    arguments: { key: 'notes/today', value: { text: 'some words to keep '.repeat(10), tags: ['a', 'b'] } },
  },
  signal: new AbortController().signal,
};
const result = { content: [] };
const next = async () => result;

/** All that a record costs, digest, chain and SQLite included: CPU of the process, microseconds a call. */
async function writtenMicroseconds(calls: number): Promise<number> {
  const auditStore = await openAuditStore(folder);
  parts.use(auditStore);
  const { records } = auditStore;
  const config = () => `sha256:${'0'.repeat(64)}`;
  const base = { records, config, clock: systemClock, logger: silentLogger, onFailure: 'block' } as const;
  const writer = parts.use(createAuditWriter(base));
  const auditGuard = createAuditGuard(writer, systemClock);
  let used = process.cpuUsage();
  for (let run = 0; run < 2; run += 1) {
    const before = process.cpuUsage();
    for (let n = 0; n < calls; n += 1) {
      await auditGuard.run(call, next);
      if (n % 500 === 499) await setImmediate();
    }
    await writer.flush();
    used = process.cpuUsage(before);
  }
  return round((used.user + used.system) / calls);
}

const silentAudit = createAuditGuard({ assertWritable() {}, note() {} }, systemClock);
const figures = {
  hostAndOrigin: await microseconds(() => guard(request)),
  key: await microseconds(() => access.admit(request)),
  role: await microseconds(() => access.authorize(request, 'use')),
  audit: await microseconds(() => silentAudit.run(call, next)),
  auditWritten: await writtenMicroseconds(Math.min(requests, 20_000)),
  sha256: await microseconds(() => hash('sha256', key, 'hex')),
};
// What is written is written behind the call, and is CPU of the same thread all the same.
const { sha256, audit: _, ...guards } = figures;
const total = round(Object.values(guards).reduce((sum, one) => sum + one, 0));
for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name}: ${value} µs\n`);
process.stdout.write(`${JSON.stringify({ bench: 'guards', keys: keyCount, ...figures, total, sha256 })}\n`);
