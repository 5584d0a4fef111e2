import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createTempFolder,
  openTestMemory,
  runGit,
  type TestMemory,
} from '../../../test/fixtures/memory-in-temp.ts';
import { changeTables, createChangeReader, createChangeTable, parsePosition } from './change-table.ts';

const change = (key: string, seq = 0) =>
  ({ scope: 'shared', key, op: 'store', etag: 'e', actor: 'ann', atMs: 1, seq }) as const;

async function after(test: TestMemory, since: string, more: { scope?: string; prefix?: string } = {}) {
  const page = await test.call('changes', { since, ...more });
  return { ...page, what: page.changes.map(({ op, scope, key, actor }) => `${op} ${scope}/${key} ${actor}`) };
}

async function pushFile(test: TestMemory, path: string, text: string | undefined): Promise<void> {
  await test.memory.flush();
  await using clone = await createTempFolder();
  runGit(clone.path, 'clone', '-q', join(test.dataDir, 'memory.git'), '.');
  if (text === undefined) runGit(clone.path, 'rm', '-q', path);
  else {
    mkdirSync(join(clone.path, dirname(path)), { recursive: true });
    writeFileSync(join(clone.path, path), text);
    runGit(clone.path, 'add', '-A');
  }
  runGit(clone.path, 'commit', '-qm', 'edit');
  runGit(clone.path, 'push', '-q', 'origin', 'HEAD:main');
  await test.memory.refresh();
}

describe('the change feed', () => {
  it('tells what changed since a position, ours and pushed, in order', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'before', value: 1 });
    const { next, changes, reset } = await test.call('changes', {});
    expect([changes, reset]).toEqual([[], false]);
    await test.call('store', { key: 'a', value: 1 }, 'ann');
    await test.call('store', { key: 'a', value: 1 }, 'nobody');
    await pushFile(test, 'shared/b.md', 'from a person');
    await test.call('append', { key: 'b', text: 'more' }, 'bob');
    await test.call('delete', { key: 'a' }, 'ann');
    const page = await after(test, next);
    expect(page.what).toEqual([
      'store shared/a ann',
      'store shared/b Ada',
      'append shared/b bob',
      'delete shared/a ann',
    ]);
    expect(page.changes.map(({ seq }) => seq > 0)).toEqual([true, false, true, true]);
    expect(page.changes[3]).toMatchObject({ etag: null, at: expect.stringMatching(/Z$/) as string });
    expect(await after(test, page.next)).toMatchObject({ changes: [], next: page.next, reset: false });
    expect((await after(test, page.changes[1]!.position)).what).toHaveLength(2);
    await pushFile(test, 'shared/b.md', undefined);
    expect((await after(test, page.next)).what).toEqual(['delete shared/b Ada']);
  });

  it('filters by scope and prefix, and gives pages', async () => {
    await using test = await openTestMemory();
    const { next: start } = await test.call('changes', {});
    for (const key of ['a/1', 'b', 'a/2', 'ก/1']) await test.call('store', { key, value: key });
    await test.call('store', { key: 'a/3', value: 3, scope: 'coordinator' });
    expect((await after(test, start, { prefix: 'a/' })).changes.map(({ key }) => key)).toEqual([
      'a/1',
      'a/2',
      'a/3',
    ]);
    expect((await after(test, start, { scope: 'coordinator' })).changes).toHaveLength(1);
    const seen: string[] = [];
    let since = start;
    for (let more = true; more;) {
      const page = await test.call('changes', { since, limit: 2 });
      seen.push(...page.changes.map(({ key }) => key));
      ({ next: since, more } = page);
    }
    expect(seen).toEqual(['a/1', 'b', 'a/2', 'ก/1', 'a/3']);
  });

  it('goes on over restarts, and knows positions of an index that was built anew', async () => {
    await using test = await openTestMemory();
    const { next } = await test.call('changes', {});
    await test.call('store', { key: 'a', value: 1 });
    const { changes } = await test.call('changes', { since: next });
    await test.reopen();
    await test.call('store', { key: 'b', value: 1 });
    expect((await after(test, next)).changes.map(({ key }) => key)).toEqual(['a', 'b']);
    expect((await after(test, changes[0]!.position)).changes.map(({ key }) => key)).toEqual(['b']);
    await test.close();
    rmSync(join(test.dataDir, 'index.sqlite'));
    await test.reopen();
    const reset = await test.call('changes', { since: next });
    expect(reset).toMatchObject({ reset: true, changes: [] });
    await test.call('store', { key: 'c', value: 1 });
    expect((await after(test, reset.next)).changes.map(({ key }) => key)).toEqual(['c']);
  });

  it('begins anew when main was moved back by hand', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await test.memory.flush();
    await test.call('store', { key: 'a', value: 2 });
    await test.memory.flush();
    const { next } = await test.call('changes', {});
    test.git('update-ref', 'refs/heads/main', 'main~1');
    await test.memory.refresh();
    expect(await test.call('changes', { since: next })).toMatchObject({ reset: true });
  });

  it('misses nothing and says nothing twice to who comes and goes', async () => {
    await using test = await openTestMemory();
    const heard: string[] = [];
    let { next } = await test.call('changes', {});
    for (let round = 0; round < 5; round++) {
      const stop = test.memory.onChange(({ key, position }) => {
        heard.push(key);
        next = position;
      });
      await test.call('store', { key: `live/${round}`, value: round });
      await pushFile(test, `shared/pushed-${round}.md`, 'x');
      stop();
      await test.call('store', { key: `away/${round}`, value: round });
      if (round === 2) await test.reopen();
      const page = await test.call('changes', { since: next });
      expect(page.reset).toBe(false);
      heard.push(...page.changes.map(({ key }) => key));
      ({ next } = page);
    }
    const expected = [0, 1, 2, 3, 4].flatMap((n) => [`live/${n}`, `pushed-${n}`, `away/${n}`]);
    expect(heard).toEqual(expected);
  });

  it('refuses what is no position', async () => {
    await using test = await openTestMemory();
    await expect(test.call('changes', { since: 'yesterday' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await test.call('changes', { since: `${'0'.repeat(12)}-7` })).toMatchObject({ reset: true });
  });
});

