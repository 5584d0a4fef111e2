import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesHolding } from '../../../test/fixtures/files-holding.ts';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import {
  converge,
  createBareRemote,
  headOf,
  openReplica,
  sync,
} from '../../../test/fixtures/synced-memories.ts';
import { keyPath } from '../files/key-path.ts';
import type { Keyring } from './keyring.ts';
import { keyId } from './seal.ts';

const failing = (code: string) => expect.objectContaining({ code });
const [first, second] = [randomBytes(32), randomBytes(32)];
const named = (name: string, secret: Buffer) => ({ name, kid: keyId(secret), secret });
const keyring: Keyring = {
  keys: [named('one', first)],
  scopes: { 'server:*': ['one'] },
  subjects: [],
};
const rotated: Keyring = {
  keys: [named('two', second), named('one', first)],
  scopes: { 'server:*': ['two'] },
  subjects: [],
};
const scope = 'server:vault';
const secretWords = ['xylophone', 'zebrafish', 'marzipan', 'quokka'];

/** Values, tags, threads and links whose words must be nowhere in clear. */
const sealed = {
  scope,
  key: 'people/ada',
  value: 'The xylophone is in the [[zebrafish/room]].',
  tags: ['marzipan'],
  thread: 'quokka',
  sequence: 3,
};

