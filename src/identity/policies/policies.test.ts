import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Policy, policyShape } from '../../contract/policy-shape.ts';
import { routes } from '../../contract/rest/routes.ts';
import { type Action, actions, actionTable } from '../../kernel/actions.ts';
import type { PolicyQuery } from '../../kernel/authorizer.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { operationActions } from '../../kernel/memory/operation-actions.ts';
import { type MemoryOperation, memoryOperations } from '../../kernel/memory/operations.ts';
import type { Principal } from '../../kernel/principal.ts';
import { roles } from '../../kernel/roles.ts';
import { createAuthorizer } from './authorizer.ts';
import { compilePolicy } from './compile-policy.ts';
import { decide } from './decide.ts';
import { createPolicyEngine } from './policy-engine.ts';

const builtIn = compilePolicy({ roles: {} }, 'built-in');
const nowMs = Date.parse('2026-03-02T10:30:00Z');
const somebody = (role: string, more: Partial<Principal> = {}): Principal => ({
  id: 'key:1',
  tenant: 'default',
  role,
  ...more,
});
const parse = (value: unknown): Policy => policyShape.parse(value);
const one = (key: string, scope = 'shared') => ({ scope, prefix: key, isExact: true });
const files = { id: 'files', category: 'filesystem' };

describe('built-in roles', () => {
  const calls = [
    'tools:call',
    'prompts:get',
    'resources:read',
    'methods:call',
    'memory:read',
    'memory:write',
    'memory:delete',
  ];
  const verbs = {
    owner: actions,
    admin: actions.filter((action) => action !== 'policy:manage' && action !== 'system:own'),
    operator: [
      ...['servers', 'bundles', 'remotes', 'deployments', 'system'].flatMap((noun) => [
        `${noun}:read`,
        `${noun}:manage`,
      ]),
      ...['backup', 'verify', 'reindex', 'sync'].map((verb) => `memory:${verb}`),
      'limits:read',
    ],
    developer: [
      ...calls,
      ...['servers', 'bundles', 'remotes', 'deployments', 'system'].map((noun) => `${noun}:read`),
    ],
    agent: calls,
    auditor: [
      ...['servers', 'bundles', 'remotes', 'deployments', 'system', 'policy', 'audit'].map(
        (noun) => `${noun}:read`,
      ),
      'policy:test',
    ],
    viewer: ['servers', 'bundles', 'remotes', 'deployments', 'system'].map((noun) => `${noun}:read`),
  } satisfies Record<(typeof roles)[number], readonly string[]>;

  it.each([...roles])('%s may do just this', (role) => {
    const may = actions.filter((action) => {
      const place = actionTable[action].by === 'place' ? one('a') : undefined;
      return decide(builtIn, somebody(role), { action, server: files, place }, { nowMs }).isAllowed;
    });
    expect(may.toSorted()).toEqual([...verbs[role]].toSorted());
  });

  it('of a name that nobody knows may do nothing', () => {
    for (const role of ['root', '', 'constructor', '__proto__'])
      expect(actions.some((action) => decide(builtIn, somebody(role), { action }, { nowMs }).isAllowed)).toBe(
        false,
      );
  });
});

