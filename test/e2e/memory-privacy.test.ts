import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { filesHolding } from '../fixtures/files-holding.ts';
import { runCli, startCoordinator } from './start-coordinator.ts';

const scope = ['--scope', 'server:vault'];

it('encrypts, rotates keys and forgets, from the command line', async () => {
  await using folder = await createTempFolder();
  const dataDir = `${folder.path}/data`;
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
  const env = { FIRST_KEY: first, SECOND_KEY: second };
  const keys = { first: { env: 'FIRST_KEY' }, second: { env: 'SECOND_KEY' } };
  const configOf = (encrypt: string) => ({
    memory: { keys, scopes: { 'server:*': { encrypt }, 'server:open': { merge: 'latest' } } },
  });
  const start = (encrypt: string) => startCoordinator({ config: configOf(encrypt), env, dataDir });
  {
    await using coordinator = await start('first');
    const run = (...args: string[]) => runCli(['memory', ...args, '--url', coordinator.origin]);
    expect(await run('store', 'door', 'the xylophone code', ...scope)).toMatchObject({ code: 0 });
    expect(await run('store', 'door', 'a xylophone too', '--scope', 'server:open')).toMatchObject({
      code: 0,
    });
    expect(await run('store', 'profile', 'likes quokkas', '--subject', 'user-42')).toMatchObject({ code: 0 });
    expect((await run('retrieve', 'door', ...scope)).stdout).toContain('the xylophone code');
    expect((await run('search', 'quokkas')).stdout).toContain('profile');
    const mcp = await fetch(`${coordinator.origin}/api/v1/tools`);
    expect(await mcp.text()).not.toContain('memory_forget');
    const asked = await run('forget', '--subject', 'user-42');
    expect(asked.stderr).toMatch(/would forget shared\/profile\n.*nothing was done: .*add --yes/s);
    expect((await run('retrieve', 'profile')).stdout).toContain('quokkas');
    const done = await run('forget', '--subject', 'user-42', '--yes', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ level: 'shred', forgotten: 1 });
    expect((await run('retrieve', 'profile')).code).toBe(4);
    expect((await run('forget', 'a', '--subject', 'user-42')).code).toBe(2);
  }
  await using coordinator = await start('second');
  const run = (...args: string[]) => runCli(['memory', ...args, '--url', coordinator.origin]);
  const rekeyed = await run('rekey', '--json');
  expect(JSON.parse(rekeyed.stdout)).toMatchObject({ rekeyed: 2, unreadable: [] });
  expect((await run('rekey')).stderr).toContain('wrote 0 values anew, 2 were so already');
  expect((await run('retrieve', 'door', ...scope)).stdout).toContain('the xylophone code');
  expect(await run('store', 'plain', 'a marimba')).toMatchObject({ code: 0 });
  expect(await run('forget', 'plain', '--rewrite')).toMatchObject({ code: 0 });
  expect((await run('retrieve', 'plain')).stdout).toContain('marimba');
  expect(await run('forget', 'plain', '--rewrite', '--yes')).toMatchObject({ code: 0 });
  expect((await run('retrieve', 'plain')).code).toBe(4);
  const words = ['xylophone', 'quokkas', 'marimba', first, second];
  expect(await filesHolding(dataDir, words)).toEqual([]);
  expect(await coordinator.stop()).toBe(0);
  for (const word of words) expect(coordinator.output()).not.toContain(word);
}, 120_000);
