/**
 * What the guards add to a request, microseconds of one thread: bounds on its head, its connection and the depth of its
 * body, Host and Origin, the key among others (or a token that was seen before), the leave of its role, the policy
 * (remembered; with a CEL condition on arguments and time; of a memory tool), limits by five rules, all guardrails over a
 * call with a result of 1 KB, credentials for the server, the audit log on the call's way (`audit`) and with what is done behind it
 * (`auditWritten`); beside the SHA-256 alone, without which no key can be checked, and one limit by rate-limiter-flexible.
 * `node bench/guards.ts [--requests 200000] [--keys 10000]`. Last line: one JSON object.
 */

import { hash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { configShape } from '../src/config/schema.ts';
import { guardrailsShape } from '../src/config/guardrails-shape.ts';
import { compileGuardrails } from '../src/guardrails/compile-guardrails.ts';
import { createGuardrailGuard } from '../src/guardrails/guard-calls.ts';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { setImmediate } from 'node:timers/promises';
import { generateKeyPair, SignJWT } from 'jose';
import { createAccess } from '../src/http/access.ts';
import { assertDepth } from '../src/http/bounds/assert-depth.ts';
import { assertHead } from '../src/http/bounds/assert-head.ts';
import { createConnections } from '../src/http/bounds/connections.ts';
import { createForwarded } from '../src/http/forwarded.ts';
import { gatewayActions } from '../src/http/needed-permission.ts';
import { createGuard } from '../src/http/guards.ts';
import { createSecurityHeaders } from '../src/http/security-headers.ts';
import { createAuthenticate } from '../src/identity/authenticate.ts';
import { openKeyRing } from '../src/identity/key-ring.ts';
import { createManagedKeys } from '../src/identity/manage-keys.ts';
import { createAuthorizer } from '../src/identity/policies/authorizer.ts';
import { createPolicyEngine } from '../src/identity/policies/policy-engine.ts';
import { createPolicyGuard } from '../src/identity/policies/policy-guard.ts';
import type { GuardedCall } from '../src/kernel/call-guard.ts';
import { Cancel } from '../src/kernel/cancel.ts';
import { createTokenCheck, verifyJwt } from '../src/identity/oauth/access-tokens.ts';
import { systemClock } from '../src/kernel/clock.ts';
import type { JsonObject } from '../src/kernel/json-rpc.ts';
import { silentLogger } from '../src/kernel/log.ts';
import { localOwner } from '../src/kernel/principal.ts';
import { createLimitGuard } from '../src/metering/limits/limit-guard.ts';
import { openLimits } from '../src/metering/limits/open-limits.ts';
import { createAuditGuard } from '../src/metering/audit/audit-guard.ts';
import { createAuditWriter } from '../src/metering/audit/audit-writer.ts';
import { openAuditStore } from '../src/store/open-audit-store.ts';
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
const { connections: bounds } = configShape.parse({});
const connections = parts.use(
  createConnections({ bounds, isTrustedProxy: () => false, clock: systemClock, logger: silentLogger }),
);
const forwarded = createForwarded({ trustedProxies: ['10.0.0.0/8'], forwardedHeader: 'x-forwarded' });
const memoryServerOf = (id: string) => (id === 'memory' ? { defaultScope: 'shared' } : undefined);
const engine = createPolicyEngine({ clock: systemClock, logger: silentLogger, memoryServerOf });
const conditions = [
  { actions: ['tools:call'], when: 'tool.readOnly || arguments.path == "/tmp" && time.hour >= 0' },
];
engine.use({ roles: { careful: { allow: conditions } } }, 'bench');
const authorizer = createAuthorizer(engine);
const policy = createPolicyGuard({ engine, authorizer, memoryServerOf });
const access = createAccess({ authenticate: createAuthenticate(ring, 'another'), authorizer });
const guard = createGuard({
  host: '127.0.0.1',
  allowedHosts: [],
  allowedOrigins: [],
  schemeOf: () => 'http',
});
const headers = { host: '127.0.0.1:3000', authorization: `Bearer ${key}` };
const socket = Object.assign(new EventEmitter(), { remoteAddress: '10.0.0.1' });
const rawHeaders = Object.entries(headers).flat();
const requestWith = (more: Record<string, string>) =>
  ({ url: '/mcp', headers: { ...headers, ...more }, rawHeaders, socket }) as unknown as IncomingMessage;
const request = requestWith({});
const proxied = requestWith({ 'x-forwarded-for': '203.0.113.5' });
// Of a response only its end is of interest here.
const response = { once: (_: string, ended: () => void) => ended() } as unknown as ServerResponse;
const body = JSON.stringify({ params: { text: 'ภาษาไทย and "English" '.repeat(20), list: [{ a: [1, 2] }] } });
const protect = createSecurityHeaders(true);
const answer = new ServerResponse(new IncomingMessage(new Socket()));
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
const withTokens = createAccess({ authenticate: createAuthenticate(ring, 'another', tokens), authorizer });
const ofToken = requestWith({ authorization: `Bearer ${token}` });

/** All guardrails on, around a call with ordinary arguments and a result of 1 KB in which nothing is to be found. */
const on = { action: 'redact' };
const guardrails = createGuardrailGuard(
  compileGuardrails(
    guardrailsShape.parse({
      secretLeak: on,
      personalData: on,
      injection: on,
      pathsAndUrls: { action: 'block' },
      custom: { ticket: { pattern: 'TICKET-\\d{4,8}', action: 'redact' } },
    }),
  ),
);
const words = 'The build finished in 12.4 seconds with 3 warnings; see docs/build.md for what they mean.\n';
const result = { content: [{ type: 'text', text: words.repeat(12).slice(0, 1024) }] };
const call: GuardedCall = {
  principal: localOwner,
  requestId: 'r-1',
  era: 'legacy',
  mount: 'all',
  method: 'tools/call',
  server: { id: 'files', category: 'filesystem' },
  name: 'read_file',
  params: { name: 'read_file', arguments: { path: 'docs/build.md', from: 1, to: 200 } },
  signal: new Cancel(),
};
const answered = async (): Promise<JsonObject> => result;

const many = 1_000_000_000;
const { limits } = parts.use(
  await openLimits({
    settings: {
      rates: {
        key: { per: 'principal', perSecond: 1_000_000, burst: many },
        tenant: { per: 'tenant', perHour: many },
        server: { per: 'server', concurrency: many },
        tool: { per: 'tool', perSecond: 1_000_000, burst: many },
        all: { per: 'all', perMonth: many },
      },
      plans: {},
      tenantPlans: {},
      principalPlans: {},
    },
    uses: store.monthlyUses,
    clock: systemClock,
    logger: silentLogger,
  }),
);
const limitGuard = createLimitGuard(limits);
/** What was tried in its place, with one rule of the five. */
const library = new RateLimiterMemory({ points: many, duration: 3600 });

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
      await auditGuard.run(call, answered);
      if (n % 500 === 499) await setImmediate();
    }
    await writer.flush();
    used = process.cpuUsage(before);
  }
  return round((used.user + used.system) / calls);
}