describe('the table', () => {
  it('keeps the last changes, and says when a position is older', () => {
    const db = new DatabaseSync(':memory:');
    db.exec(changeTables);
    const table = createChangeTable(db, 500);
    const feed = createChangeReader(db);
    const start = feed.head();
    for (let i = 0; i < 2500; i++) table.add(change(`k${i}`));
    const count = (db.prepare('SELECT count(*) AS n FROM changes').get() as { n: number }).n;
    expect(count).toBeLessThanOrEqual(1500);
    expect(count).toBeGreaterThanOrEqual(500);
    expect(feed.after(start, { limit: 10 })).toBeUndefined();
    const head = feed.head();
    createChangeTable(db, 500);
    expect(feed.after(start, { limit: 10 })).toBeUndefined();
    expect(feed.after(head, { limit: 10 })?.changes).toEqual([]);
    db.close();
  });

  it('never gives a position twice, also when the end of it was lost', () => {
    const db = new DatabaseSync(':memory:');
    db.exec(changeTables);
    const table = createChangeTable(db);
    const feed = createChangeReader(db);
    for (const key of ['a', 'b', 'c']) table.add(change(key));
    const told = feed.head();
    db.exec(`DELETE FROM changes WHERE key <> 'a'`);
    const after = createChangeTable(db);
    for (const key of ['b', 'c', 'd']) after.add(change(key));
    expect(feed.after(told, { limit: 10 })?.changes.map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    db.close();
  });

  it('tells nobody of what was rolled back, nor twice of what a former run added', () => {
    const db = new DatabaseSync(':memory:');
    db.exec(changeTables);
    const table = createChangeTable(db);
    db.exec('BEGIN');
    table.add(change('a', 1));
    db.exec('ROLLBACK');
    table.rolledBack();
    table.addUnlessThere(change('a', 1));
    expect(table.takeAdded().map(({ key }) => key)).toEqual(['a']);
    expect(table.takeAdded()).toEqual([]);
    const again = createChangeTable(db);
    again.addUnlessThere(change('a', 1));
    again.addUnlessThere(change('b', 2));
    expect(again.takeAdded().map(({ key }) => key)).toEqual(['b']);
    db.close();
  });

  it('takes any text as a position without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePosition(text)));
    expect(parsePosition('0123456789ab-9999999999999999')).toBeUndefined();
  });
});
