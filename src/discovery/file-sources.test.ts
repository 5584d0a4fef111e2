import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/e2e/eventually.ts';
import type { DiscoverySource, Findings } from './announcement.ts';
import { createClientSource } from './client-source.ts';
import { createFolderSource } from './folder-source.ts';

let dir = '';
let source: DiscoverySource | undefined;
let findings: Findings[] = [];
const report = async (found: Findings): Promise<void> => void findings.push(found);
const names = () => findings.at(-1)?.servers.map(({ name }) => name);
const problems = () => findings.at(-1)?.problems.join('\n');

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'discovery-'));
  findings = [];
});
afterEach(async () => {
  await source?.[Symbol.asyncDispose]();
  source = undefined;
  await rm(dir, { recursive: true, force: true });
});

describe('createFolderSource', () => {
  it('takes one server a file, JSON and YAML, and leaves the files of editors alone', async () => {
    await writeFile(join(dir, 'docs.json'), '{"url": "https://docs.example/mcp"} // mine');
    await writeFile(join(dir, 'files.yaml'), 'command: npx\nargs: [-y, x]\n');
    for (const name of ['.docs.json.swp', 'docs.json~', '#files.yaml#', '.hidden.json', 'README.md'])
      await writeFile(join(dir, name), 'not a server');
    source = createFolderSource(dir, report);
    await source.look();
    expect(names()).toEqual(['docs', 'files']);
    expect(findings[0]?.servers[0]).toMatchObject({ origin: join(dir, 'docs.json'), baseDir: dir });
    await source.look();
    expect(findings).toHaveLength(1);
  });

  it('keeps what a file said while it is half written, and lets go when it is gone', async () => {
    const file = join(dir, 'docs.json');
    await writeFile(file, '{"url": "https://docs.example/mcp"}');
    source = createFolderSource(dir, report);
    await source.look();
    await writeFile(file, '{"url": "https://docs.exam');
    await source.look();
    expect(findings.at(-1)?.servers[0]?.entry.url).toBe('https://docs.example/mcp');
    expect(problems()).toContain('is not valid JSON');
    await writeFile(file, '{"url": "https://other.example/mcp"}');
    await source.look();
    expect([findings.at(-1)?.servers[0]?.entry.url, problems()]).toEqual(['https://other.example/mcp', '']);
    await rm(file);
    await source.look();
    expect(names()).toEqual([]);
  });

  it('notices by itself what is dropped, renamed and taken away, also in a folder that comes later', async () => {
    const folder = join(dir, 'later');
    source = createFolderSource(folder, report);
    await source.look();
    expect(problems()).toContain('there is no such folder');
    await mkdir(folder);
    await source.look();
    await writeFile(join(dir, 'tmp'), '{"command": "x"}');
    await rename(join(dir, 'tmp'), join(folder, 'a.json'));
    await eventually('the new server', () => (names()?.includes('a') ? true : undefined));
    await rm(join(folder, 'a.json'));
    await eventually('its end', () => (names()?.length === 0 ? true : undefined));
  });

  it('names the wrong key, and takes the other files', async () => {
    await writeFile(join(dir, 'bad.yml'), 'comand: x\n');
    await writeFile(join(dir, 'good.yml'), 'command: x\n');
    source = createFolderSource(dir, report);
    await source.look();
    expect(names()).toEqual(['good']);
    expect(problems()).toContain('did you mean "command"');
  });

  it.skipIf(process.platform === 'win32')('refuses a folder that everyone may write to', async () => {
    await writeFile(join(dir, 'a.json'), '{"command": "x"}');
    await chmod(dir, 0o777);
    source = createFolderSource(dir, report);
    await source.look();
    expect([names(), problems()]).toEqual([[], expect.stringContaining('chmod o-w')]);
  });
});

describe('createClientSource', () => {
  const environment = () => ({ env: { HOME: dir, USERPROFILE: dir }, platform: process.platform });

  it("follows a project's file, and leaves out our own entry and what is switched off", async () => {
    const file = join(dir, '.vscode', 'mcp.json');
    await mkdir(join(dir, '.vscode'));
    const servers = {
      github: { type: 'http', url: 'https://x.example', gallery: true },
      'git-memory': { type: 'http', url: 'http://127.0.0.1:3000/mcp' },
      off: { command: 'x', disabled: true },
    };
    await writeFile(file, JSON.stringify({ inputs: [], servers }));
    source = createClientSource({ client: 'vscode', folder: dir }, report, environment());
    await source!.look();
    expect(names()).toEqual(['github']);
    expect(findings[0]?.servers[0]).toMatchObject({ origin: file, baseDir: dir });
    await writeFile(file, JSON.stringify({ servers: { ...servers, more: { command: 'y' } } }));
    await eventually('the change', () => (names()?.includes('more') ? true : undefined));
    await writeFile(file, '{"servers": {');
    await source!.look();
    expect([names(), problems()]).toEqual([['github', 'more'], `${file}: cannot be read`]);
  });

  it("reads the person's own file without a folder, and knows which clients have none in projects", async () => {
    await mkdir(join(dir, '.cursor'));
    await writeFile(join(dir, '.cursor', 'mcp.json'), '{"mcpServers": {"a": {"command": "x"}}}');
    source = createClientSource({ client: 'cursor' }, report, environment());
    await source!.look();
    expect(names()).toEqual(['a']);
    expect(createClientSource({ client: 'windsurf', folder: dir }, report, environment())).toBeUndefined();
  });
});