describe('a scope with encryption', () => {
  it('works as others do', async () => {
    await using test = await openTestMemory({ keyring });
    const { etag } = await test.call('store', sealed);
    await test.call('store', { key: 'clear', value: 'A xylophone for everybody' });
    const { value, tags, thread, sequence } = sealed;
    const look = async () => {
      expect(await test.call('retrieve', { scope, key: sealed.key })).toMatchObject({
        value,
        tags,
        thread,
        sequence,
        etag,
      });
      const { items } = await test.call('list', { scope, tags: ['marzipan'] });
      expect(items).toMatchObject([{ key: sealed.key, tags, thread, sequence }]);
      expect((await test.call('list', { scope, tags: ['other'] })).items).toEqual([]);
      const { hits } = await test.call('search', { query: 'xylophone' });
      expect(hits.map((hit) => hit.scope).sort()).toEqual([scope, 'shared']);
      const one = await test.call('search', { query: 'xylophone', tags: ['marzipan'], thread: 'quokka' });
      expect(one.hits).toMatchObject([{ key: sealed.key, snippet: value, thread, sequence }]);
      const links = await test.call('links', { scope, key: sealed.key });
      expect(links.missing).toMatchObject([{ scope, key: 'zebrafish/room', kind: 'wikilink' }]);
    };
    await look();
    await test.memory.flush();
    await look();
    await test.reopen();
    await look();
    await test.call('reindex', {});
    await look();
    await test.call('append', { scope, key: sealed.key, text: 'And a trumpet.' });
    expect((await test.call('search', { query: 'trumpet' })).hits).toHaveLength(1);
    const { versions } = await test.call('history', { scope, key: sealed.key });
    const [newest, oldest] = versions;
    expect(await test.call('retrieve', { scope, key: sealed.key, at: oldest!.commit! })).toMatchObject({
      value,
      tags,
    });
    const then = await test.call('search', { query: 'xylophone', at: oldest!.commit!, scope });
    expect(then.hits).toMatchObject([{ key: sealed.key, tags }]);
    const diff = await test.call('diff', { scope, key: sealed.key, from: oldest!.commit! });
    expect(JSON.stringify(diff)).toContain('trumpet');
    await test.call('restore', { scope, key: sealed.key, to: oldest!.commit! });
    expect(await test.call('retrieve', { scope, key: sealed.key })).toMatchObject({ value, etag });
    expect(newest?.op).toBe('append');
    await test.call('delete', { scope, key: sealed.key });
    expect((await test.call('search', { query: 'zebrafish' })).hits).toEqual([]);
    const report = await test.call('verify', { full: true });
    expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  });

  it('shows nothing of its values on the disk', async () => {
    await using test = await openTestMemory({ keyring });
    await test.call('store', { key: 'seen', value: 'seenword' });
    await test.call('store', sealed);
    await test.call('store', { scope, key: 'json', value: { marzipan: ['quokka', 'xylophone'] } });
    await test.call('workspace', { action: 'create', name: 'try' });
    await test.call('store', { ...sealed, key: 'aside', workspace: 'try' });
    expect(await test.call('retrieve', { scope, key: 'aside', workspace: 'try' })).toMatchObject({
      value: sealed.value,
    });
    await test.call('search', { query: 'xylophone' });
    await test.memory.flush();
    const open = await filesHolding(test.dataDir, [...secretWords, 'seenword']);
    expect(open.filter(({ word }) => word !== 'seenword')).toEqual([]);
    expect(open.map(({ word }) => word)).toContain('seenword');
    await test.close();
    expect((await filesHolding(test.dataDir, secretWords)).map(({ path }) => path)).toEqual([]);
  });

  it('says so without the key, and the rest goes on', async () => {
    await using test = await openTestMemory({ keyring });
    await test.call('store', sealed);
    await test.call('store', { key: 'clear', value: 'xylophone' });
    await test.memory.flush();
    await using other = await openTestMemory({});
    await using remote = await createBareRemote();
    test.git('push', '--quiet', remote.path, 'main');
    other.git('fetch', '--quiet', remote.path, 'main:refs/heads/main');
    await other.memory.refresh();
    await expect(other.call('retrieve', { scope, key: sealed.key })).rejects.toMatchObject(
      failing('MEMORY_SEALED'),
    );
    expect((await other.call('list', { scope })).items).toMatchObject([{ key: sealed.key, tags: [] }]);
    expect((await other.call('search', { query: 'xylophone' })).hits).toHaveLength(1);
    await expect(other.call('append', { scope, key: sealed.key, text: 'x' })).rejects.toMatchObject(
      failing('MEMORY_SEALED'),
    );
    await other.call('store', { scope, key: sealed.key, value: 'mine' });
    expect(await other.call('retrieve', { scope, key: sealed.key })).toMatchObject({ value: 'mine' });
  });

  it('reads what was written under a former key', async () => {
    await using remote = await createBareRemote();
    await using test = await openReplica({ url: remote.path }, { keyring });
    await test.call('store', sealed);
    await sync(test);
    await using next = await openReplica({ url: remote.path }, { keyring: rotated });
    await sync(next);
    expect(await next.call('retrieve', { scope, key: sealed.key })).toMatchObject({ value: sealed.value });
    await next.call('append', { scope, key: sealed.key, text: 'new' });
    await next.memory.flush();
    expect(next.git('show', `main:${keyPath(scope, sealed.key, 'json')}`)).toContain(keyId(second));
    expect((await next.call('search', { query: 'new' })).hits).toHaveLength(1);
  });

  it('is merged by field, and replicas with the same keys agree', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path }, { keyring });
    await using two = await openReplica({ url: remote.path }, { keyring });
    await one.call('store', {
      scope,
      key: 'both',
      value: { a: 1, b: 1 },
      tags: ['x'],
      thread: 't',
      sequence: 1,
    });
    await converge([one, two]);
    await one.call('store', {
      scope,
      key: 'both',
      value: { a: 2, b: 1 },
      tags: ['x'],
      thread: 't',
      sequence: 1,
    });
    await two.call('store', {
      scope,
      key: 'both',
      value: { a: 1, b: 2 },
      tags: ['y'],
      thread: 't',
      sequence: 1,
    });
    await converge([one, two]);
    expect(headOf(one)).toBe(headOf(two));
    for (const replica of [one, two])
      expect(await replica.call('retrieve', { scope, key: 'both' })).toMatchObject({
        value: { a: 2, b: 2 },
        tags: ['y'],
        thread: 't',
        sequence: 1,
      });
  });

  it('without its key keeps the newer of two versions, and records the other', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path }, { keyring });
    await using two = await openReplica({ url: remote.path }, { keyring });
    await using blind = await openReplica({ url: remote.path });
    await one.call('store', { scope, key: 'both', value: { a: 1 } });
    await converge([one, two, blind]);
    await one.call('store', { scope, key: 'both', value: { a: 2 } });
    await two.call('store', { scope, key: 'both', value: { a: 1, b: 2 } });
    await sync(one);
    await two.memory.flush();
    blind.git('fetch', '--quiet', join(two.dataDir, 'memory.git'), 'main:refs/heads/two');
    await sync(blind);
    const { kind, conflicts } = await blind.memory.take(blind.git('rev-parse', 'two').trim());
    expect([kind, conflicts]).toEqual(['merged', 1]);
  });
});
