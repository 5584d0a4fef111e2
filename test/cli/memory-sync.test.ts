import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, remote } from './coordinator-double.ts';
import { startRestDouble } from './rest-double.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await createSandbox();
});

afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
});

const origin = { ...remote, notes: ['the remote was rewritten'] };
const failing = {
  ...origin,
  name: 'backup',
  state: 'failing',
  ahead: null,
  behind: null,
  lastSuccessAt: null,
  lastError: {
    at: '2026-11-21T11:00:00.000Z',
    message: 'remote backup: the connection failed; it is tried again by itself',
    failures: 3,
  },
  notes: [],
} as const;

describe('memory sync', () => {
  const remotes = [origin];

  it('shows each remote in a row, for a pipe', async () => {
    await using double = await startRestDouble({ memorySync: () => ({ remotes }) });
    const args = ['memory', 'sync', 'origin', '--wait', '5', '--url', double.url];
    const piped = await sandbox.run(args);
    expect(piped.code).toBe(0);
    expect(piped.stdout).toBe(
      `origin\tok\t0\t2\t${at}\twhen asked\thttps://git.example.org/team/memory.git\n`,
    );
    expect(piped.stderr).toContain('origin: the remote was rewritten');
    expect(double.seen[0]?.body).toEqual({ action: 'run', waitSeconds: 5, remote: 'origin' });
  });

  it('ends with 8 when a remote failed, and says why; status does not', async () => {
    await using double = await startRestDouble({ memorySync: () => ({ remotes: [origin, failing] }) });
    const run = (...args: string[]) => sandbox.run(['memory', 'sync', ...args, '--url', double.url]);
    const failed = await run();
    expect(failed.code).toBe(8);
    expect(failed.stderr).toContain(
      'remote backup: the connection failed; it is tried again by itself (3 in a row',
    );
    const json = await run('--json');
    expect(json.code).toBe(8);
    expect(JSON.parse(json.stdout)).toMatchObject({
      code: 'REMOTE_FAILED',
      data: { remotes: [origin, failing] },
    });
    expect((await run('--status')).code).toBe(0);
    expect(double.seen.at(-1)?.body).toMatchObject({ action: 'status' });
  });

  it('says where to name remotes when there is none', async () => {
    await using double = await startRestDouble({ memorySync: () => ({ remotes: [] }) });
    const { stderr, code } = await sandbox.run(['memory', 'sync', '--url', double.url]);
    expect(stderr).toContain('memory.remotes');
    expect(code).toBe(0);
  });
});

describe('config validate', () => {
  it('warns of a credential that cannot be read, and refuses one in a URL', async () => {
    const validate = async (remote: object) => {
      const path = join(sandbox.project, 'remotes.yaml');
      await writeFile(path, JSON.stringify({ memory: { remotes: { origin: remote } } }));
      return sandbox.run(['config', 'validate', path]);
    };
    const url = 'https://git.example.org/x.git';
    const missing = await validate({ url, credential: { env: 'NO_SUCH_TOKEN' } });
    expect(missing.code).toBe(0);
    expect(missing.stderr).toContain(
      'memory.remotes.origin.credential needs the environment variable NO_SUCH_TOKEN',
    );
    const literal = await validate({ url: 'https://me:tok3n@git.example.org/x.git' });
    expect(literal.code).toBe(3);
    expect(literal.stderr).toContain('must not hold a user name, password or token');
    expect(literal.stderr).not.toContain('tok3n');
    expect((await validate({ url, credential: 'tok3n' })).code).toBe(3);
  });
});
