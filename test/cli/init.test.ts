import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await createSandbox();
});

afterEach(() => sandbox[Symbol.asyncDispose]());

const configFile = () => join(sandbox.project, 'git-memory.config.yaml');
const readConfig = () => readFile(configFile(), 'utf8');
const load = (profile?: string) =>
  loadConfig({ env: {}, cwd: sandbox.project, ...(profile !== undefined && { profile }) });

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function putClients(): Promise<void> {
  await put(
    join(sandbox.settings, 'Claude', 'claude_desktop_config.json'),
    `{ "mcpServers": {
      "github": { "command": "npx", "args": ["-y", "x", "--api-key", "hunter2"],
                  "env": { "GITHUB_TOKEN": "hunter2-a", "LEVEL": "debug" }, "autoApprove": ["x"] },
      "git-memory": { "command": "npx", "args": ["-y", "git-memory-mcp-server", "stdio"] } } }`,
  );
  await put(
    join(sandbox.home, '.cursor', 'mcp.json'),
    `{ // Cursor
      "mcpServers": { "github": { "command": "npx", "env": { "GITHUB_TOKEN": "hunter2-b" } },
                      "ours": { "url": "http://127.0.0.1:3000/mcp", "name": "git-memory-mcp" }, }, }`,
  );
  await put(
    join(sandbox.project, '.vscode', 'mcp.json'),
    `{ "inputs": [], "servers": {
      "docs": { "type": "http", "url": "https://docs.example/mcp?api_key=hunter2", "headers": { "Authorization": "Bearer hunter2", "X-A": "\${input:tok}" } },
      "broken": { "command": 5 } } }`,
  );
  await put(join(sandbox.project, '.mcp.json'), '{ "mcpServers": ');
}

describe('init', () => {
  it('writes a valid config that documents every setting and changes none', async () => {
    const { code, stdout, stderr } = await sandbox.run(['init']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`written ${configFile()}`);
    expect(stdout).toContain('{"mcpServers":{"git-memory":{"url":"http://127.0.0.1:3000/mcp"}}}');
    const text = await readConfig();
    expect(text).toContain('# Largest request body, in bytes. (GIT_MEMORY_MCP_LIMITS_BODY_BYTES)');
    const { config } = await load();
    expect(config).toMatchObject({ port: 3000, servers: 20, mcpServers: {} });
    expect((await load('production')).config).toMatchObject({
      logLevel: 'warn',
      limits: { drainMs: 30_000 },
    });
  });

  it('stays valid when a reader takes the comment marks away', async () => {
    await sandbox.run(['init']);
    const text = await readConfig();
    const uncommented = text
      .replaceAll(/^# ([a-zA-Z]+:.*|  .*|\s*)$/gm, '$1')
      .replaceAll(/^# .*\n/gm, '')
      .replaceAll(/^ +# .*\n/gm, '');
    await writeFile(configFile(), uncommented);
    const { config, sources } = await load();
    expect(sources).toMatchObject({
      port: 'file',
      'limits.bodyBytes': 'file',
      'builtIn.sqlite': 'file',
      'mcpServers.docs': 'file',
    });
    expect(config.mcpServers['docs']?.headers).toEqual({ Authorization: { env: 'DOCS_AUTHORIZATION' } });
  });

  it('takes over what clients have with --yes, secrets left where they are', async () => {
    await putClients();
    const { code, stdout, stderr } = await sandbox.run(['init', '--yes']);
    expect(code).toBe(0);
    const text = await readConfig();
    expect(text + stdout + stderr).not.toContain('hunter2');
    const { mcpServers } = (await load()).config;
    expect(mcpServers).toEqual({
      github: {
        command: 'npx',
        args: ['-y', 'x', '--api-key', '${env:GITHUB_API_KEY}'],
        env: { GITHUB_TOKEN: { env: 'GITHUB_TOKEN' }, LEVEL: 'debug' },
      },
      'github-cursor': { command: 'npx', env: { GITHUB_TOKEN: { env: 'GITHUB_CURSOR_GITHUB_TOKEN' } } },
      docs: {
        type: 'http',
        url: '${env:DOCS_URL}',
        headers: { Authorization: { env: 'DOCS_AUTHORIZATION' }, 'X-A': '${input:tok}' },
      },
    });
    for (const name of ['GITHUB_TOKEN', 'GITHUB_CURSOR_GITHUB_TOKEN', 'DOCS_URL'])
      expect(stdout).toContain(`  ${name}  (`);
    expect(stderr).toContain('github: left out autoApprove');
    expect(stderr).toContain('broken was not taken over');
    expect(stderr).toContain(`${join(sandbox.project, '.mcp.json')} is not readable as JSON`);
  });

  it('asks nobody in a pipe, and then takes over nothing', async () => {
    await putClients();
    const { code, stderr } = await sandbox.run(['init']);
    expect(code).toBe(0);
    expect(stderr).toContain('found, not taken over: github (Claude Desktop), ');
    expect((await load()).config.mcpServers).toEqual({});
    const quiet = await sandbox.run(['init', 'other', '--no-import', '--json']);
    expect(JSON.parse(quiet.stdout)).toMatchObject({ change: 'written', found: [], takenOver: [] });
  });

  it('changes nothing when run again, and shows what it would change', async () => {
    await sandbox.run(['init']);
    await writeFile(configFile(), (await readConfig()).replace('# port: 3000', 'port: 4000'));
    const before = await readConfig();
    const { code, stdout } = await sandbox.run(['init', '--yes']);
    expect([code, await readConfig()]).toEqual([0, before]);
    expect(stdout).toContain('- port: 4000\n+ # port: 3000\nexists, unchanged: ');
    expect(stdout).toContain('http://127.0.0.1:4000/mcp');
  });

  it('replaces with --force and keeps a copy', async () => {
    await writeFile(configFile(), 'port: 4000\n');
    const { stdout } = await sandbox.run(['init', '--force', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ change: 'replaced', endpoint: 'http://127.0.0.1:3000/mcp' });
    const copy = (await readdir(sandbox.project)).find((name) => name.endsWith('.bak'));
    expect(await readFile(join(sandbox.project, copy!), 'utf8')).toBe('port: 4000\n');
  });

  it('refuses a file in place of a folder', async () => {
    await writeFile(join(sandbox.project, 'file'), '');
    expect(await sandbox.run(['init', 'file'])).toMatchObject({ code: 2 });
  });
});
