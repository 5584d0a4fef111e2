/**
 * A disk that fails in the middle of things: after each fault, and after a crash right then, exactly the
 * acknowledged writes are there, and of the refused ones none that is altered.
 */

import { cp } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { type JournalDisk, realDisk } from '../../src/memory/journal/journal.ts';
import { type Memory, openMemory } from '../../src/memory/open-memory.ts';
import { createTempFolder, openTestMemory } from '../fixtures/memory-in-temp.ts';

/** Where the disk breaks: writing byte `atByte` (counted over all writes), or in its n-th sync. */
type Fault =
  | {
      readonly kind: 'write';
      readonly code: 'ENOSPC' | 'EIO';
      readonly atByte: number;
      readonly times: number;
    }
  | {
      readonly kind: 'sync';
      readonly code: 'ENOSPC' | 'EIO';
      readonly atSync: number;
      readonly times: number;
    };

/** The real disk, which takes at most `chunkBytes` with one call and breaks where the fault says. */
function createBrokenDisk(fault: Fault, chunkBytes: number): JournalDisk {
  let bytesDone = 0;
  let syncs = 0;
  let failures = 0;
  const fail = (): never => {
    failures += 1;
    throw Object.assign(new Error(`the disk failed: ${fault.code}`), { code: fault.code });
  };
  return {
    async write(handle, bytes, position) {
      const short = {
        async write(buffer: Buffer, offset: number, length: number, at: number) {
          const isLeft = fault.kind === 'write' && failures < fault.times;
          const room = isLeft ? Math.max(0, fault.atByte - bytesDone) : Infinity;
          if (room === 0) fail();
          const answer = await handle.write(buffer, offset, Math.min(length, chunkBytes, room), at);
          bytesDone += answer.bytesWritten;
          return answer;
        },
      };
      await realDisk.write(short as unknown as FileHandle, bytes, position);
    },
    async sync(handle) {
      syncs += 1;
      if (fault.kind === 'sync' && syncs >= fault.atSync && failures < fault.times) fail();
      await realDisk.sync(handle);
    },
  };
}

const code = fc.constantFrom('ENOSPC', 'EIO');
const times = fc.integer({ min: 1, max: 4 });
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('write'), code, atByte: fc.integer({ min: 0, max: 12_000 }), times }),
  fc.record({ kind: fc.constant('sync'), code, atSync: fc.integer({ min: 1, max: 12 }), times }),
);

const caller = { actor: 'tester', agent: 'test' };

async function valuesOf(memory: Memory): Promise<Map<string, unknown>> {
  const { items } = await memory.call('list', { limit: 1000 }, caller);
  const read = async ({ key }: { key: string }) =>
    [key, (await memory.call('retrieve', { key }, caller)).value] as const;
  return new Map(await Promise.all(items.map(read)));
}

/** What a process that died now would find again, from a copy of its files. */
async function valuesAfterCrash(dataDir: string): Promise<Map<string, unknown>> {
  await using folder = await createTempFolder();
  for (const part of ['journal', 'memory.git'])
    await cp(join(dataDir, part), join(folder.path, part), { recursive: true });
  await using memory = await openMemory({ dataDir: folder.path, logger: silentLogger });
  return await valuesOf(memory);
}

describe('a disk that fails', () => {
  it('costs no acknowledged write and alters none, wherever it fails', { timeout: 120_000 }, async () => {
    let refusedWrites = 0;
    const run = async (broken: Fault, chunkBytes: number, rounds: number) => {
      const journalDisk = createBrokenDisk(broken, chunkBytes);
      await using test = await openTestMemory({ flushIntervalMs: 3_600_000, journalDisk });
      const acknowledged = new Map<string, unknown>();
      const refused = new Map<string, unknown>();
      const write = async (key: string, value: string) => {
        try {
          await test.call('store', { key, value });
          acknowledged.set(key, value);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(error.code).toBe(broken.code === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE_FAILED');
          refused.set(key, value);
          refusedWrites += 1;
        }
      };
      for (let round = 0; round < rounds; round++) {
        const keys = Array.from({ length: 6 }, (_, i) => `ก/${round}-${i}`);
        await Promise.all(keys.map((key, i) => write(key, `${key} ${'x'.repeat(i * 40)}`)));
      }
      expect(await valuesOf(test.memory)).toEqual(acknowledged);
      const afterCrash = await valuesAfterCrash(test.dataDir);
      for (const [key, value] of acknowledged) expect(afterCrash.get(key)).toBe(value);
      for (const [key, value] of afterCrash) expect(value).toBe(acknowledged.get(key) ?? refused.get(key));
      await test.reopen();
      expect(await valuesOf(test.memory)).toEqual(acknowledged);
      await test.memory.flush();
      const paths = acknowledged.size > 0 ? test.git('ls-tree', '-r', '--name-only', 'main') : '';
      expect(paths.split('\n').length - 1).toBe(acknowledged.size);
    };
    const all = fc.asyncProperty(
      fault,
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 2, max: 8 }),
      run,
    );
    await fc.assert(all, { numRuns: 12 });
    expect(refusedWrites).toBeGreaterThan(0);
  });
});