describe('a decision', () => {
  const policy = compilePolicy(
    parse({
      roles: {
        r: {
          allow: [
            { actions: ['tools:call'], servers: ['files'], tools: ['read_*', 'files__write'] },
            { actions: ['tools:call'], categories: ['api'], when: 'tool.readOnly' },
            { actions: ['memory:read'], scopes: ['shared', 'category:*'] },
            { actions: ['memory:write'], prefixes: ['ก/', 'a/'] },
          ],
          deny: [
            { actions: ['memory:*'], prefixes: ['a/secret/'] },
            { actions: ['tools:call'], tools: ['read_late'], when: 'time.hour >= 9 && time.weekday == 1' },
            { actions: ['tools:call'], tools: ['read_path'], when: 'arguments.path.startsWith("/etc")' },
            { actions: ['tools:call'], when: 'network.remoteAddress == "10.0.0.9"' },
          ],
        },
      },
    }),
    'v',
  );
  const readOnly = { annotations: { readOnlyHint: true } };
  const tool = (name: string, more: Partial<PolicyQuery> = {}) =>
    ({ action: 'tools:call', server: files, tool: { name }, ...more }) as const;
  const api = { id: 'web', category: 'api' };
  it.each<[string, PolicyQuery, boolean, string | undefined]>([
    ['a name by its beginning', tool('read_file'), true, 'r.allow[0]'],
    ['a name with its server', tool('write'), true, 'r.allow[0]'],
    ['another tool', tool('erase'), false, undefined],
    ['another server', tool('read_file', { server: { id: 'other', category: 'x' } }), false, undefined],
    ['no server at all', { action: 'tools:call', tool: { name: 'read_file' } }, false, undefined],
    ['a hint', tool('get', { server: api, tool: { name: 'get', definition: readOnly } }), true, 'r.allow[1]'],
    ['no hint', tool('get', { server: api }), false, undefined],
    ['the time', tool('read_late'), false, 'r.deny[1]'],
    ['an argument', tool('read_path', { arguments: { path: '/etc/passwd' } }), false, 'r.deny[2]'],
    ['another argument', tool('read_path', { arguments: { path: '/tmp' } }), true, 'r.allow[0]'],
    ['an argument that is missing', tool('read_path', { arguments: {} }), false, 'r.deny[2]'],
    ['an address', tool('read_file', { remoteAddress: '10.0.0.9' }), false, 'r.deny[3]'],
    ['a scope', { action: 'memory:read', place: one('x', 'category:api') }, true, 'r.allow[2]'],
    ['another scope', { action: 'memory:read', place: one('x', 'server:a') }, false, undefined],
    ['all scopes', { action: 'memory:read', place: { prefix: 'x', isExact: false } }, false, undefined],
    ['Thai', { action: 'memory:write', place: one('ก/ข') }, true, 'r.allow[3]'],
    ['half a prefix', { action: 'memory:write', place: one('a') }, false, undefined],
    ['a denied part', { action: 'memory:write', place: one('a/secret/x') }, false, 'r.deny[0]'],
    [
      'what has a denied part',
      { action: 'memory:write', place: { scope: 'shared', prefix: 'a/', isExact: false } },
      false,
      'r.deny[0]',
    ],
    ['what is not said', { action: 'system:own' }, false, undefined],
  ])('goes by %s', (_, query, isAllowed, rule) => {
    expect(decide(policy, somebody('r'), query, { nowMs })).toMatchObject({ isAllowed });
    expect(decide(policy, somebody('r'), query, { nowMs }).rule).toBe(rule);
  });

  it('tells of a condition that fails, and denies', () => {
    const decision = decide(policy, somebody('r'), tool('read_path', { arguments: {} }), { nowMs });
    expect(decision).toMatchObject({
      isAllowed: false,
      problem: expect.stringContaining('r.deny[2]: field not found'),
    });
  });
});

it.each([
  [{ actions: ['tools:call'], scopes: ['shared'] }, /says nothing about tools:call/],
  [{ actions: ['memory:rekey'], prefixes: ['a'] }, /says nothing about memory:rekey/],
  [{ actions: ['*'], when: 'secrets.a' }, /does not know secrets/],
  [{ actions: ['*'], when: 'system("rm")' }, /no function system/],
  [{ actions: ['*'], when: 'true && '.repeat(120) + 'true' }, /parts, the limit/],
  [{ actions: ['*'], when: 'arguments.a.all(x, arguments.a.all(y, x == y))' }, /loop .* inside another/],
])('a rule that cannot mean anything is refused: %j', (rule, said) => {
  expect(() => compilePolicy(parse({ roles: { r: { allow: [rule] } } }), 'v')).toThrow(said);
});

it('a loop over more than it may walk denies', () => {
  const rule = { actions: ['tools:call'], when: 'arguments.list.all(x, x > 0)' };
  const policy = compilePolicy(parse({ roles: { r: { allow: [rule] } } }), 'v');
  const ask = (count: number) =>
    decide(
      policy,
      somebody('r'),
      { action: 'tools:call', arguments: { list: Array(count).fill(1) } },
      { nowMs },
    );
  expect(ask(100).isAllowed).toBe(true);
  expect(ask(20_000)).toMatchObject({
    isAllowed: false,
    problem: expect.stringContaining('items to look at'),
  });
});

it('includes that go round are refused', () => {
  const policy = parse({ roles: { a: { includes: ['b'] }, b: { includes: ['a'] } } });
  expect(() => compilePolicy(policy, 'v')).toThrow(/comes back to itself: a → b → a/);
});

