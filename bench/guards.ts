/**
 * What the guards add to a request, microseconds of one thread: Host and Origin, the key among others, or a token that
 * was seen before, the leave of its role; beside the SHA-256 alone, without which no key can be checked. `node bench/guards.ts [--requests 200000] [--keys 10000]`.
 * Last line: one JSON object.
 */

import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateKeyPair, SignJWT } from 'jose';
import { createAccess } from '../src/http/access.ts';
import { createGuard } from '../src/http/guards.ts';
import { createAuthenticate } from '../src/identity/authenticate.ts';
import { openKeyRing } from '../src/identity/key-ring.ts';
import { createManagedKeys } from '../src/identity/manage-keys.ts';
import { createTokenCheck, verifyJwt } from '../src/identity/oauth/access-tokens.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import { localOwner } from '../src/kernel/principal.ts';
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
const socket = {};
const request = { url: '/mcp', headers, socket } as IncomingMessage;

const { privateKey, publicKey } = await generateKeyPair('EdDSA');
const audience = 'http://127.0.0.1:3000/mcp';
const token = await new SignJWT({ sub: 'one', aud: audience, iss: 'http://127.0.0.1:3000', scope: 'mcp' })
  .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
  .setExpirationTime('1h')
  .sign(privateKey);
const settings = { issuer: 'http://127.0.0.1:3000', algorithms: ['EdDSA'], clock: systemClock };
const verify = async (text: string) => {
  const { exp, audiences } = await verifyJwt(text, async () => publicKey, settings);
  return { audiences, expiresAtMs: exp * 1000, principal: () => localOwner };
};
const tokens = createTokenCheck(verify, systemClock);
const withTokens = createAccess({ authenticate: createAuthenticate(ring, 'another', tokens) });
const ofToken = {
  url: '/mcp',
  socket,
  headers: { ...headers, authorization: `Bearer ${token}` },
} as IncomingMessage;

const figures = {
  hostAndOrigin: await microseconds(() => guard(request)),
  key: await microseconds(() => access.admit(request)),
  token: await microseconds(() => withTokens.admit(ofToken)),
  role: await microseconds(() => access.authorize(request, 'use')),
  sha256: await microseconds(() => hash('sha256', key, 'hex')),
};
// A request shows a key or a token.
const { sha256, token: _token, ...guards } = figures;
const total = round(Object.values(guards).reduce((sum, one) => sum + one, 0));
for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name}: ${value} µs\n`);
process.stdout.write(`${JSON.stringify({ bench: 'guards', keys: keyCount, ...figures, total, sha256 })}\n`);
