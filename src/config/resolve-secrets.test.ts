import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseServerEntry } from './parse-server-entry.ts';
import { resolveReference, resolveSecrets, resolveSettings } from './resolve-secrets.ts';

let baseDir: string;

beforeAll(async () => {
  baseDir = await mkdtemp(join(tmpdir(), 'secrets-'));
  await writeFile(join(baseDir, 'token'), 'from-file\n');
  await writeFile(join(baseDir, '.env'), 'A=1\nB="two words"\n# c\n');
});

afterAll(() => rm(baseDir, { recursive: true, force: true }));

const resolve = (entry: Record<string, unknown>, env: Record<string, string> = {}) =>
  resolveSecrets(parseServerEntry('x', entry), { env, baseDir, name: 'x' });

describe('resolveReference', () => {
  it('reads a variable or a file, and names what is missing', async () => {
    const source = { env: { KEY: 'k' }, baseDir };
    expect(await resolveReference({ env: 'KEY' }, 'memory.embeddings.apiKey', source)).toBe('k');
    expect(await resolveReference({ file: 'token' }, 'memory.embeddings.apiKey', source)).toBe('from-file');
    await expect(resolveReference({ env: 'NO' }, 'memory.embeddings.apiKey', source)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      data: { path: 'memory.embeddings.apiKey' },
    });
  });
});

describe('resolveSettings', () => {
  it('puts text in the place of references, however deep, and leaves all else', async () => {
    const source = { env: { KEY: 'k' }, baseDir };
    const settings = {
      url: 'https://example.org/${KEY}',
      headers: [{ name: 'x-key', value: { env: 'KEY' } }, null],
      token: { file: 'token' },
      rotate: { file: 'calls.jsonl', keep: 5 },
      depth: 3,
    };
    expect(await resolveSettings(settings, 'exporters.0.settings', source)).toEqual({
      url: 'https://example.org/${KEY}',
      headers: [{ name: 'x-key', value: 'k' }, null],
      token: 'from-file',
      rotate: { file: 'calls.jsonl', keep: 5 },
      depth: 3,
    });
    expect(await resolveSettings({ file: 'token' }, 'exporters.0.settings', source)).toEqual({
      file: 'token',
    });
  });

  it('names the place of what is missing', async () => {
    const settings = { headers: [{ env: 'NO' }] };
    await expect(
      resolveSettings(settings, 'exporters.0.settings', { env: {}, baseDir }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      data: { path: 'exporters.0.settings.headers.0', problem: expect.stringContaining('NO') },
    });
  });
});

describe('resolveSecrets', () => {
  it('reads variables and files', async () => {
    const env = {
      A: { env: 'TOKEN' },
      B: { file: 'token' },
      C: 'pre-${TOKEN}-${env:TOKEN}',
      D: 3,
      E: true,
      F: '${NONE:-fall back}',
    };
    const entry = await resolve({ command: 'x', env }, { TOKEN: 't' });
    expect(entry.env).toEqual({ A: 't', B: 'from-file', C: 'pre-t-t', D: '3', E: 'true', F: 'fall back' });
  });

  it('fills commands, arguments, URLs and headers', async () => {
    const env = { T: 'tök', HOST: 'h.example' };
    expect(await resolve({ url: 'https://${HOST}/mcp', headers: { A: 'Bearer ${T}' } }, env)).toEqual({
      url: 'https://h.example/mcp',
      headers: { A: 'Bearer tök' },
    });
    const { args, cwd } = await resolve(
      { command: 'x', args: ['${workspaceFolder}${/}a', 5, '$${T}'], cwd: 'sub' },
      env,
    );
    expect(args).toEqual([`${baseDir}${sep}a`, '5', '${T}']);
    expect(cwd).toBe(join(baseDir, 'sub'));
  });

  it('lets env win over envFile', async () => {
    const { env, ...rest } = await resolve({ command: 'x', envFile: '.env', env: { A: '9' } });
    expect(env).toEqual({ A: '9', B: 'two words' });
    expect('envFile' in rest).toBe(false);
  });

  it('takes an input of VS Code from the environment', async () => {
    const { headers } = await resolve(
      { url: 'http://x', headers: { A: '${input:github-token}' } },
      { GITHUB_TOKEN: 'g' },
    );
    expect(headers).toEqual({ A: 'g' });
  });

  it.each([
    [{ command: 'x', env: { A: { env: 'GONE' } } }, 'mcpServers.x.env.A needs the environment variable GONE'],
    [{ command: 'x', args: ['${GONE}'] }, 'mcpServers.x.args.0 needs the environment variable GONE'],
    [{ url: 'http://x', headers: { A: '${input:the-token}' } }, 'needs the environment variable THE_TOKEN'],
    [{ command: 'x', env: { A: { file: 'gone' } } }, 'needs the file gone, which cannot be read (ENOENT)'],
    [{ command: 'x', envFile: 'gone' }, 'needs the file gone'],
  ])('names what is missing in %j', async (entry, words) => {
    await expect(resolve(entry)).rejects.toThrow(words);
  });

  it('refuses a header with a line break, without its value', async () => {
    const bad = resolve({ url: 'http://x', headers: { A: { env: 'T' } } }, { T: 'hunter2\r\nHost: evil' });
    await expect(bad).rejects.toThrow('mcpServers.x.headers.A holds a control character');
    await expect(bad).rejects.not.toThrow('hunter2');
  });
});
