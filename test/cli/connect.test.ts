import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseJsonc } from '../../src/config/jsonc.ts';
import { createSandbox, mainPath, type Sandbox } from './run-command.ts';

const url = 'http://127.0.0.1:3000/mcp';
const original =
  '{\r\n\t// mine\r\n\t"mcpServers": {\r\n\t\t"a": {"command": "x", "env": {"T": "hunter2"}}, // first\r\n\t},\r\n}\r\n';

let sandbox: Sandbox;
let cursorFile: string;

beforeEach(async () => {
  sandbox = await createSandbox();
  cursorFile = join(sandbox.home, '.cursor', 'mcp.json');
});

afterEach(() => sandbox[Symbol.asyncDispose]());

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o640 });
}

const read = (path: string) => readFile(path, 'utf8');
const own = () => join(sandbox.settings, 'git-memory-mcp');

describe('connect', () => {
  it('adds one entry, keeps the rest, and disconnect restores every byte', async () => {
    await put(cursorFile, original);
    const { code, stderr, stdout } = await sandbox.run(['connect', 'cursor']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).not.toContain('hunter2');
    const text = await read(cursorFile);
    expect(text).toContain(
      '"a": {"command": "x", "env": {"T": "hunter2"}}, // first\r\n\t\t"git-memory": {\r\n',
    );
    expect(parseJsonc(text, 'f')).toMatchObject({ mcpServers: { 'git-memory': { url } } });
    expect(await sandbox.run(['disconnect', 'cursor'])).toMatchObject({ code: 0 });
    expect(await read(cursorFile)).toBe(original);
    expect(await readdir(join(own(), 'backups'))).toEqual([]);
  });

  it('does nothing the second time', async () => {
    await put(cursorFile, original);
    await sandbox.run(['connect', 'cursor']);
    const text = await read(cursorFile);
    const again = await sandbox.run(['connect', 'cursor', '--json']);
    expect(JSON.parse(again.stdout)).toEqual({
      client: 'cursor',
      file: cursorFile,
      url,
      change: 'unchanged',
    });
    expect(await read(cursorFile)).toBe(text);
  });

  it('goes back to the first state after several connects', async () => {
    await put(cursorFile, original);
    await sandbox.run(['connect', 'cursor']);
    await sandbox.run(['connect', 'cursor', '--url', 'http://127.0.0.1:4000']);
    await sandbox.run(['connect', 'cursor', '--name', 'db', '--category', 'database']);
    expect(parseJsonc(await read(cursorFile), 'f')).toMatchObject({
      mcpServers: {
        'git-memory': { url: 'http://127.0.0.1:4000/mcp' },
        db: { url: `${url}/categories/database` },
      },
    });
    expect(JSON.parse((await sandbox.run(['disconnect', 'cursor', '--json'])).stdout)).toMatchObject({
      outcome: 'restored',
    });
    expect(await read(cursorFile)).toBe(original);
  });

  it('keeps what others changed since, and takes out only its own entry', async () => {
    await put(cursorFile, original);
    await sandbox.run(['connect', 'cursor']);
    await writeFile(cursorFile, (await read(cursorFile)).replace('// mine', '// changed'));
    expect((await sandbox.run(['disconnect', 'cursor'])).stderr).toContain('removed our entry');
    expect(await read(cursorFile)).toBe(original.replace('// mine', '// changed'));
    expect((await sandbox.run(['disconnect', 'cursor'])).stderr).toContain('was not connected by us');
  });

  it('removes a file that it made', async () => {
    await sandbox.run(['connect', 'windsurf']);
    const file = join(sandbox.home, '.codeium', 'windsurf', 'mcp_config.json');
    expect(JSON.parse(await read(file))).toEqual({ mcpServers: { 'git-memory': { serverUrl: url } } });
    await sandbox.run(['disconnect', 'windsurf']);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('writes each client its own form, and project files', async () => {
    await sandbox.run(['connect', 'claude-desktop']);
    const desktop = join(sandbox.settings, 'Claude', 'claude_desktop_config.json');
    expect(JSON.parse(await read(desktop))).toEqual({
      mcpServers: { 'git-memory': { command: process.execPath, args: [mainPath, 'stdio', '--url', url] } },
    });
    await sandbox.run(['connect', 'vscode', '--project']);
    expect(JSON.parse(await read(join(sandbox.project, '.vscode', 'mcp.json')))).toEqual({
      servers: { 'git-memory': { type: 'http', url } },
    });
    await sandbox.run(['connect', 'claude-code', '--project', '--server', 'sqlite-3104']);
    expect(JSON.parse(await read(join(sandbox.project, '.mcp.json')))).toEqual({
      mcpServers: { 'git-memory': { type: 'http', url: `${url}/servers/sqlite-3104` } },
    });
  });

  it('uses the address of the coordinator that runs', async () => {
    await put(
      join(sandbox.project, '.git-memory', 'coordinator.json'),
      '{"url": "http://127.0.0.1:3555", "pid": 1}',
    );
    const { stdout } = await sandbox.run(['connect', 'cursor', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ url: 'http://127.0.0.1:3555/mcp' });
  });

  it.each([
    ['broken JSON', '{"mcpServers": '],
    ['a list', '[]'],
    ['an odd section', '{"mcpServers": 1}'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('leaves a file alone that is %s', async (_, content) => {
    await put(cursorFile, content);
    const { code, stderr } = await sandbox.run(['connect', 'cursor']);
    expect(code).toBe(3);
    expect(stderr).toContain('left untouched');
    expect(await readFile(cursorFile)).toEqual(Buffer.from(content));
  });

  it('does not replace a foreign entry of the same name unless forced, and brings it back', async () => {
    const text = '{"mcpServers": {"git-memory": {"command": "theirs"}}}';
    await put(cursorFile, text);
    expect(await sandbox.run(['connect', 'cursor'])).toMatchObject({ code: 2 });
    expect((await sandbox.run(['connect', 'cursor', '--force'])).code).toBe(0);
    await writeFile(cursorFile, `${await read(cursorFile)}\n`);
    await sandbox.run(['disconnect', 'cursor']);
    expect(JSON.parse(await read(cursorFile))).toEqual(JSON.parse(text));
  });

  it('names the nearest client', async () => {
    const { code, stderr } = await sandbox.run(['connect', 'curser']);
    expect([code, stderr]).toEqual([4, 'error NOT_FOUND: client not found: curser (did you mean cursor?)\n']);
    expect((await sandbox.run(['connect', 'windsurf', '--project'])).code).toBe(2);
  });

  it.skipIf(process.platform === 'win32')(
    'follows links, keeps permissions, and hides its copies',
    async () => {
      const target = join(sandbox.home, 'dotfiles', 'mcp.json');
      await put(target, original);
      await mkdir(dirname(cursorFile), { recursive: true });
      await symlink(target, cursorFile);
      await sandbox.run(['connect', 'cursor']);
      expect(await read(target)).toContain('git-memory');
      expect((await stat(target)).mode & 0o777).toBe(0o640);
      expect((await stat(own())).mode & 0o777).toBe(0o700);
      const [copy] = await readdir(join(own(), 'backups'));
      expect((await stat(join(own(), 'backups', copy!))).mode & 0o777).toBe(0o600);
    },
  );
});
