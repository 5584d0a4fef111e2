/** One battery for every database that the store runs on, and for every repository: what one tenant has no other one sees. */

import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/open-store.ts';
import { storeKinds, type StorePlaceInTest, usePostgres, withoutPostgres } from '../fixtures/store-kinds.ts';

const server = usePostgres();
const kinds = storeKinds(server);
let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const change = (name: string, n: number) => ({
  at: `2026-11-21T00:00:00.${n}Z`,
  action: 'added',
  server: name,
  source: 'config',
  origin: null,
  problem: `problem ${n}`,
});
const key = (tenant: string, id: string, n: number) => ({
  id: `${tenant}.${id}`,
  tenant,
  name: `key ${n}`,
  role: 'agent',
  hash: 'ab'.repeat(32),
  createdAt: '2026-11-21T00:00:00.000Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  certificate: null,
  attributes: null,
});
const phaseOf = (id: string): number => id.codePointAt(0) ?? 0;

/** What a repository does with a thing of an id, in one form for all. A new repository needs a row here. */
interface Case {
  put(store: Store, tenant: string, id: string, n: number): Promise<unknown>;
  /** All that a tenant has, as `id:n`. */
  all(store: Store, tenant: string, ids: readonly string[]): Promise<string[]>;
  remove?(store: Store, tenant: string, id: string): Promise<unknown>;
  /** Each put is one more, in the order of puts. */
  isLog?: true;
}

interface Numbered {
  readonly n: number;
}
const entries = (name: 'addedServers' | 'addedRemotes'): Case => ({
  put: (store, tenant, id, n) => store[name].put(tenant, id, { n }),
  all: async (store, tenant) =>
    (await store[name].all(tenant)).map((row) => `${row.name}:${String(row.entry['n'])}`),
  remove: (store, tenant, id) => store[name].remove(tenant, id),
});

/** Still of the data folder, wherever the rest is. */
type Embedded = 'monthlyUses' | 'users' | 'webSessions' | 'oauthRecords' | 'secrets';

const cases: Readonly<Record<Exclude<keyof Store, symbol | 'place' | Embedded>, Case>> = {
  addedServers: entries('addedServers'),
  addedRemotes: entries('addedRemotes'),
  addedBundles: {
    put: (store, tenant, id, n) => store.addedBundles.put(tenant, id, { n }),
    all: async (store, tenant) =>
      Object.entries((await store.addedBundles.all(tenant)) as Record<string, Numbered>).map(
        ([id, { n }]) => `${id}:${n}`,
      ),
    remove: (store, tenant, id) => store.addedBundles.remove(tenant, id),
  },
  approvals: {
    put: (store, tenant, id, n) => store.approvals.put(tenant, id, { n }),
    all: async (store, tenant) =>
      [...((await store.approvals.all(tenant)) as Map<string, Numbered>)].map(([id, { n }]) => `${id}:${n}`),
  },
  scaleBounds: {
    put: (store, tenant, id, n) => store.scaleBounds.put(tenant, id, { min: 0, max: n }),
    all: async (store, tenant) =>
      [...(await store.scaleBounds.all(tenant))].map(([id, { max }]) => `${id}:${max}`),
    remove: (store, tenant, id) => store.scaleBounds.remove(tenant, id),
  },
  quarantine: {
    put: (store, tenant, id, n) => store.quarantine.put(tenant, id, String(n)),
    all: async (store, tenant) => [...(await store.quarantine.all(tenant))].map((pair) => pair.join(':')),
    remove: (store, tenant, id) => store.quarantine.remove(tenant, id),
  },
  serverSettings: {
    put: (store, tenant, id, n) => store.serverSettings.put(tenant, new Map([[id, { n }]])),
    all: async (store, tenant) =>
      [...((await store.serverSettings.all(tenant)) as Map<string, Numbered>)].map(
        ([id, { n }]) => `${id}:${n}`,
      ),
    remove: (store, tenant, id) => store.serverSettings.put(tenant, new Map([[id, undefined]])),
  },
  listings: {
    put: async (store, tenant, id, n) => void store.listings.put(tenant, id, { n }),
    async all(store, tenant, ids) {
      const listings = await Promise.all(ids.map((id) => store.listings.get(tenant, id)));
      return ids.flatMap((id, at) => (listings[at] ? [`${id}:${(listings[at] as Numbered).n}`] : []));
    },
  },
  deployments: {
    put: (store, tenant, id, n) => store.deployments.put(tenant, phaseOf(id), { id, n }),
    all: async (store, tenant) =>
      (await store.deployments.phases(tenant)).map((row) => Object.values(row as object).join(':')),
    remove: (store, tenant, id) => store.deployments.remove(tenant, phaseOf(id)),
  },
  serverChanges: {
    put: (store, tenant, id, n) => store.serverChanges.add(tenant, [change(id, n)]),
    all: async (store, tenant) =>
      (await store.serverChanges.newest(tenant, 1000))
        .map((row) => `${row.server}:${row.problem!.replace('problem ', '')}`)
        .toReversed(),
    isLog: true,
  },
  apiKeys: {
    put: (store, tenant, id, n) => store.apiKeys.add(key(tenant, `${id}.${n}`, n)),
    all: async (store, tenant) =>
      (await store.apiKeys.list(tenant)).map(({ id }) => id.slice(tenant.length + 1).replace('.', ':')),
  },
};

