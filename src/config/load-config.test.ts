import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppError, isAppError } from '../kernel/errors.ts';
import type { ConfigIssue } from './config-issues.ts';
import { type LoadConfigOptions, loadConfig } from './load-config.ts';
import { listSettings } from './settings.ts';

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'config-'));
});

afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

const yaml = (text: string): Promise<void> => writeFile(join(cwd, 'git-memory.config.yaml'), text);
const load = (options: Partial<LoadConfigOptions> = {}) => loadConfig({ env: {}, cwd, ...options });

async function failure(
  options: Partial<LoadConfigOptions> = {},
): Promise<AppError & { issues: ConfigIssue[] }> {
  try {
    await load(options);
  } catch (error) {
    if (isAppError(error, 'CONFIG_INVALID'))
      return Object.assign(error, { issues: error.data['issues'] as ConfigIssue[] });
    throw error;
  }
  throw new Error('it was accepted');
}

describe('layers', () => {
  it('has defaults for everything', async () => {
    const { config, sources, file, baseDir } = await load();
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      servers: 20,
      profile: 'development',
      hosts: 2,
    });
    expect(config.dataDir).toBe(join(cwd, '.git-memory'));
    expect(file).toBeUndefined();
    expect(baseDir).toBe(cwd);
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
  });

  it('puts flags over the environment over the file over defaults', async () => {
    await yaml('port: 1\nhost: 127.0.0.2\nlimits: {bodyBytes: 2048}\n');
    const env = {
      GIT_MEMORY_MCP_PORT: '2',
      GIT_MEMORY_MCP_LIMITS_BODY_BYTES: '4096',
      GIT_MEMORY_MCP_HOSTS: '3',
    };
    const { config, sources } = await load({ env, flags: { port: '3', servers: undefined } });
    expect(config).toMatchObject({
      port: 3,
      host: '127.0.0.2',
      hosts: 3,
      servers: 20,
      limits: { bodyBytes: 4096 },
    });
    expect(sources).toMatchObject({
      port: 'flag',
      host: 'file',
      hosts: 'env',
      'limits.bodyBytes': 'env',
      servers: 'default',
    });
  });

  it('reads lists and booleans from the environment, and takes empty variables as unset', async () => {
    const env = {
      GIT_MEMORY_MCP_ALLOWED_HOSTS: 'a.example, b.example',
      GIT_MEMORY_MCP_INSTANCE_PORTS: 'yes',
      GIT_MEMORY_MCP_PORT: '',
    };
    const { config } = await load({ env });
    expect(config).toMatchObject({
      allowedHosts: ['a.example', 'b.example'],
      instancePorts: true,
      port: 3000,
    });
  });

  it('lays the chosen profile over the file', async () => {
    await yaml(`servers: 1
mcpServers: {a: {command: x, env: {T: {env: A}}}}
profiles:
  production: {servers: 9, mcpServers: {a: {disabled: true, env: {T: {file: t}}}, b: {url: "http://b"}}}
`);
    expect((await load()).config).toMatchObject({ servers: 1, profile: 'development' });
    const { config, sources } = await load({ env: { GIT_MEMORY_MCP_PROFILE: 'production' } });
    expect(config.servers).toBe(9);
    expect(config.mcpServers).toEqual({
      a: { command: 'x', disabled: true, env: { T: { file: 't' } } },
      b: { url: 'http://b' },
    });
    expect(sources).toMatchObject({ 'mcpServers.b': 'file', profile: 'env' });
    expect((await load({ profile: 'production' })).config.servers).toBe(9);
  });

  it('takes dataDir relative to where it was written', async () => {
    await mkdir(join(cwd, 'etc'));
    await writeFile(join(cwd, 'etc', 'c.yaml'), 'dataDir: data\n');
    expect((await load({ file: 'etc/c.yaml' })).config.dataDir).toBe(join(cwd, 'etc', 'data'));
    expect((await load({ file: 'etc/c.yaml', flags: { dataDir: 'here' } })).config.dataDir).toBe(
      join(cwd, 'here'),
    );
  });

  it('gives every single setting an environment name of its own', () => {
    const names = listSettings().flatMap(({ envName }) => envName ?? []);
    expect(names).toContain('GIT_MEMORY_MCP_LIMITS_REQUEST_TIMEOUT_MS');
    expect(new Set(names).size).toBe(names.length);
    expect(listSettings().every(({ description }) => description !== '')).toBe(true);
  });
});

