import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestMemory, type TestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import type { MemoryInput } from '../../kernel/memory/operations.ts';

const act = (test: TestMemory, action: MemoryInput<'workspace'>['action'], name?: string, more = {}) =>
  test.call('workspace', { action, ...(name !== undefined && { name }), ...more });

async function read(test: TestMemory, key: string, workspace?: string): Promise<unknown> {
  return test.call('retrieve', { key, ...(workspace !== undefined && { workspace }) }).then(
    ({ value }) => value,
    (error: { code: string }) => error.code,
  );
}

const fails = (code: string) => expect.objectContaining({ code }) as Error;

describe('a workspace', () => {
  it('has its own values until it is merged, in one step', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await test.call('store', { key: 'b', value: 'text', tags: ['x'] });
    const made = await act(test, 'create', 'try');
    expect(made.workspaces[0]).toMatchObject({ name: 'try', ahead: 0, behind: 0, changed: 0, stale: false });
    const workspace = 'try';
    const stored = await test.call('store', { key: 'a', value: 2, workspace }, 'ann');
    const position = { thread: 'talk', sequence: 3 };
    await test.call('store', { key: 'c/new', value: 'ใหม่', tags: ['x'], workspace, ...position });
    expect(await test.call('delete', { key: 'b', workspace })).toMatchObject({ deleted: true });
    expect(await test.call('delete', { key: 'b', workspace })).toMatchObject({ deleted: false });
    expect(await Promise.all(['a', 'b', 'c/new'].map((key) => read(test, key)))).toEqual([
      1,
      'text',
      'MEMORY_NOT_FOUND',
    ]);
    expect(await Promise.all(['a', 'b', 'c/new'].map((key) => read(test, key, workspace)))).toEqual([
      2,
      'MEMORY_NOT_FOUND',
      'ใหม่',
    ]);
    expect(await test.call('retrieve', { key: 'c/new', workspace })).toMatchObject(position);
    expect((await test.call('list', { prefix: 'c/', workspace })).items).toMatchObject([position]);
    const now = await test.call('retrieve', { key: 'a', workspace });
    expect(now).toMatchObject({
      actor: 'ann',
      etag: stored.etag,
      commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    expect(Date.now() - Date.parse(now.updatedAt)).toBeLessThan(60_000);
    const { workspaces, changes, omitted } = await act(test, 'diff', workspace);
    expect(workspaces[0]).toMatchObject({ ahead: 3, behind: 0, changed: 3 });
    expect(changes?.map(({ key, change, changedInMain }) => `${change} ${key} ${changedInMain}`)).toEqual([
      'changed a false',
      'deleted b false',
      'added c/new false',
    ]);
    expect(omitted).toBe(0);
    const { next } = await test.call('changes', {});
    const { merged } = await act(test, 'merge', workspace);
    expect(merged).toMatchObject({ kind: 'fast-forward', conflicts: [] });
    expect(await Promise.all(['a', 'b', 'c/new'].map((key) => read(test, key)))).toEqual([
      2,
      'MEMORY_NOT_FOUND',
      'ใหม่',
    ]);
    const told = await test.call('changes', { since: next });
    expect(told.changes.map(({ op, key }) => `${op} ${key}`).sort()).toEqual([
      'delete b',
      'store a',
      'store c/new',
    ]);
    expect((await test.call('history', { key: 'a' })).versions[0]).toMatchObject({
      actor: 'ann',
      op: 'store',
    });
    expect((await act(test, 'merge', workspace)).merged?.kind).toBe('up-to-date');
    test.git('fsck', '--strict');
  });

  it('lists, pages, filters and searches what it has', async () => {
    await using test = await openTestMemory();
    for (let i = 0; i < 5; i++)
      await test.call('store', { key: `k/${i}`, value: `number ${i}`, tags: [i % 2 ? 'odd' : 'even'] });
    await act(test, 'create', 'w');
    await test.call('store', { key: 'k/9', value: 'a zebra', tags: ['odd'], workspace: 'w' });
    await test.call('store', { key: 'other', value: 'x', workspace: 'w', scope: 'category:iot' });
    const keys = async (input: object) =>
      (await test.call('list', { workspace: 'w', ...input })).items.map(({ key }) => key);
    expect(await keys({})).toEqual(['k/0', 'k/1', 'k/2', 'k/3', 'k/4', 'k/9']);
    expect(await keys({ tags: ['odd'] })).toEqual(['k/1', 'k/3', 'k/9']);
    expect(await keys({ prefix: 'k/9' })).toEqual(['k/9']);
    expect(await keys({ scope: 'category:iot' })).toEqual(['other']);
    const first = await test.call('list', { workspace: 'w', limit: 4 });
    expect(first.items).toHaveLength(4);
    expect(await keys({ limit: 4, cursor: first.nextCursor })).toEqual(['k/4', 'k/9']);
    const { hits } = await test.call('search', { query: 'zebra', workspace: 'w' });
    expect(hits.map(({ key }) => key)).toEqual(['k/9']);
    expect(Date.parse(hits[0]!.updatedAt)).toBeGreaterThan(1e12);
    expect((await test.call('search', { query: 'zebra' })).hits).toEqual([]);
  });

  it('refuses a write to what was changed there meanwhile, and loses none of many writers', async () => {
    await using test = await openTestMemory();
    const { etag } = await test.call('store', { key: 'a', value: 1 });
    await act(test, 'create', 'w');
    await test.call('store', { key: 'a', value: 2, workspace: 'w', ifMatch: etag });
    await expect(
      test.call('store', { key: 'a', value: 3, workspace: 'w', ifMatch: etag }),
    ).rejects.toThrowError(fails('MEMORY_CHANGED'));
    await expect(
      test.call('store', { key: 'b', value: 3, workspace: 'w', ifMatch: 'absent' }),
    ).resolves.toBeDefined();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        Promise.all([
          test.call('store', { key: `w/${i}`, value: i, workspace: 'w' }),
          test.call('store', { key: `m/${i}`, value: i }),
        ]),
      ),
    );
    expect((await test.call('list', { workspace: 'w', prefix: 'w/' })).items).toHaveLength(20);
    const { merged } = await act(test, 'merge', 'w');
    expect(merged).toMatchObject({ kind: 'merged', conflicts: [] });
    expect((await test.call('list', { prefix: 'w/' })).items).toHaveLength(20);
    expect((await test.call('list', { prefix: 'm/' })).items).toHaveLength(20);
  });

  it('shows conflicts and merges nothing, unless a strategy says what wins', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'plan', value: 'the plan' });
    await test.call('store', { key: 'data', value: { a: 1, b: 1 } });
    await act(test, 'create', 'w');
    await test.call('store', { key: 'plan', value: 'plan of the workspace', workspace: 'w' });
    await test.call('store', { key: 'data', value: { a: 2, b: 1 }, workspace: 'w' });
    await test.call('store', { key: 'new', value: 'only there', workspace: 'w' });
    await test.call('store', { key: 'plan', value: 'plan of main' });
    await test.call('store', { key: 'data', value: { a: 1, b: 2 } });
    await test.memory.flush();
    const { changes } = await act(test, 'diff', 'w');
    expect(changes?.map(({ key, changedInMain }) => [key, changedInMain])).toEqual([
      ['data', true],
      ['new', false],
      ['plan', true],
    ]);
    const head = test.git('rev-parse', 'main');
    await expect(act(test, 'merge', 'w')).rejects.toThrowError(/1 conflicts.*shared\/plan/);
    await expect(act(test, 'merge', 'w')).rejects.toThrowError(fails('MERGE_CONFLICTS'));
    expect([test.git('rev-parse', 'main'), await read(test, 'new')]).toEqual([head, 'MEMORY_NOT_FOUND']);
    const { merged } = await act(test, 'merge', 'w', { strategy: 'theirs' });
    expect(merged).toMatchObject({ kind: 'merged' });
    expect(await read(test, 'plan')).toBe('plan of the workspace');
    expect(await read(test, 'new')).toBe('only there');
    test.git('fsck', '--strict');
  });

  it('keeps what loses as a conflict with auto', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'plan', value: 'the plan' });
    await act(test, 'create', 'w');
    await test.call('store', { key: 'plan', value: 'plan of the workspace', workspace: 'w' });
    await test.call('store', { key: 'plan', value: 'plan of main' });
    const { merged } = await act(test, 'merge', 'w', { strategy: 'auto' });
    expect(merged?.conflicts).toEqual([expect.objectContaining({ scope: 'shared', key: 'plan' })]);
  });

  it('begins at a commit, a date or a snapshot', async () => {
    await using test = await openTestMemory();
    await expect(act(test, 'create', 'w')).rejects.toThrowError(fails('INVALID_INPUT'));
    await test.call('store', { key: 'a', value: 1 });
    await test.call('snapshot', { action: 'create', name: 's' });
    await test.call('store', { key: 'a', value: 2 });
    await act(test, 'create', 'old', { from: 'snap:s' });
    const at = (await test.call('history', { key: 'a' })).versions[1]?.commit ?? '';
    await act(test, 'create', 'older', { from: at.slice(0, 10) });
    await act(test, 'create', 'today', { from: '2999' });
    expect(await Promise.all(['old', 'older', 'today'].map((name) => read(test, 'a', name)))).toEqual([
      1, 1, 2,
    ]);
    await expect(act(test, 'create', 'w', { from: '1999-01-01' })).rejects.toThrowError(
      fails('INVALID_INPUT'),
    );
    expect((await act(test, 'list')).workspaces.map(({ name, behind }) => [name, behind])).toEqual([
      ['old', 1],
      ['older', 1],
      ['today', 0],
    ]);
  });

  it('is dropped only when nothing is lost or by force, and comes back', async () => {
    const clock = createFakeClock(Date.now());
    await using test = await openTestMemory({ clock });
    await test.call('store', { key: 'a', value: 1 });
    await act(test, 'create', 'งาน');
    await act(test, 'create', 'empty');
    await act(test, 'drop', 'empty');
    await test.call('store', { key: 'a', value: 2, workspace: 'งาน' });
    await expect(act(test, 'drop', 'งาน')).rejects.toThrowError(fails('INVALID_INPUT'));
    await act(test, 'drop', 'งาน', { force: true });
    expect((await act(test, 'list')).workspaces).toEqual([]);
    await expect(test.call('store', { key: 'a', value: 3, workspace: 'งาน' })).rejects.toThrowError(
      fails('NOT_FOUND'),
    );
    await act(test, 'undrop', 'งาน');
    expect(await read(test, 'a', 'งาน')).toBe(2);
    await expect(act(test, 'undrop', 'งาน')).rejects.toThrowError(fails('INVALID_INPUT'));
    await act(test, 'drop', 'งาน', { force: true });
    clock.advance(31 * 86_400_000);
    await act(test, 'create', 'x');
    expect((await act(test, 'list')).workspaces[0]).toMatchObject({ stale: true });
    await act(test, 'drop', 'x');
    await expect(act(test, 'undrop', 'งาน')).rejects.toThrowError(fails('NOT_FOUND'));
    await act(test, 'undrop', 'x');
  });

  it('says what a name may be, and that one is there', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await act(test, 'create', 'Try');
    await expect(act(test, 'create', 'try')).rejects.toThrowError(fails('INVALID_INPUT'));
    for (const name of ['a/b', '..', 'x.lock', '-x', 'con', '']) {
      await expect(act(test, 'create', name)).rejects.toThrowError(fails('INVALID_INPUT'));
      await expect(test.call('list', { workspace: name })).rejects.toThrowError(fails('INVALID_INPUT'));
    }
    for (const action of ['diff', 'merge', 'drop', 'undrop'] as const)
      await expect(act(test, action, 'gone')).rejects.toThrowError(fails('NOT_FOUND'));
    const at = 'snap:x';
    await expect(test.call('retrieve', { key: 'a', workspace: 'Try', at })).rejects.toThrowError(
      fails('INVALID_INPUT'),
    );
  });

  it('is as Git has it after a restart, a pack under a keep mark included', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await act(test, 'create', 'w');
    await test.memory.flush();
    const packs = join(test.dataDir, 'memory.git', 'objects', 'pack');
    const before = new Set(readdirSync(packs));
    await test.call('store', { key: 'a', value: 2, workspace: 'w' });
    const [made] = readdirSync(packs).filter((name) => name.endsWith('.pack') && !before.has(name));
    const { workspaces } = await act(test, 'list');
    await test.close();
    // As a kill right after the ref moved leaves it.
    const lock = join(test.dataDir, 'memory.git', 'refs', 'heads', 'ws', 'w.lock');
    writeFileSync(lock, '');
    utimesSync(lock, 1, 1);
    writeFileSync(join(packs, made!.replace(/pack$/, 'keep')), `git-memory-mcp ${workspaces[0]!.commit}\n`);
    await test.reopen();
    expect(await read(test, 'a', 'w')).toBe(2);
    expect(readdirSync(packs).filter((name) => name.endsWith('.keep'))).toEqual([]);
    expect(existsSync(lock)).toBe(false);
    await act(test, 'drop', 'w', { force: true });
    test.git('fsck', '--strict');
  });

  it('forgets what has expired there, and takes what a person pushed to its branch', async () => {
    const clock = createFakeClock(1_800_000_000_000);
    await using test = await openTestMemory({ clock });
    await test.call('store', { key: 'a', value: 1 });
    await act(test, 'create', 'w');
    await test.call('store', { key: 'soon', value: 'over', ttlSeconds: 10, workspace: 'w' });
    clock.advance(11_000);
    expect(await read(test, 'soon', 'w')).toBe('MEMORY_NOT_FOUND');
    expect((await test.call('list', { workspace: 'w' })).items.map(({ key }) => key)).toEqual(['a']);
    await test.call('store', { key: 'soon', value: 'again', workspace: 'w', ifMatch: 'absent' });
    const tip = test.git('rev-parse', 'ws/w').trim();
    test.git(
      'update-ref',
      'refs/heads/ws/w',
      test.git('commit-tree', '-m', 'by hand', '-p', tip, `${tip}~1^{tree}`).trim(),
    );
    expect((await act(test, 'diff', 'w')).workspaces[0]).toMatchObject({ ahead: 3, actor: 'Ada' });
  });
});