const tenants = ['default', 'ร้าน', "o'neil", ''];
const ids = ['a', 'B', 'ข', "'; drop table listings; --", '😀\u{10FFFF}'];

const step = fc.record({
  what: fc.constantFrom('put', 'put', 'remove'),
  tenant: fc.constantFrom('default', 'ร้าน', "o'neil"),
  id: fc.constantFrom(...ids),
});

describe.each(kinds)('the store on $name', ({ name, makePlace }) => {
  const skipped = name === 'postgresql' && withoutPostgres;
  let shared: StorePlaceInTest | undefined;
  afterAll(async () => {
    await shared?.[Symbol.asyncDispose]();
  });
  /** Making a database takes longer than a test. */
  const setUp = async () => (shared ??= await makePlace());

  it.skipIf(skipped).each(Object.entries(cases))('%s keep what each tenant has apart', async (_, one) => {
    const place = await setUp();
    let store = open.use(await place.open());
    const model = new Map<string, Map<string, string>>(tenants.map((tenant) => [tenant, new Map()]));
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        for (const { what, tenant, id } of steps) {
          n += 1;
          if (what === 'put') {
            await one.put(store, tenant, id, n);
            model.get(tenant)!.set(one.isLog || one === cases.apiKeys ? `${id} ${n}` : id, `${id}:${n}`);
          } else if (one.remove) {
            await one.remove(store, tenant, id);
            model.get(tenant)!.delete(id);
          }
        }
        for (const tenant of tenants) {
          const kept = [...model.get(tenant)!.values()];
          const seen = await one.all(store, tenant, ids);
          if (one.isLog) expect(seen).toEqual(kept);
          else expect(seen.toSorted()).toEqual(kept.toSorted());
        }
      }),
      { numRuns: 4 },
    );
    const before = await Promise.all(tenants.map((tenant) => one.all(store, tenant, ids)));
    await store[Symbol.asyncDispose]();
    store = open.use(await place.open());
    expect(await Promise.all(tenants.map((tenant) => one.all(store, tenant, ids)))).toEqual(before);
  });

  it.skipIf(skipped)('takes and gives things in the order of code points', async () => {
    const store = open.use(await (await setUp()).open());
    for (const id of ['b', 'é', 'A', 'ก', 'a', 'B']) await store.addedServers.put('order', id, {});
    expect((await store.addedServers.all('order')).map((row) => row.name).join('')).toBe('ABabéก');
  });

  it.skipIf(skipped)('keeps the newest changes and reports of each tenant', async () => {
    const store = open.use(await (await setUp()).open());
    await store.serverChanges.add('few', [change('kept', 0)]);
    const rows = Array.from({ length: 10_200 }, (_, n) => change('s', n));
    await store.serverChanges.add('many', rows);
    expect(await store.serverChanges.newest('many', 20_000)).toHaveLength(10_000);
    expect((await store.serverChanges.newest('many', 1))[0]!.problem).toBe('problem 10199');
    expect(await store.serverChanges.newest('few', 5)).toHaveLength(1);
    await store.deployments.addReport('other', { n: 0 });
    for (let n = 0; n < 5; n += 1) await store.deployments.addReport('default', { n });
    expect(await store.deployments.reports('default', 2)).toEqual([{ n: 4 }, { n: 3 }]);
    expect(await store.deployments.reports('other', 5)).toEqual([{ n: 0 }]);
  });

  it.skipIf(skipped)('takes text that some databases refuse, and long text', async () => {
    const store = open.use(await (await setUp()).open());
    await store.quarantine.put('default', 'a', 'nul \0 and half a 😀: \uD83D');
    expect((await store.quarantine.all('default')).get('a')).toMatch(/^nul . and half a 😀: /su);
    const long = 'ยาว'.repeat(1_000_000);
    await store.approvals.put('default', 'a', long);
    expect((await store.approvals.all('default')).get('a')).toBe(long);
  });

  it.skipIf(skipped)('knows a listing at once and has all on disk when it is closed', async () => {
    const place = await setUp();
    const names = Array.from({ length: 100 }, (_, n) => `k${n}`);
    {
      await using store = await place.open();
      for (const one of names) void store.listings.put('default', one, { one });
      expect(await store.listings.get('default', 'k99')).toEqual({ one: 'k99' });
      expect(await store.listings.get('other', 'k99')).toBeUndefined();
    }
    await using store = await place.open();
    for (const one of names) expect(await store.listings.get('default', one)).toEqual({ one });
  });

  it.skipIf(skipped)('shows keys of all tenants to the key ring, and that some have changed', async () => {
    const place = await setUp();
    const [store, other] = [open.use(await place.open()), open.use(await place.open())];
    const before = await store.apiKeys.version();
    await other.apiKeys.add(key('a', '1', 1));
    await other.apiKeys.add(key('b', '1', 1));
    const made = await store.apiKeys.version();
    expect(made).toBeGreaterThan(before);
    expect((await store.apiKeys.everyone()).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['a.1', 'b.1']),
    );
    expect(await other.apiKeys.setEnd('a', 'b.1', { revokedAt: '2026-11-22T00:00:00.000Z' })).toBe(false);
    await other.apiKeys.touch('a', new Map([['b.1', '2026-11-22T00:00:00.000Z']]));
    expect(await store.apiKeys.version()).toBe(made);
    expect(await other.apiKeys.setEnd('b', 'b.1', { revokedAt: '2026-11-22T00:00:00.000Z' })).toBe(true);
    expect(await store.apiKeys.version()).toBeGreaterThan(made);
    const ended = (await store.apiKeys.everyone()).find(({ id }) => id === 'b.1');
    expect(ended).toMatchObject({
      revokedAt: '2026-11-22T00:00:00.000Z',
      lastUsedAt: null,
      certificate: null,
      attributes: null,
    });
  });

  it.skipIf(skipped)('is opened by several at the same time', async () => {
    const place = await setUp();
    const stores = await Promise.all(Array.from({ length: 5 }, async () => open.use(await place.open())));
    await Promise.all(stores.map((store, n) => store.addedServers.put('at once', `s${n}`, {})));
    expect(await stores[0]!.addedServers.all('at once')).toHaveLength(5);
  });
});
