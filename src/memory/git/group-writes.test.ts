import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRepository, record } from '../../../test/fixtures/git-repository.ts';
import { runGit } from '../../../test/fixtures/memory-in-temp.ts';
import type { WriteRecord } from '../write-record.ts';
import { createGitWriter } from './git-writer.ts';
import { groupWrites } from './group-writes.ts';

describe('groupWrites', () => {
  it('makes a commit a write, until there are many', () => {
    const writes = (count: number) => Array.from({ length: count }, (_, i) => record(i, `k${i}`, 'x'));
    expect(groupWrites(writes(256), 100)).toHaveLength(256);
    expect(groupWrites(writes(400), 100).map((group) => group.length)).toEqual([100, 100, 100, 100]);
  });

  it('never puts two writes of a key or two actors into one commit, and keeps the order of a key', () => {
    const write = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom('ann', 'bob'));
    fc.assert(
      fc.property(fc.array(write, { maxLength: 600 }), (list) => {
        const records = list.map(([key, actor], i) => record(i, `k${key}`, 'x', { actor }));
        const groups = groupWrites(records, 100);
        const byKey = (all: readonly WriteRecord[]) => Map.groupBy(all, (one) => one.key);
        expect(byKey(groups.flat())).toEqual(byKey(records));
        for (const group of groups) {
          expect(new Set(group.map((one) => one.key)).size).toBe(group.length);
          expect(new Set(group.map((one) => one.actor)).size).toBe(1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('mixes actors under much pressure, each write with trailers of its own', async () => {
    const actors = Array.from({ length: 300 }, (_, i) => `agent ${i}`);
    const records = Array.from({ length: 2000 }, (_, i) => {
      const actor = actors[i % 300] ?? '';
      return record(i + 1, `shared/k${i}.md`, `${i}`, { key: `k${i}`, actor });
    });
    expect(groupWrites(records, 100).map((group) => group.length)).toEqual(
      Array.from({ length: 20 }, () => 100),
    );
    await using repository = await createRepository();
    await using writer = createGitWriter(repository);
    await writer.commit(records);
    const log = runGit(repository.repositoryDir, 'log', '-1', '--format=%an%n%(trailers)', 'main');
    expect(log).toMatch(/^agent 199\nCo-authored-by: agent 100 <agent-100@git-memory.invalid>\n/);
    expect(log.match(/^Co-authored-by: /gm)).toHaveLength(99);
    expect(log.match(/^Memory-Actor: agent \d+$/gm)).toHaveLength(100);
    expect(runGit(repository.repositoryDir, 'rev-list', '--count', 'main').trim()).toBe('20');
  });
});
