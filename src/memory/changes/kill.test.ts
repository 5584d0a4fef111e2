import { expect, it } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { writeAndKill } from '../../../test/fixtures/write-and-kill.ts';
import { silentLogger } from '../../kernel/log.ts';
import { openMemory } from '../open-memory.ts';

const caller = { actor: 'tester', agent: 'test' };

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
