import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { filesHolding } from '../../../test/fixtures/files-holding.ts';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { valuesOf } from '../../../test/fixtures/synced-memories.ts';

const child = fileURLToPath(new URL('../../../test/fixtures/forgetting-child.ts', import.meta.url));

/** Kills it so long after it began; how long it took, if it was done before. */
async function forgetAndKill(dataDir: string, key: string, afterMs: number): Promise<number | undefined> {
  const running = spawn(process.execPath, [child, dataDir, key], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [begunMs, doneMs]: (number | undefined)[] = [];
  let timer: NodeJS.Timeout | undefined;
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('begin')) {
      begunMs = performance.now();
      timer = setTimeout(() => running.kill('SIGKILL'), afterMs);
    }
    if (text.includes('done')) doneMs = performance.now();
  });
  await new Promise((resolve) => {
    running.on('close', resolve);
  });
  clearTimeout(timer);
  return doneMs === undefined ? undefined : doneMs - (begunMs ?? doneMs);
}

it('an erasure that is killed at any moment has not begun, or is finished by the next start', async () => {
  await using test = await openTestMemory();
  const others: Record<string, number> = {};
  let interrupted = 0;
  let wholeMs = 60_000;
  for (let round = 0; round < 8; round++) {
    const [key, word] = [`secret/${round}`, `xylophone${round}x`];
    for (let i = 0; i < 10; i++) {
      await test.call('store', { key, value: `${word} ${i}` });
      await test.call('store', { key: `other/${i}`, value: round });
      others[`other/${i}`] = round;
    }
    await test.close();
    // The first one is left alone, to see how long it takes.
    const tookMs = await forgetAndKill(test.dataDir, key, round === 0 ? wholeMs : (wholeMs * round) / 8);
    const isDone = tookMs !== undefined;
    if (round === 0) wholeMs = tookMs ?? wholeMs;
    const isBegun = isDone || existsSync(join(test.dataDir, 'erasure.json'));
    if (isBegun && !isDone) interrupted += 1;
    await test.reopen();
    const values = await valuesOf(test);
    expect(values).toMatchObject(others);
    const found = await filesHolding(test.dataDir, [word]);
    if (isBegun) expect(found).toEqual([]);
    // Done but for its last answer counts as done too.
    if (found.length > 0) expect(values[key]).toBe(`${word} 9`);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    expect((await test.call('history', { key: 'other/3' })).versions).toHaveLength(round + 1);
  }
  expect(interrupted).toBeGreaterThan(0);
}, 240_000);
