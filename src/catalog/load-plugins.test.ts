import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAppError } from '../kernel/errors.ts';
import { builtInServers } from './built-in-servers.ts';
import { loadPlugins } from './load-plugins.ts';

const examples = join(import.meta.dirname, '../../examples');
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plugins-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Installs a package of these files as npm would. */
async function install(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(dir, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name, type: 'module', exports: './index.js' }),
  );
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
}

async function problemOf(plugins: readonly string[]): Promise<string> {
  try {
    await loadPlugins(plugins, dir, builtInServers);
    return 'none';
  } catch (error) {
    return isAppError(error, 'PLUGIN_FAILED') ? error.message : `not a plugin's error: ${String(error)}`;
  }
}

const server = (fields: string) =>
  `export default () => ({ name: 'x', title: 'X', version: '1', category: 'system', port: 3440, tools: [], ${fields} });`;
const index = `export default { apiVersion: 1, name: 'p', servers: [new URL('./s.js', import.meta.url).href] };`;

describe('loadPlugins', () => {
  it('loads a path, and a package by its name', async () => {
    const { servers } = await loadPlugins(['./plugin-dice'], examples, builtInServers);
    const [dice] = servers;
    expect(dice?.definition).toMatchObject({ name: 'dice', category: 'system' });
    await install('@acme/p', { 'index.js': index, 's.js': server('') });
    const found = await loadPlugins(['@acme/p'], dir, builtInServers);
    expect(found.servers.map(({ definition }) => definition.name)).toEqual(['x']);
  });

  it('loads policies and exporters under the name of their plugin', async () => {
    const plugins = ['./plugin-policy', './plugin-exporter'];
    const { policies, exporters, servers } = await loadPlugins(plugins, examples, builtInServers);
    expect([servers, [...policies.keys()], [...exporters.keys()]]).toEqual([
      [],
      ['stay/put'],
      ['slow-calls/console'],
    ]);
  });

  it('says how to install one that is missing', async () => {
    expect(await problemOf(['@acme/missing'])).toMatch(
      /^plugin @acme\/missing: is not installed; install it with: npm install --prefix ".*" @acme\/missing$/,
    );
    expect(await problemOf(['./missing'])).toContain(`is not there as seen from ${dir}`);
  });

  it.each([
    [
      'another version of the API',
      { 'index.js': `export default { apiVersion: 2, name: 'p' };` },
      'version 2 of the plugin API',
    ],
    ['no default export', { 'index.js': `export const a = 1;` }, 'its default export'],
    ['an unknown kind', { 'index.js': `export default { apiVersion: 1, name: 'p', thems: [] };` }, 'thems'],
    [
      'an error while it is loaded',
      { 'index.js': `throw new Error('boom');` },
      'throws while it is loaded: boom',
    ],
    [
      'an error in a server',
      { 'index.js': index, 's.js': `export default () => { throw new Error('bang'); };` },
      'bang',
    ],
    ['a server that is none', { 'index.js': index, 's.js': `export default 1;` }, 'must export a function'],
    [
      'a wrong category',
      { 'index.js': index, 's.js': server(`category: 'toys'`) },
      'category: is no category',
    ],
    [
      'a policy that is none',
      {
        'index.js': `export default { apiVersion: 1, name: 'p', policies: [new URL('./s.js', import.meta.url).href] };`,
        's.js': `export default () => ({ name: 'x' });`,
      },
      'create: must be a function',
    ],
    [
      'a name that nothing can be named after',
      {
        'index.js': `export default { apiVersion: 1, name: 'My Plugin', exporters: [new URL('./s.js', import.meta.url).href] };`,
        's.js': `export default () => ({ name: 'x', async start() {} });`,
      },
      'its name "My Plugin" must be kebab-case',
    ],
    [
      'the name of a built-in',
      { 'index.js': index, 's.js': server(`name: 'sqlite'`) },
      'sqlite has the name of a built-in server',
    ],
  ])('refuses %s', async (_, files, problem) => {
    await install('p', files);
    expect(await problemOf(['p'])).toContain(problem);
  });

  it('refuses two plugins that bring the same server', async () => {
    await install('p', { 'index.js': index, 's.js': server('') });
    await install('q', { 'index.js': index, 's.js': server('') });
    expect(await problemOf(['p', 'q'])).toBe('plugin q: its server x has the name of a server of p');
  });
});