const silentAudit = createAuditGuard({ assertWritable() {}, note() {} }, systemClock);
// A server that wants nothing, and one whose token is there.
const wanting = { id: 'files', url: 'https://one.test/mcp', auth: { type: 'static' } } as ServerAuth;
const credentialsGuard = (server: ServerAuth | undefined) =>
  createCredentialsGuard({
    credentials: { need: () => undefined },
    signIns: { begin: () => ({ url: '', done: Promise.resolve() }) },
    serverOf: () => server,
    clock: systemClock,
  });
const [plain, wants] = [credentialsGuard(undefined), credentialsGuard(wanting)];

const figures = {
  head: await microseconds(() => assertHead(request, bounds)),
  connection: await microseconds(() => connections.begin(request, response)),
  jsonDepth: await microseconds(() => assertDepth(body, bounds.jsonDepth)),
  credentials: await microseconds(() => plain.run(call, answered)),
  hostAndOrigin: await microseconds(() => guard(request)),
  key: await microseconds(() => access.admit(request)),
  role: await microseconds(() => access.authorize(request, gatewayActions)),
  policy: await microseconds(() => policy.run(remembered, answered)),
  forwardedAddress: await microseconds(() => forwarded.addressOf(proxied)),
  securityHeaders: await microseconds(() => protect(answer)),
  guardrails: await microseconds(() => guardrails.run(call, answered)),
  limits: await microseconds(() => limitGuard.run(call, answered)),
  audit: await microseconds(() => silentAudit.run(call, answered)),
  auditWritten: await writtenMicroseconds(Math.min(requests, 20_000)),
};
const beside = {
  credentialsWanted: await microseconds(() => wants.run(call, answered)),
  token: await microseconds(() => withTokens.admit(ofToken)),
  policyWithCondition: await microseconds(() => policy.run(conditioned, answered)),
  policyOfMemory: await microseconds(() => policy.run(remembering, answered)),
  libraryOneLimit: await microseconds(() => library.consume('key')),
  sha256: await microseconds(() => hash('sha256', key, 'hex')),
};
// Addresses and headers are not on the way of an MCP call. What the audit log writes, it writes behind the call, and is
// CPU of the same thread all the same.
const { forwardedAddress: _address, securityHeaders: _headers, audit: _audit, ...guards } = figures;
const total = round(Object.values(guards).reduce((sum, one) => sum + one, 0));
for (const [name, value] of Object.entries({ ...figures, ...beside }))
  process.stdout.write(`${name}: ${value} µs\n`);
process.stdout.write(
  `${JSON.stringify({ bench: 'guards', keys: keyCount, ...figures, ...beside, total })}\n`,
);
