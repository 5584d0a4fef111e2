/** A policy over a running coordinator: set, enforced on every way in, tested, tried and taken back. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RouteDefinition } from '../../src/contract/define-route.ts';
import { routes } from '../../src/contract/rest/routes.ts';
import { permissionOf } from '../../src/http/needed-permission.ts';
import { compilePolicy } from '../../src/identity/policies/compile-policy.ts';
import { allowsAny } from '../../src/identity/policies/decide.ts';
import { roles } from '../../src/kernel/roles.ts';
import { git } from '../fixtures/git-server.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { connectV1, connectV2, textOf } from './connect-client.ts';
import { type RunningCoordinator, runCli, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;
let folder: Awaited<ReturnType<typeof createTempFolder>>;

const policy = `
roles:
  notes:
    description: keeps notes under public/
    allow:
      - actions: [tools:call]
        tools: ['memory_*']
      - actions: [resources:read]
      - actions: [memory:read]
        scopes: [shared]
        prefixes: [public/]
      - actions: [memory:write]
        scopes: [shared]
        prefixes: [public/notes/]
  shy:
    includes: [developer]
    deny:
      - actions: ['memory:*']
        prefixes: [secret/]
  office:
    includes: [agent]
    deny:
      - actions: [tools:call]
        when: '!tool.readOnly && !("staff" in principal.groups)'
tests:
  - {role: notes, action: memory:write, scope: shared, key: public/x, expect: deny}
  - {role: notes, action: memory:write, scope: shared, key: public/notes/x, expect: allow}
`;

async function cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return await runCli([...args, '--data', coordinator.dataDir]);
}

async function makeKey(role: string, ...more: string[]): Promise<string> {
  const { stdout } = await cli('keys', 'create', '--name', role, '--role', role, ...more, '--json');
  return (JSON.parse(stdout) as { key: string }).key;
}

async function write(name: string, text: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text);
  return path;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const ask = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${coordinator.origin}${path}`, {
    ...init,
    headers: { ...bearer(key), ...(init.body !== undefined && { 'content-type': 'application/json' }) },
  });
const post = (path: string, key: string, body: unknown) =>
  ask(path, key, { method: 'POST', body: JSON.stringify(body) });
const connect = (key: string) => connectV2(coordinator.url, 'modern', {}, bearer(key));
const namesOf = ({ tools }: { tools: { name: string }[] }) => tools.map(({ name }) => name);

beforeAll(async () => {
  folder = await createTempFolder();
  coordinator = await startCoordinator({ servers: 3, args: ['--auth', 'required'] });
  const set = await cli('policy', 'set', await write('policy.yaml', policy));
  if (!/in force: version \w+, 3 roles, 2 tests held/.test(set.stderr)) throw new Error(set.stderr);
  const owner = await makeKey('owner');
  const entries = ['public/notes/a', 'public/b', 'secret/c', 'ลับ/d'].map((key) => ({
    key,
    value: `word ${key}`,
  }));
  await post('/api/v1/memory-store-many', owner, { entries });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

describe('a role with a part of the memory', () => {
  it('sees its tools and its memories over MCP, and nothing else', async () => {
    const client = await connect(await makeKey('notes'));
    const names = namesOf(await client.listTools());
    expect(names).toContain('memory_store');
    expect(names.filter((name) => !name.startsWith('memory_'))).toEqual([]);
    expect(names).not.toContain('memory_backup');
    expect(names).not.toContain('memory_delete');
    const call = (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args });
    const search = await call('memory_search', { query: 'word' });
    expect(
      (search.structuredContent as { hits: { key: string }[] }).hits.map(({ key }) => key).sort(),
    ).toEqual(['public/b', 'public/notes/a']);
    expect(textOf(search)).not.toContain('secret');
    const list = await call('memory_list', { limit: 1 });
    const { items, nextCursor } = list.structuredContent as { items: { key: string }[]; nextCursor: string };
    expect(items.map(({ key }) => key)).toEqual(['public/b']);
    expect(Buffer.from(nextCursor, 'base64url').toString()).not.toContain('public');
    const next = await call('memory_list', { limit: 1, cursor: nextCursor });
    expect(textOf(next)).toContain('public/notes/a');
    await expect(call('memory_retrieve', { key: 'secret/c' })).rejects.toThrow(/may not memory:read/);
    await expect(call('memory_store', { key: 'public/x', value: 1 })).rejects.toThrow(/may not memory:write/);
    await expect(call('memory_delete', { key: 'public/notes/a' })).rejects.toThrow(/unknown tool/);
    await expect(call('3d-sco-thinking__think', {})).rejects.toThrow(/unknown tool/);
    expect((await call('memory_store', { key: 'public/notes/x', value: 1 })).isError).not.toBe(true);
    expect(textOf(await call('memory_stats', {}))).toContain('"keys":0');
    expect((await client.readResource({ uri: 'memory://shared/public/b' })).contents).toHaveLength(1);
    await expect(client.readResource({ uri: 'memory://shared/secret/c' })).rejects.toThrow(/not found/);
    await client.close();
  });

  it('finds no more over search mode, sessions and REST', async () => {
    const key = await makeKey('notes');
    const old = await connectV1(`${coordinator.url}?tools=search`, {}, bearer(key));
    const found = await old.callTool({ name: 'find_tools', arguments: { query: 'think about something' } });
    expect(textOf(found)).not.toMatch(/think"/);
    const described = await old.callTool({ name: 'describe_tool', arguments: { names: ['memory_backup'] } });
    expect(textOf(described)).toContain('"unknown":["memory_backup"]');
    await expect(old.subscribeResource({ uri: 'memory://shared/secret/c' })).rejects.toThrow(/not found/);
    await old.close();
    expect((await ask('/api/v1/memory/shared/secret%2Fc', key)).status).toBe(403);
    expect((await ask('/api/v1/memory/shared/public%2Fb', key)).status).toBe(200);
    const { items } = (await (await ask('/api/v1/memory', key)).json()) as { items: unknown[] };
    expect(items).toHaveLength(3);
    expect((await ask('/api/v1/servers', key)).status).toBe(403);
    expect(
      (await post('/api/v1/memory-forget', key, { level: 'tombstone', keys: ['public/b'] })).status,
    ).toBe(403);
    const tools = (await (await ask('/api/v1/tools', key)).json()) as { items: { name: string }[] };
    expect(tools.items.every(({ name }) => name.startsWith('memory_'))).toBe(true);
    await expect(
      connectV2(coordinator.serverUrl('3d-sco-thinking'), 'modern', {}, bearer(key)),
    ).rejects.toThrow();
  });

  it('may neither clone nor push what is not its own', async () => {
    const { host } = new URL(coordinator.origin);
    const urlOf = (key: string, tenant = 'default') => `http://key:${key}@${host}/git/${tenant}.git`;
    const run = (cwd: string, ...args: string[]) =>
      git(cwd, '-c', 'credential.helper=', '-c', 'user.name=t', '-c', 'user.email=t@t', ...args);
    const notes = await makeKey('notes');
    expect((await run(folder.path, 'clone', urlOf(notes), 'no')).terminal).toMatch(/403|may not read/);
    expect((await run(folder.path, 'clone', urlOf(await makeKey('owner'), 'other'), 'no')).terminal).toMatch(
      /not found/,
    );
    const agent = await makeKey('agent');
    expect((await run(folder.path, 'clone', '--quiet', urlOf(agent), 'yes')).code).toBe(0);
    const clone = join(folder.path, 'yes');
    await writeFile(join(clone, 'shared', 'public', 'notes', 'pushed.md'), 'pushed\n');
    await run(clone, 'add', '.');
    await run(clone, 'commit', '--quiet', '-m', 'one');
    const push = (key: string) => run(clone, 'push', urlOf(key), 'HEAD:main');
    const shy = await makeKey('shy');
    expect((await push(shy)).code).toBe(0);
    await writeFile(join(clone, 'shared', 'secret', 'c.md'), 'changed\n');
    await run(clone, 'commit', '--quiet', '-a', '-m', 'two');
    expect((await push(shy)).terminal).toMatch(/secret\/c.md.*not yours to change/);
    expect((await push(agent)).code).toBe(0);
  });
});

describe('a role', () => {
  it('is refused by every route whose action it lacks, whatever is sent', async () => {
    const lesser = roles.filter((role) => role !== 'owner');
    const keys = await Promise.all(lesser.map(async (role) => [role, await makeKey(role)] as const));
    const compiled = compilePolicy({ roles: {} }, 'built-in');
    for (const [name, route] of Object.entries(routes) as [string, RouteDefinition][]) {
      if (route.isForAll === true) continue;
      const action = permissionOf(route);
      const path = route.path.replaceAll(/:\w+/g, 'shared').replace('*', 'x');
      for (const [role, key] of keys) {
        if (allowsAny(compiled, role, [action])) continue;
        const { status } = await ask(path, key, { method: route.method });
        expect([name, role, status]).toEqual([name, role, 403]);
      }
    }
  });
});

describe('keys', () => {
  it('hold back servers, tools and scopes', async () => {
    const narrow = ['--tools', 'memory_retrieve,memory_list', '--scopes', 'category:*'];
    const key = await makeKey('owner', ...narrow);
    const client = await connect(key);
    expect(namesOf(await client.listTools()).sort()).toEqual(['memory_list', 'memory_retrieve']);
    await expect(
      client.callTool({ name: 'memory_retrieve', arguments: { key: 'public/b' } }),
    ).rejects.toThrow();
    await client.close();
    expect((await ask('/api/v1/memory?scope=category:x', key)).status).toBe(403);
    expect(
      (await ask('/api/v1/memory?scope=category:x', await makeKey('agent', '--servers', 'a'))).status,
    ).toBe(403);
    expect(
      (await ask('/api/v1/memory?scope=category:x', await makeKey('agent', '--scopes', 'category:*'))).status,
    ).toBe(200);
    expect((await ask('/api/v1/policy', key)).status).toBe(200);
    expect(
      (await ask('/api/v1/policy', key, { method: 'PUT', body: '{"policy":{"roles":{}}}' })).status,
    ).toBe(403);
    expect((await cli('keys', 'list')).stdout).toContain(
      'tools: memory_retrieve,memory_list; scopes: category:*',
    );
  });

  it('carry groups, which conditions ask for', async () => {
    const plain = await connect(await makeKey('office'));
    const staff = await connect(await makeKey('office', '--groups', 'staff,prod'));
    expect(namesOf(await plain.listTools())).not.toContain('memory_store');
    expect(namesOf(await plain.listTools())).toContain('memory_retrieve');
    expect(namesOf(await staff.listTools())).toContain('memory_store');
    await Promise.all([plain.close(), staff.close()]);
  });
});

describe('nobody but the owner', () => {
  it.each(['admin', 'agent'])('changes the policy: %s', async (role) => {
    const key = await makeKey(role);
    const entries = [{ key: 'policy', value: { roles: {} } }];
    expect((await post('/api/v1/memory-store-many', key, { entries, scope: 'coordinator' })).status).toBe(
      403,
    );
    const stored = await ask('/api/v1/memory/coordinator/policy', key, {
      method: 'PUT',
      body: '{"value":1}',
    });
    expect(stored.status).toBe(403);
    expect((await ask('/api/v1/memory/coordinator/policy', key, { method: 'DELETE' })).status).toBe(403);
    expect((await post('/api/v1/memory-restore', key, { all: true, to: '2020-01-01' })).status).toBe(403);
    const client = await connect(key);
    const args = { key: 'policy', scope: 'coordinator', value: 1 };
    await expect(client.callTool({ name: 'memory_store', arguments: args })).rejects.toThrow(/policy:manage/);
    await client.close();
    expect(
      (await ask('/api/v1/policy', key, { method: 'PUT', body: '{"policy":{"roles":{}}}' })).status,
    ).toBe(403);
  });
});

describe('the command line', () => {
  it('shows, tests and explains', async () => {
    expect((await cli('policy', 'show', 'notes')).stdout).toContain('prefixes:');
    expect(JSON.parse((await cli('policy', 'show', '--json')).stdout)).toMatchObject({
      policy: { roles: { shy: {} } },
    });
    expect((await cli('policy', 'test')).code).toBe(0);
    const wrong = policy.replace('expect: allow', 'expect: deny');
    const failed = await cli('policy', 'test', await write('wrong.yaml', wrong));
    expect(failed.code).toBe(2);
    expect(failed.stdout).toMatch(/FAILED\tdeny\tallow\tnotes\.allow\[3\]/);
    expect((await cli('policy', 'set', join(folder.path, 'wrong.yaml'))).stderr).toMatch(
      /wrong\.yaml:27: tests\.1: 2: notes memory:write/,
    );
    const why = await cli('policy', 'why', 'shy', 'memory:read', '--scope', 'shared', '--key', 'secret/c');
    expect(why.stdout).toMatch(/^decision\tdeny\nrole\tshy\nrule\tshy\.deny\[0\]/);
    expect((await cli('policy', 'why', 'nobody', 'memory:read')).stderr).toMatch(/role not found: nobody/);
  });

  it.each([
    [
      'roles:\n  a:\n    allow:\n      - actions: [tools:fly]\n',
      /bad\.yaml:4: roles\.a\.allow\.0\.actions\.0: is no action/,
    ],
    ['roles:\n  a:\n    alow: []\n', /bad\.yaml:3: roles\.a\.alow/],
    ['roles:\n  a:\n    includes: [b]\n', /bad\.yaml:3: roles\.a\.includes: names b/],
    [
      'roles:\n  a:\n    allow:\n      - actions: [tools:call]\n        when: tool.readOnly ||\n',
      /bad\.yaml:5: .*is no CEL/,
    ],
    ['roles:\n  a: [\n', /bad\.yaml:\d/],
    ['roles:\n  owner: {}\n', /cannot have owner/],
  ])('refuses what is wrong with its line, and the former goes on', async (text, said) => {
    const { code, stderr } = await cli('policy', 'set', await write('bad.yaml', text));
    expect(stderr).toMatch(said);
    expect(code).toBe(3);
    expect((await cli('policy', 'test')).stderr).toContain('2 hold, 0 do not');
  });

  it('tries a policy, and goes back to a former one', async () => {
    const next = 'roles: {agent: {allow: [{actions: [tools:call], tools: [memory_retrieve]}]}}';
    const path = await write('next.yaml', next);
    expect((await cli('policy', 'shadow', path)).code).toBe(0);
    const agent = await makeKey('agent');
    const client = await connect(agent);
    await client.callTool({ name: 'memory_list', arguments: {} });
    const trial = await cli('policy', 'shadow', '--stop', '--json');
    expect(JSON.parse(trial.stdout)).toMatchObject({
      differences: expect.arrayContaining([
        expect.objectContaining({ role: 'agent', tool: 'memory_list', decided: 'allow', tried: 'deny' }),
      ]),
    });
    expect((await cli('policy', 'set', path)).code).toBe(0);
    await expect(client.callTool({ name: 'memory_list', arguments: {} })).rejects.toThrow(/unknown tool/);
    const { stdout } = await cli('policy', 'history', '--json');
    const { versions } = JSON.parse(stdout) as { versions: { commit: string }[] };
    expect(versions).toHaveLength(2);
    expect((await cli('policy', 'revert', versions[1]!.commit)).code).toBe(0);
    expect((await client.callTool({ name: 'memory_list', arguments: {} })).isError).not.toBe(true);
    await client.close();
  });
});
