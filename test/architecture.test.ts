/** The import table of docs/architecture.md, checked against the code: who may import what, and how files are named. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '..', 'src');

/** Folder → folders of ours it may import. Files directly under src may import everything. */
const table: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  contract: ['kernel'],
  config: ['kernel'],
  discovery: ['kernel', 'config'],
  store: ['kernel'],
  transport: ['kernel'],
  servers: ['kernel'],
  memory: ['kernel', 'contract'],
  catalog: ['kernel', 'contract', 'store', 'servers'],
  pool: ['kernel', 'contract', 'transport', 'catalog'],
  fleet: ['kernel', 'contract', 'catalog', 'pool'],
  gateway: ['kernel', 'contract', 'catalog', 'pool'],
  identity: ['kernel', 'contract', 'store'],
  metering: ['kernel', 'contract', 'store'],
  guardrails: ['kernel'],
  secrets: ['kernel', 'store'],
  http: ['kernel', 'contract', 'identity', 'memory', 'catalog', 'pool', 'fleet', 'gateway'],
  metrics: ['kernel', 'pool', 'gateway'],
  cli: ['kernel', 'contract', 'config'],
};

/** Single files that may import more than their folder, each with the reason. */
const openDoors: Readonly<Record<string, readonly string[]>> = {
  // `start` is the one verb that runs the coordinator instead of asking it.
  'cli/start.ts': ['coordinator'],
  // These two work on a data folder on which no coordinator runs; both load the engine when they are run.
  'cli/memory/recover.ts': ['memory'],
  'cli/memory/verify.ts': ['memory'],
  // Who can write the data folder is its owner: keys are made there, with a coordinator on it or without.
  'cli/keys/open-keys.ts': ['identity', 'store'],
  // And what is done there is written down there.
  'cli/with-audit.ts': ['metering'],
  'cli/users/open-users.ts': ['identity', 'store'],
  // So are secrets.
  'cli/secrets/open-secrets.ts': ['open-secrets', 'store'],
  'cli/secrets/rotate-key.ts': ['open-secrets'],
  'cli/secrets/kept-secrets.ts': ['open-secrets', 'store'],
  // Who can read the data folder may read its audit log, and checks it there when nothing runs.
  'cli/audit/open-audit-log.ts': ['store', 'metering', 'memory'],
  // Tries the guardrails of a config on a file; no coordinator has to run.
  'cli/guardrails/test.ts': ['guardrails'],
  // Works on a data folder on which no coordinator runs, as its lock says.
  'cli/migrate.ts': ['memory', 'store'],
  // Asks a database whether it answers.
  'cli/doctor/check-store.ts': ['store'],
};

/** Libraries that more than one folder may import, each with the reason. */
const sharedLibraries: Readonly<Record<string, readonly string[]>> = {
  // Shapes are checked at every edge.
  zod: Object.keys(table),
  // The HTTP Client server, and vaults and authorization servers are asked over HTTP; config and memory files both hold YAML.
  undici: ['servers', 'secrets'],
  yaml: ['config', 'memory', 'cli'],
};

const files = globSync('**/*.ts', { cwd: src })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => !file.endsWith('.test.ts'));

interface Import {
  readonly from: string;
  readonly to: string;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|(?:^|[^\w.])import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(importPattern)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    const to = target.startsWith('.')
      ? normalize(join(dirname(file), target))
          .split(sep)
          .join('/')
      : target;
    return { from: file, to };
  });
}

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');
const imports = files.flatMap(importsOf);
const isOurs = ({ to }: Import) => files.includes(to);
const packageOf = (target: string) =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');

describe('architecture', () => {
  it('sees the code', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(imports.filter(isOurs).length).toBeGreaterThan(50);
  });

  it('lets each folder import only what the table allows', () => {
    const wrong = imports
      .filter(isOurs)
      .filter(({ from }) => folderOf(from) !== '')
      .filter(({ from, to }) => {
        const own = folderOf(from);
        const other = folderOf(to) === '' ? to.replace(/\.ts$/, '') : folderOf(to);
        return own !== other && !table[own]?.includes(other) && !openDoors[from]?.includes(other);
      });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('knows every folder', () => {
    expect([...new Set(files.map(folderOf))].filter((folder) => folder !== '').sort()).toEqual(
      Object.keys(table).sort(),
    );
  });

  it('has no relative import that leads nowhere', () => {
    const broken = imports.filter(({ to }) => to.endsWith('.ts') && !files.includes(to));
    expect(broken.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('imports each library from one folder only', () => {
    const users = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      if (to.startsWith('node:') || to.endsWith('.ts') || to.startsWith('@modelcontextprotocol/')) continue;
      const library = packageOf(to);
      users.set(library, (users.get(library) ?? new Set()).add(folderOf(from)));
    }
    const wrong = [...users].filter(([library, folders]) => {
      const allowed = sharedLibraries[library];
      return allowed ? [...folders].some((folder) => !allowed.includes(folder)) : folders.size > 1;
    });
    expect(wrong.map(([library, folders]) => `${library}: ${[...folders].join(', ')}`)).toEqual([]);
  });

  it('keeps files under 300 lines', () => {
    const long = files
      .map((file) => [file, readFileSync(join(src, file), 'utf8').split('\n').length] as const)
      .filter(([, lines]) => lines > 301);
    expect(long).toEqual([]);
  });

  it('names files in kebab-case, and none by an empty word', () => {
    const names = files.map((file) => file.slice(file.lastIndexOf('/') + 1, -3));
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^(utils?|helpers?|common|manager|service|misc)$/.test(name))).toEqual([]);
  });
});
