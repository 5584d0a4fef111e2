import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { silentLogger } from '../../kernel/log.ts';
import { openMemory } from '../open-memory.ts';

const writerChild = fileURLToPath(new URL('../../../test/fixtures/memory-writer.ts', import.meta.url));
const caller = { actor: 'tester', agent: 'test' };

/** Lines `key etag` of what was acknowledged before the writers were killed. */
async function writeAndKill(dataDir: string, round: number, killAfter: number): Promise<string[]> {
  const args = [writerChild, dataDir, String(round)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (out.split('\n').length > killAfter) child.kill('SIGKILL');
  });
  await ended;
  return out.split('\n').slice(0, -1);
}

it('the change feed misses nothing and says nothing twice over kills', async () => {
  await using folder = await createTempFolder();
  const dataDir = folder.path;
  let since: string;
  {
    await using memory = await openMemory({ dataDir, logger: silentLogger });
    ({ next: since } = await memory.call('changes', {}, caller));
  }
  const acknowledged: string[] = [];
  for (const [round, killAfter] of [100, 333].entries())
    acknowledged.push(...(await writeAndKill(dataDir, round, killAfter)));
  await using memory = await openMemory({ dataDir, logger: silentLogger });
  const told: string[] = [];
  for (let more = true; more;) {
    const page = await memory.call('changes', { since, limit: 100 }, caller);
    expect(page.reset).toBe(false);
    told.push(...page.changes.map(({ key, etag }) => `${key} ${etag}`));
    ({ next: since, more } = page);
  }
  const known = new Set(told);
  expect(known.size).toBe(told.length);
  expect(acknowledged.length).toBeGreaterThan(430);
  expect(acknowledged.filter((line) => !known.has(line))).toEqual([]);
});
