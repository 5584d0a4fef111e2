/** Secrets of each kind reach the server they are for, and nothing else that we write, print, answer or start. */

import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesHolding } from '../fixtures/files-holding.ts';
import { rootToken, startVaultDouble } from '../fixtures/vault-double.ts';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const mark = (kind: string) => `zq-${kind}-9f8e7d6c5b4a-ลับ`;
const leaky = join(import.meta.dirname, '../fixtures/leaky-server.cjs');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

let folder: string;
let coordinator: RunningCoordinator;
let vault: Awaited<ReturnType<typeof startVaultDouble>>;
/** Everything that anybody got to see. */
let shown = '';

async function cli(...args: string[]): Promise<string> {
  const { stdout, stderr } = await runCli([...args, '--data', coordinator.dataDir]);
  shown += stdout + stderr;
  return stdout + stderr;
}

async function read(path: string): Promise<string> {
  const text = await (await fetch(`${coordinator.origin}${path}`)).text();
  shown += text;
  return text;
}

async function setSecret(name: string, value: string): Promise<void> {
  const file = join(folder, 'value.txt');
  await writeFile(file, value);
  await cli('secrets', 'set', name, '--file', file, '--json');
  await rm(file);
}

async function check(name: string): Promise<string> {
  const client = await connectV2(`${coordinator.origin}/mcp/servers/leaky`);
  try {
    return textOf(await client.callTool({ name: 'check', arguments: { name } }));
  } finally {
    await client.close();
  }
}

/** Undefined until the server has it. */
async function isInUse(name: string, kind: string): Promise<true | undefined> {
  return (await check(name).catch(() => '')) === digest(mark(kind)) ? true : undefined;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  vault = await startVaultDouble();
  vault.secrets.set('apps/leaky', { token: mark('vault') });
  await writeFile(join(folder, 'token.txt'), `${mark('file')}\n`);
  coordinator = await startCoordinator({
    servers: 1,
    env: { LEAKY_TOKEN: mark('env'), VAULT_TOKEN: rootToken },
    config: {
      logLevel: 'debug',
      secrets: { vault: { address: vault.address, token: { env: 'VAULT_TOKEN' }, refreshSeconds: 1 } },
      mcpServers: {
        leaky: {
          command: process.execPath,
          args: [leaky],
          env: {
            LEAK_ENV: { env: 'LEAKY_TOKEN' },
            LEAK_FILE: { file: join(folder, 'token.txt') },
            LEAK_VAULT: { vault: { path: 'apps/leaky', field: 'token' } },
            LEAK_LOCAL: { secret: 'leaky-token' },
          },
        },
      },
    },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await vault?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true, force: true });
});

it('a server whose secret is missing says which, and comes up when it is set', async () => {
  const failures = JSON.stringify(coordinator.ready['failures']);
  expect(failures).toContain('git-memory-mcp secrets set leaky-token');
  await setSecret('leaky-token', mark('local'));
  await eventually('the server', () => isInUse('LEAK_LOCAL', 'local'));
  for (const kind of ['env', 'file', 'vault'])
    expect(await check(`LEAK_${kind.toUpperCase()}`)).toBe(digest(mark(kind)));
});

it('a secret that is set anew, here or in the vault, is the one in use', async () => {
  await setSecret('leaky-token', mark('newer'));
  vault.secrets.set('apps/leaky', { token: mark('newest') });
  await eventually('the new secret', () => isInUse('LEAK_LOCAL', 'newer'));
  await eventually('the new one of the vault', () => isInUse('LEAK_VAULT', 'newest'));
  expect(await check('LEAK_LOCAL')).toBe(digest(mark('newer')));
});

it('nothing that is written, printed, answered or started holds one', async () => {
  const client = await connectV2(`${coordinator.origin}/mcp/servers/leaky`);
  await client.callTool({ name: 'fail' }).catch((error: unknown) => (shown += String(error)));
  await client.close();
  for (const path of [
    '/api/v1/servers',
    '/api/v1/servers/leaky',
    '/api/v1/servers/leaky/logs',
    '/api/v1/status',
    '/api/v1/discovery',
    '/api/v1/server-changes',
    '/metrics',
  ])
    await read(path);
  expect(await read('/api/v1/servers/leaky/logs')).toContain('LEAK_ENV is [redacted]');
  await fetch(`${coordinator.origin}/api/v1/config/reload`, { method: 'POST' }).then((answer) =>
    answer.text(),
  );
  const configFile = globSync('**/*.json', { cwd: join(coordinator.dataDir, '..') })[0]!;
  await cli('config', 'explain', '--config', join(coordinator.dataDir, '..', configFile));
  expect(await cli('secrets', 'list')).toContain('leaky-token');
  expect(await cli('secrets', 'rotate-key')).toContain('under the new key');
  expect(await check('LEAK_LOCAL')).toBe(digest(mark('newer')));
  await cli('secrets', 'remove', 'no-such-secret');
  const answer = await fetch(`${coordinator.origin}/api/v1/secrets/rest-token`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: mark('rest') }),
  });
  expect(await answer.clone().json()).toMatchObject({ name: 'rest-token', version: 1 });
  shown += await answer.text();
  expect(await read('/api/v1/secrets')).toContain('rest-token');
  const gone = await fetch(`${coordinator.origin}/api/v1/secrets/rest-token`, { method: 'DELETE' });
  expect(await gone.json()).toEqual({ removed: 'rest-token' });

  const kinds = ['env', 'file', 'local', 'vault', 'newer', 'newest', 'rest'];
  const words = [...kinds.map(mark), rootToken];
  const commandLines = globSync('/proc/[0-9]*/cmdline').map((path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  const everything = [shown, coordinator.output(), ...commandLines].join('\n');
  for (const word of words) {
    const forms = [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word)];
    const encoded = Buffer.from(word).toString('base64').slice(0, 20);
    for (const form of [...forms, encoded]) expect(everything.includes(form)).toBe(false);
  }
  expect(await filesHolding(coordinator.dataDir, words)).toEqual([]);
});