const nameArb = fc.constantFrom('a', 'ab', 'b', 'memory_store', 'ก');
const patternArb = fc.constantFrom('a', 'a*', 'b', '*', 'memory_*', 'ก*');
const patternsArb = fc.option(fc.array(patternArb, { minLength: 1, maxLength: 2 }), { nil: undefined });
const scopeArb = fc.constantFrom('shared', 'category:a', 'server:b', 'coordinator');
const whenArb = fc.option(
  fc.constantFrom(
    'tool.readOnly',
    '"g" in principal.groups',
    'arguments.n == 1',
    'tool.name == "a"',
    'principal.claims.x',
  ),
  { nil: undefined },
);
const toolRuleArb = fc.record({
  actions: fc.constantFrom(['tools:call'], ['*'], ['tools:*', 'prompts:get']),
  servers: patternsArb,
  when: whenArb,
});
const placeRuleArb = fc.record({
  actions: fc.constantFrom(['memory:read'], ['memory:*'], ['memory:write', 'memory:delete']),
  scopes: fc.option(fc.array(scopeArb, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  prefixes: fc.option(fc.array(fc.constantFrom('a', 'a/', 'ก'), { minLength: 1, maxLength: 2 }), {
    nil: undefined,
  }),
});
const rulesArb = fc.array(fc.oneof(toolRuleArb, placeRuleArb), { maxLength: 4 });
const policyArb = fc
  .record({ allow: rulesArb, deny: rulesArb })
  .map((role) => JSON.parse(JSON.stringify({ roles: { r: role } })) as Policy);
const queryArb = fc.oneof(
  fc.record({
    action: fc.constant<Action>('tools:call'),
    server: fc.record({ id: nameArb, category: nameArb }),
    tool: fc.record({
      name: nameArb,
      definition: fc.constantFrom({}, { annotations: { readOnlyHint: true } }),
    }),
    arguments: fc.constantFrom({}, { n: 1 }, { n: 2 }),
  }),
  fc.record({
    action: fc.constantFrom<Action>('memory:read', 'memory:write', 'memory:delete', 'memory:forget'),
    place: fc.record({
      scope: fc.option(scopeArb, { nil: undefined }),
      prefix: fc.constantFrom('', 'a', 'a/b', 'ก/x'),
      isExact: fc.boolean(),
    }),
  }),
);
const principalArb = fc
  .record({ groups: fc.constantFrom(undefined, ['g']), claims: fc.constantFrom(undefined, { x: true }) })
  .map((more) => somebody('r', more));

const allowed = (policy: Policy, principal: Principal, query: PolicyQuery) =>
  decide(compilePolicy(policy, 'v'), principal, query, { nowMs }).isAllowed;

describe('whatever the policy', () => {
  it('deny wins, and the order of rules changes nothing', () => {
    fc.assert(
      fc.property(policyArb, principalArb, queryArb, (policy, principal, query) => {
        const { allow = [], deny = [] } = policy.roles['r']!;
        const turned = { roles: { r: { allow: allow.toReversed(), deny: deny.toReversed() } } };
        expect(allowed(turned, principal, query)).toBe(allowed(policy, principal, query));
        const closed = { roles: { r: { allow, deny: [...deny, { actions: [query.action] }] } } };
        expect(allowed(closed, principal, query)).toBe(false);
      }),
    );
  });

  it('a key that holds back, one rule less and one denial more never open anything', () => {
    const narrowingArb = fc.record({ servers: patternsArb, tools: patternsArb, scopes: patternsArb });
    fc.assert(
      fc.property(policyArb, principalArb, queryArb, narrowingArb, (policy, principal, query, narrowing) => {
        if (allowed(policy, principal, query)) return;
        expect(allowed(policy, { ...principal, narrowing }, query)).toBe(false);
        const { allow = [], deny = [] } = policy.roles['r']!;
        expect(allowed({ roles: { r: { allow: allow.slice(1), deny } } }, principal, query)).toBe(false);
      }),
    );
  });

  it('what is allowed for a place is allowed for each key in it', () => {
    fc.assert(
      fc.property(
        policyArb,
        principalArb,
        fc.constantFrom('', 'a', 'a/'),
        fc.string(),
        (policy, principal, prefix, rest) => {
          const query = {
            action: 'memory:read' as const,
            place: { scope: 'shared', prefix, isExact: false },
          };
          if (!allowed(policy, principal, query)) return;
          expect(allowed(policy, principal, { ...query, place: one(prefix + rest) })).toBe(true);
        },
      ),
    );
  });

  it('what is remembered is what would be decided', () => {
    fc.assert(
      fc.property(
        policyArb,
        fc.array(fc.tuple(principalArb, queryArb), { minLength: 1, maxLength: 20 }),
        (policy, asked) => {
          const engine = createPolicyEngine({
            clock: createFakeClock(nowMs),
            logger: silentLogger,
            memoryServerOf: () => undefined,
          });
          engine.use(policy, 'v');
          for (const [principal, query] of [...asked, ...asked]) {
            if (!('tool' in query)) continue;
            expect(engine.decideTool(principal, query).isAllowed).toBe(allowed(policy, principal, query));
            if (allowed(policy, principal, query)) {
              const item = { kind: 'tools' as const, server: query.server, ...query.tool };
              expect(engine.shows(principal, item)).toBe(true);
            }
          }
        },
      ),
    );
  });
});

/** One input of each operation that its shape takes. */
const samples: { readonly [Op in MemoryOperation]: unknown } = {
  store: { key: 'a', value: 1 },
  store_many: { entries: [{ key: 'a', value: 1 }] },
  append: { key: 'a', text: 't' },
  increment: { key: 'a' },
  delete: { key: 'a' },
  restore: { key: 'a', to: '2026-01-01' },
  retrieve: { key: 'a' },
  list: {},
  search: { query: 'a' },
  history: { key: 'a' },
  diff: { key: 'a', from: '2026-01-01' },
  links: { key: 'a' },
  changes: {},
  conflicts: {},
  resolve: { key: 'a', use: 'current' },
  stats: {},
  snapshot: { action: 'create', name: 's' },
  workspace: { action: 'create', name: 'w' },
  forget: { level: 'tombstone', keys: ['a'] },
  rekey: {},
  backup: { action: 'create' },
  verify: {},
  reindex: {},
  sync: {},
};

describe('each role and each operation of the memory', () => {
  const engine = createPolicyEngine({
    clock: createFakeClock(nowMs),
    logger: silentLogger,
    memoryServerOf: () => undefined,
  });
  engine.use(
    parse({ roles: { lost: { allow: [{ actions: ['memory:*'], prefixes: ['z/'] }] }, nobody: {} } }),
    'v',
  );
  const authorizer = createAuthorizer(engine);
  const caller = { actor: 't', agent: 't' };
  const memoryOf = (asked: string[]) => ({
    call: async (operation: MemoryOperation) => {
      asked.push(operation);
      return { items: [], hits: [], changes: [], conflicts: [], scopes: [], next: '' } as never;
    },
  });

  it.each([...roles, 'nobody'])(
    '%s gets through where its actions say so, and the memory is not asked else',
    async (role) => {
      const asked: string[] = [];
      const memory = authorizer.memoryFor(somebody(role), memoryOf(asked));
      for (const [name, sample] of Object.entries(samples)) {
        const operation = name as MemoryOperation;
        const input = memoryOperations[operation].input.parse(sample);
        const action = operationActions[operation];
        const may = decide(engine.current, somebody(role), { action, place: one('a') }, { nowMs }).isAllowed;
        const call = memory.call(operation, input, caller);
        if (may) await call;
        else await expect(call).rejects.toMatchObject({ code: 'FORBIDDEN' });
        expect([operation, ...asked.splice(0)]).toEqual(may ? [operation, operation] : [operation]);
      }
    },
  );

  it('who has one folder gets through with nothing outside it', async () => {
    const asked: string[] = [];
    const memory = authorizer.memoryFor(somebody('lost'), memoryOf(asked));
    const cut = ['list', 'search', 'changes', 'conflicts', 'stats'];
    for (const [name, sample] of Object.entries(samples)) {
      const operation = name as MemoryOperation;
      const input = memoryOperations[operation].input.parse(sample);
      await memory.call(operation, input as never, caller).catch(() => {});
      expect([operation, ...asked.splice(0)]).toEqual(
        cut.includes(operation) ? [operation, operation] : [operation],
      );
    }
  });
});

it('every route is of an action that is known', async () => {
  const { permissionOf, knownNounOf } = await import('../../http/needed-permission.ts');
  const strays = Object.entries(routes).filter(
    ([, route]) => !('action' in route) && knownNounOf(route.path) === undefined,
  );
  // Give the first part of its path a noun in `needed-permission.ts`, or the route an action.
  expect(strays.map(([name]) => name)).toEqual([]);
  for (const route of Object.values(routes)) expect(actions).toContain(permissionOf(route));
});
