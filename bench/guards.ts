/**
 * What the guards add to a request, microseconds of one thread: Host and Origin, the key among others, the leave of its
 * role, the policy (remembered; with a CEL condition on arguments and time; of a memory tool); beside the SHA-256 alone, without which no key can be checked. `node bench/guards.ts [--requests 200000] [--keys 10000]`.
 * Last line: one JSON object.
 */

import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAccess } from '../src/http/access.ts';
import { gatewayActions } from '../src/http/needed-permission.ts';
import { createGuard } from '../src/http/guards.ts';
import { createAuthenticate } from '../src/identity/authenticate.ts';
import { openKeyRing } from '../src/identity/key-ring.ts';
import { createManagedKeys } from '../src/identity/manage-keys.ts';
import { createAuthorizer } from '../src/identity/policies/authorizer.ts';
import { createPolicyEngine } from '../src/identity/policies/policy-engine.ts';
import { createPolicyGuard } from '../src/identity/policies/policy-guard.ts';
import type { GuardedCall } from '../src/kernel/call-guard.ts';
import { Cancel } from '../src/kernel/cancel.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
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
const memoryServerOf = (id: string) => (id === 'memory' ? { defaultScope: 'shared' } : undefined);
const engine = createPolicyEngine({ clock: systemClock, logger: silentLogger, memoryServerOf });
const conditions = [
  { actions: ['tools:call'], when: 'tool.readOnly || arguments.path == "/tmp" && time.hour >= 0' },
];
engine.use({ roles: { careful: { allow: conditions } } }, 'bench');
const authorizer = createAuthorizer(engine);
const policy = createPolicyGuard({ engine, authorizer, memoryServerOf });
const access = createAccess({ authenticate: createAuthenticate(ring, 'another'), authorizer });
const guard = createGuard({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [] });
const headers = { host: '127.0.0.1:3000', authorization: `Bearer ${key}` };
const answer = Promise.resolve({});
const through = () => answer;
function callOf(role: string, server: string, name: string): GuardedCall {
  const about = {
    requestId: '1',
    era: 'modern',
    mount: 'all',
    method: 'tools/call',
    signal: new Cancel(),
  } as const;
  const principal = { id: `key:${role}`, tenant: 'default', role };
  const params = { name, arguments: { key: 'a', path: '/tmp' } };
  const definition = { annotations: { readOnlyHint: false } };
  return { ...about, principal, server: { id: server, category: 'core' }, name, definition, params };
}
const remembered = callOf('agent', 'files', 'read');
const conditioned = callOf('careful', 'files', 'read');
const remembering = callOf('agent', 'memory', 'memory_retrieve');
const request = { socket: {}, url: '/mcp', headers } as IncomingMessage;

const figures = {
  hostAndOrigin: await microseconds(() => guard(request)),
  key: await microseconds(() => access.admit(request)),
  role: await microseconds(() => access.authorize(request, gatewayActions)),
  policy: await microseconds(() => policy.run(remembered, through)),
  sha256: await microseconds(() => hash('sha256', key, 'hex')),
};
const beside = {
  policyWithCondition: await microseconds(() => policy.run(conditioned, through)),
  policyOfMemory: await microseconds(() => policy.run(remembering, through)),
};
const { sha256, ...guards } = figures;
const total = round(Object.values(guards).reduce((sum, one) => sum + one, 0));
for (const [name, value] of Object.entries({ ...figures, ...beside }))
  process.stdout.write(`${name}: ${value} µs\n`);
process.stdout.write(
  `${JSON.stringify({ bench: 'guards', keys: keyCount, ...figures, ...beside, total, sha256 })}\n`,
);
