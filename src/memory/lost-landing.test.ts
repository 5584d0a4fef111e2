/** The mark of how far Git has come is lost: no write is applied twice, and none is lost, whatever is on main. */

import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { silentLogger } from '../kernel/log.ts';
import { type TestMemory, createTempFolder, runGit } from '../../test/fixtures/memory-in-temp.ts';
import { openReplicas, takeFrom } from '../../test/fixtures/replicas.ts';
import { openMemory } from './open-memory.ts';

const caller = { actor: 'tester', agent: 'test', requestId: 'r1' };

type Step = 'write' | 'commit' | 'merge' | 'push' | 'pull';
const step = fc.constantFrom<Step>('write', 'write', 'commit', 'merge', 'push', 'pull');
const damage = fc.constantFrom(undefined, '', '{"landed":{"seq":1,"com', '{}');

/** A person's commit on top, with a trailer like ours. */
async function pushByHand(test: TestMemory, at: number): Promise<void> {
  await using folder = await createTempFolder();
  const clone = join(folder.path, 'clone');
  runGit(folder.path, 'clone', '--quiet', join(test.dataDir, 'memory.git'), clone);
  await writeFile(join(clone, `by-hand-${at}.md`), 'text');
  runGit(clone, 'add', '.');
  runGit(clone, 'commit', '--quiet', '-m', `by hand\n\nMemory-Op: store\nMemory-Seq: ${999_999 + at}`);
  runGit(clone, 'push', '--quiet');
  await test.memory.refresh();
}

it('finds the place of the journal again from the commits', async () => {
  const examples: [Step[], string | undefined][] = [
    [['write', 'write'], undefined],
    [['write', 'commit'], undefined],
    [['write', 'commit', 'write', 'merge', 'write', 'push', 'write'], '{}'],
    [['write', 'commit', 'write', 'pull', 'push', 'write', 'write'], undefined],
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), damage, async (steps, torn) => {
      const manual = { flushIntervalMs: 3_600_000 };
      await using replicas = await openReplicas((left) => left.call('increment', { key: 'n' }), manual);
      const { left, right } = replicas;
      let total = 1;
      for (const [at, one] of steps.entries()) {
        if (one === 'write') await left.call('increment', { key: 'n' });
        if (one === 'commit') await left.memory.flush();
        if (one === 'merge') {
          // Far ahead of ours in its sequences.
          for (let i = 0; i < 5; i++) await right.call('store', { key: `r/${at}`, value: i });
          await right.call('increment', { key: 'n' });
          await takeFrom(left, right);
        }
        if (one === 'pull') await takeFrom(right, left);
        if (one === 'push') await pushByHand(left, at);
        total += Number(one === 'write' || one === 'merge');
      }
      await using folder = await createTempFolder();
      const dataDir = folder.path;
      // As a crash leaves it: what waits is in the journal alone.
      for (const name of ['journal', 'memory.git'])
        await cp(join(left.dataDir, name), join(dataDir, name), { recursive: true });
      const mark = join(dataDir, 'journal', 'landed.json');
      await rm(mark, { force: true });
      if (torn !== undefined) await writeFile(mark, torn);
      await using memory = await openMemory({ ...manual, dataDir, logger: silentLogger });
      expect(await memory.call('retrieve', { key: 'n' }, caller)).toMatchObject({ value: total });
      await memory.flush();
      expect(await memory.call('retrieve', { key: 'n' }, caller)).toMatchObject({ value: total });
      const format = '--format=%(trailers:key=Memory-Seq,key=Memory-Replica,valueonly,separator=%x20)';
      const writes = runGit(memory.repositoryDir, 'log', format, 'main').split('\n').filter(Boolean);
      expect(new Set(writes).size).toBe(writes.length);
      const increments = runGit(memory.repositoryDir, 'log', '--format=%s', '--grep=^increment ', 'main');
      expect(increments.trim().split('\n')).toHaveLength(total);
      expect(runGit(memory.repositoryDir, 'fsck', '--full', '--strict')).toBe('');
    }),
    { numRuns: 6, examples },
  );
}, 600_000);
