import { describe, expect, it } from 'vitest';
import type { BuiltIn } from './built-in-servers.ts';
import { categories, createPortLedger } from './categories.ts';
import { planBuiltIns } from './plan-built-ins.ts';
import { idOf, specFromEntry } from './plan-entries.ts';

const builtIn = (name: string, category: string, port: number, credentials: string[] = []): BuiltIn => ({
  module: `file:///${name}.ts`,
  definition: { name, title: name, description: name, version: '1', category, port, credentials, tools: [] },
});

const eight = [
  builtIn('git-memory-server', 'core', 4100),
  builtIn('3d-sco-thinking', 'core', 4102),
  builtIn('sqlite', 'database', 3104),
  builtIn('local-file-system', 'filesystem', 3150),
  builtIn('http-client', 'api', 3203),
  builtIn('image-processing', 'ai-ml', 3253),
  builtIn('git-operations', 'version-control', 3300),
  builtIn('system-monitoring', 'system', 3401),
];

const plan = (count: number, servers = eight) => planBuiltIns(count, servers, createPortLedger());

describe('planBuiltIns', () => {
  it('starts one of each first, on its own port', () => {
    expect(plan(8).map(({ name, port }) => [name, port])).toEqual(
      eight.map(({ definition }) => [definition.name, definition.port]),
    );
    expect(plan(3)).toHaveLength(3);
    expect(plan(0)).toEqual([]);
  });

  it('then goes on in turn, on the next free ports of the category', () => {
    const [sqlite, files] = plan(10).slice(8);
    expect(sqlite).toMatchObject({ id: 'sqlite-3100', alias: 'sqlite-3100', category: 'database' });
    expect(files).toMatchObject({ id: 'local-file-system-3151' });
  });

  it('finds a place for 1,000: each port once, each in its category', () => {
    const specs = plan(1000);
    expect(specs).toHaveLength(1000);
    expect(new Set(specs.map(({ port }) => port)).size).toBe(1000);
    expect(new Set(specs.map(({ id }) => id)).size).toBe(1000);
    expect(new Set(specs.map(({ alias }) => alias)).size).toBe(1000);
    for (const { name, firstPort, firstExtendedPort } of categories) {
      const ports = specs.filter(({ category }) => category === name).map(({ port }) => port);
      expect(ports.length).toBeGreaterThan(90);
      for (const port of ports) {
        expect(
          (port >= firstPort && port < firstPort + 50) ||
            (port >= firstExtendedPort && port < firstExtendedPort + 50),
        ).toBe(true);
      }
    }
  });

  it('gives core servers in a category that category’s memory', () => {
    const iot = plan(1000).find(({ category }) => category === 'iot');
    expect(iot?.launch).toMatchObject({ settings: { defaultScope: 'category:iot' } });
  });

  it('leaves out what needs credentials or is switched off', () => {
    const servers = [...eight, builtIn('github', 'version-control', 3301, ['GITHUB_TOKEN'])];
    expect(plan(9, servers).some(({ name }) => name === 'github')).toBe(false);
    const without = planBuiltIns(8, eight, createPortLedger(), { sqlite: { enabled: false } });
    expect(without.some(({ name }) => name === 'sqlite')).toBe(false);
  });

  it('keeps plain names for exactly one memory server', () => {
    expect(plan(1000).filter(({ alias }) => alias === '')).toHaveLength(1);
  });
});

describe('specFromEntry', () => {
  const spec = (name: string, entry: Parameters<typeof specFromEntry>[1]) =>
    specFromEntry(name, entry, 'config', createPortLedger(), eight);

  it('takes the three forms', () => {
    expect(spec('a', { command: 'x', args: ['y'] })).toMatchObject({
      id: 'a',
      alias: 'a',
      category: 'custom',
      port: 4110,
      launch: { kind: 'stdio', args: ['y'] },
    });
    expect(spec('b', { url: 'http://x/mcp' }).launch).toMatchObject({ kind: 'streamable-http', era: 'auto' });
    expect(spec('c', { builtin: 'sqlite', category: 'database', port: 3110 })).toMatchObject({
      port: 3110,
      launch: { kind: 'in-process' },
    });
  });

  it('names the wrong built-in and the ones there are', () => {
    expect(() => spec('c', { builtin: 'sqlit' })).toThrow(/sqlit.*git-memory-server/);
  });

  it('refuses a port that is taken', () => {
    const ports = createPortLedger();
    specFromEntry('a', { command: 'x', port: 4200 }, 'config', ports, eight);
    expect(() => specFromEntry('b', { command: 'x', port: 4200 }, 'config', ports, eight)).toThrow(/4200/);
  });

  it('voids the stored listing when what is launched changes, but not when a secret does', () => {
    const key = (entry: Parameters<typeof specFromEntry>[1]) => spec('a', entry).listingKey;
    expect(key({ command: 'x', args: ['1'] })).not.toBe(key({ command: 'x', args: ['2'] }));
    expect(key({ command: 'x', env: { TOKEN: '1' } })).toBe(key({ command: 'x', env: { TOKEN: '2' } }));
  });

  it.each([
    ['GitHub Enterprise', 'github-enterprise'],
    ['../../etc', 'etc'],
    ['Übergröße', 'ubergro-e'],
  ])('makes the id of %s fit for URLs', (name, id) => {
    expect(idOf(name)).toBe(id);
  });

  it('has an id for a name without Latin letters', () => {
    expect(idOf('ค้นหา')).toMatch(/^server-[0-9a-f]{8}$/);
  });
});

describe('replicas of an entry', () => {
  const specOf = (entry: object) =>
    specFromEntry('x', { command: 'x', ...entry }, 'config', createPortLedger(), []);
  const bounds = { min: 2, max: 5, upCoolDownMs: 1, downCoolDownMs: 2 };

  it('are a fixed number, one unless said', () => {
    expect([specOf({}).replicas, specOf({ replicas: 3 }).replicas]).toEqual([1, 3]);
    expect(specOf({ replicas: 3 }).scale).toBeUndefined();
  });

  it('follow the load from the least, towards a target that comes from the limit', () => {
    expect(specOf({ replicas: bounds })).toMatchObject({
      replicas: 2,
      scale: { ...bounds, targetConcurrency: 4 },
    });
    expect(specOf({ replicas: bounds, maxConcurrency: 10 }).scale?.targetConcurrency).toBe(7);
    expect(
      specOf({ replicas: { ...bounds, targetConcurrency: 2 }, maxConcurrency: 10 }).scale?.targetConcurrency,
    ).toBe(2);
  });
});