describe('files', () => {
  it('reads JSON with comments, and takes $schema and empty sections', async () => {
    await writeFile(
      join(cwd, 'git-memory.config.json'),
      '{"$schema": "x", // c\n\t"port": 5, "mcpServers": null,}',
    );
    expect((await load()).config).toMatchObject({ port: 5, mcpServers: {} });
    await yaml('mcpServers:\n  #  a: 1\nprofiles:\n  production:\n');
    expect((await load()).config.mcpServers).toEqual({});
  });

  it('takes an empty file', async () => {
    await yaml('');
    expect((await load()).config.port).toBe(3000);
  });

  it.each([
    ['missing', undefined, 'no such file'],
    ['a list', '- 1\n', 'has to be a map'],
    ['broken', 'a: [1\nb: 2\n', 'line'],
    ['twice the same key', 'port: 1\nport: 2\n', 'line 2'],
    [
      'a bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\n`,
      'alias',
    ],
    ['not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]), 'UTF-8'],
    ['huge', ' '.repeat(5_000_000), 'larger'],
  ])('refuses one that is %s', async (_, content, words) => {
    const path = join(cwd, 'c.yaml');
    if (content !== undefined) await writeFile(path, content);
    const { message } = await failure({ file: path });
    expect(message).toContain(path);
    expect(message).toContain(words);
  });
});

describe('mistakes', () => {
  it('names file, line, key and the nearest right key', async () => {
    await yaml('port: 3001\nmcpServers:\n  git:\n    comand: x\n');
    const error = await failure();
    expect(error.message).toBe(
      `${join(cwd, 'git-memory.config.yaml')}: line 4: unknown key "comand" in mcpServers.git; did you mean "command"?`,
    );
    expect(error.issues).toMatchObject([{ path: 'mcpServers.git.comand', nearest: 'command', line: 4 }]);
  });

  it.each([
    ['prot: 1', 'prot', 'port'],
    ['limits: {bodybytes: 1}', 'limits.bodybytes', 'bodyBytes'],
    ['mcpServer: {}', 'mcpServer', 'mcpServers'],
    ['mcpServers: {a: {comand: x}}', 'mcpServers.a.comand', 'command'],
    ['mcpServers: {a: {command: x, enviroment: {}}}', 'mcpServers.a.enviroment', undefined],
    ['mcpServers: {a: {command: x, env: {T: {envv: X}}}}', 'mcpServers.a.env.T.envv', undefined],
    ['profiles: {prodution: {}}', 'profiles.prodution', 'production'],
    ['builtIn: {sqlite: {enable: true}}', 'builtIn.sqlite.enable', 'enabled'],
  ])('%s', async (text, path, nearest) => {
    await yaml(`${text}\n`);
    const { issues } = await failure();
    expect(issues[0]?.path.replace(/\.envv$/, '')).toBe(path.replace(/\.envv$/, ''));
    expect(issues[0]?.nearest).toBe(nearest);
  });

  it('names the flag or the variable a wrong value came from', async () => {
    expect((await failure({ flags: { port: 'x' } })).message).toMatch(/^--port: /);
    expect((await failure({ flags: { port: '70000' } })).message).toMatch(/^--port: .*65535/);
    expect((await failure({ env: { GIT_MEMORY_MCP_LOG_LEVEL: 'loud' } })).message).toMatch(
      /^GIT_MEMORY_MCP_LOG_LEVEL: /,
    );
  });

  it('finds mistakes in the profile that is not chosen, at their line', async () => {
    await yaml('port: 1\nprofiles:\n  production:\n    limits:\n      drainMss: 1\n');
    expect((await failure()).message).toContain('line 5: unknown key "drainMss" in limits');
  });

  it('lists all of them', async () => {
    await yaml('prot: 1\nservers: 2000\nmcpServers: {a: {}, b: {command: x, url: "http://x"}}\n');
    const { issues, message } = await failure();
    expect(issues.map(({ path }) => path).sort()).toEqual([
      'mcpServers.a',
      'mcpServers.b',
      'prot',
      'servers',
    ]);
    expect(message).toContain('(and 3 more)');
  });

  it('never repeats a value, which may be a secret', async () => {
    await yaml('mcpServers: {a: {command: x, env: {TOKEN: [hunter2]}, headers: {A: hunter2}}}\n');
    expect(JSON.stringify(await failure().then(({ data, message }) => [data, message]))).not.toContain(
      'hunter2',
    );
  });

  it('is not poisoned by __proto__', async () => {
    await writeFile(join(cwd, 'git-memory.config.json'), '{"__proto__": {"port": 1}, "port": 7}');
    await failure();
    await writeFile(join(cwd, 'git-memory.config.json'), '{"limits": {"__proto__": {"x": 1}}}');
    await failure().catch(() => undefined);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(({} as Record<string, unknown>)['port']).toBeUndefined();
  });
});

describe('pasted servers', () => {
  const pasted = async (servers: unknown) => {
    await writeFile(join(cwd, 'git-memory.config.json'), JSON.stringify({ mcpServers: servers }));
    return (await load()).config.mcpServers;
  };

  it('takes the forms of Claude Desktop, Cursor and VS Code', async () => {
    const servers = {
      files: {
        command: 'npx',
        args: ['-y', 'x', 8080],
        env: { PORT: 1, DEBUG: true, T: '${env:T}' },
        cwd: '/srv',
      },
      web: { type: 'http', url: 'https://x.example/mcp', headers: { Authorization: { env: 'T' } } },
      old: { type: 'sse', url: 'https://x.example/sse', disabled: true },
      code: { type: 'stdio', command: 'node', envFile: '.env' },
    };
    expect(await pasted(servers)).toEqual(servers);
  });

  it("unwraps VS Code's servers and inputs, and Zed's context_servers", async () => {
    expect(
      await pasted({ inputs: [{ id: 't', type: 'promptString' }], servers: { a: { command: 'x' } } }),
    ).toEqual({ a: { command: 'x' } });
    expect(
      await pasted({
        context_servers: { a: { source: 'custom', command: { path: 'x', args: ['1'], env: { A: 'b' } } } },
      }),
    ).toEqual({
      a: { command: 'x', args: ['1'], env: { A: 'b' } },
    });
    expect(await pasted({ a: { serverUrl: 'https://w.example' } })).toEqual({
      a: { url: 'https://w.example' },
    });
  });

  it('still takes a server that is called servers', async () => {
    expect(await pasted({ servers: { command: 'x' } })).toEqual({ servers: { command: 'x' } });
  });
});
