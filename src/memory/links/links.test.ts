import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTestMemory, type TestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import type { MemoryInput } from '../../kernel/memory/operations.ts';
import { describeValue, estimateTokens } from './describe-value.ts';

async function links(test: TestMemory, key: string, more: Partial<MemoryInput<'links'>> = {}) {
  const found = await test.call('links', { key, ...more });
  return {
    ...found,
    short: found.nodes.map(({ key: to, depth, via }) => `${depth} ${via.direction} ${to}`),
    gone: found.missing.map((one) => one.key),
  };
}

async function storeAll(test: TestMemory, values: Readonly<Record<string, unknown>>): Promise<void> {
  await test.call('store_many', { entries: Object.entries(values).map(([key, value]) => ({ key, value })) });
}

describe('links of a memory', () => {
  it('lead out, back and on, nearest first, each memory once', async () => {
    await using test = await openTestMemory();
    await storeAll(test, {
      a: '# Plan A\n\nsee [[b]] and [c](c.md), [[gone]]',
      b: { title: 'Bee', next: 'memory://shared/d' },
      c: 'back to [[a]]',
      d: 'the end [[b]]',
      e: '[[a|from e]]',
    });
    const near = await links(test, 'a');
    expect(near.short).toEqual(['1 out b', '1 out c', '1 in e']);
    expect(near.nodes[0]).toEqual({
      scope: 'shared',
      key: 'b',
      title: 'Bee',
      snippet: '{"next":"memory://shared/d","title":"Bee"}',
      depth: 1,
      via: { from: { scope: 'shared', key: 'a' }, direction: 'out', kind: 'wikilink' },
    });
    expect(near.nodes[2]?.via).toMatchObject({ direction: 'in', label: 'from e' });
    expect([near.gone, near.omitted]).toEqual([['gone'], 0]);
    expect((await links(test, 'a', { depth: 2 })).short).toEqual(['1 out b', '1 out c', '1 in e', '2 out d']);
    expect((await links(test, 'a', { direction: 'in' })).short).toEqual(['1 in c', '1 in e']);
    expect(await links(test, 'gone')).toMatchObject({ exists: false, short: ['1 in a'] });
    await expect(test.call('links', { key: 'unheard of' })).rejects.toMatchObject({
      code: 'MEMORY_NOT_FOUND',
    });
  });

  it('go with what is stored, deleted, pushed and built anew', async () => {
    await using test = await openTestMemory();
    await storeAll(test, { a: '[[b]]', b: 'x' });
    expect((await links(test, 'b')).short).toEqual(['1 in a']);
    await test.call('store', { key: 'a', value: 'no link' });
    expect((await links(test, 'b')).short).toEqual([]);
    await test.call('append', { key: 'a', text: '[[b]]' });
    await test.call('delete', { key: 'b' });
    expect((await links(test, 'a')).gone).toEqual(['b']);
    await test.call('store', { key: 'c', value: { to: 'memory://shared/a' } });
    await test.memory.flush();
    await test.close();
    rmSync(`${test.dataDir}/index.sqlite`);
    await test.reopen();
    expect(await links(test, 'a')).toMatchObject({ short: ['1 in c'], gone: ['b'] });
    await test.call('delete', { key: 'c' });
    expect((await links(test, 'a')).short).toEqual([]);
  });

  it('find notes by the end of their key, as vaults are written', async () => {
    await using test = await openTestMemory();
    await storeAll(test, {
      'vault/projects/Apollo': 'see [[people/ada]]',
      'vault/people/Ada': 'works on [[apollo]]',
      'vault/archive/old/Apollo': 'before',
      'vault/archive/old/note': '[[Apollo]]',
      Home: '[[apollo]]',
      'vault/x': '[[home]]',
    });
    expect((await links(test, 'vault/people/Ada', { direction: 'out' })).short).toEqual([
      '1 out vault/projects/Apollo',
    ]);
    expect((await links(test, 'vault/archive/old/note', { direction: 'out' })).short).toEqual([
      '1 out vault/archive/old/Apollo',
    ]);
    expect((await links(test, 'vault/projects/Apollo', { direction: 'in' })).short).toEqual([
      '1 in Home',
      '1 in vault/people/Ada',
    ]);
    expect((await links(test, 'vault/archive/old/Apollo', { direction: 'in' })).short).toEqual([
      '1 in vault/archive/old/note',
    ]);
    expect((await links(test, 'vault/people/Ada', { direction: 'in' })).short).toEqual([
      '1 in vault/projects/Apollo',
    ]);
    expect((await links(test, 'Home', { direction: 'in' })).short).toEqual(['1 in vault/x']);
    await test.call('store', { key: 'apollo', value: 'the one named so' });
    expect((await links(test, 'Home', { direction: 'out' })).short).toEqual(['1 out apollo']);
  });

  it('follow the relations of an imported graph', async () => {
    await using test = await openTestMemory();
    await storeAll(test, {
      'graph/entities/Somchai': { name: 'Somchai', relations: [{ to: 'Bangkok', relationType: 'lives in' }] },
      'graph/entities/Bangkok': { name: 'Bangkok', relations: [{ to: 'Thailand', relationType: 'is in' }] },
      'graph/entities/Thailand': { name: 'Thailand', relations: [] },
    });
    const found = await links(test, 'graph/entities/Somchai', { depth: 2 });
    expect(found.nodes.map(({ title, via }) => [title, via.kind, via.label])).toEqual([
      ['Bangkok', 'relation', 'lives in'],
      ['Thailand', 'relation', 'is in'],
    ]);
  });

  it('stay in the budget, and say what was left out', async () => {
    await using test = await openTestMemory();
    const many = Array.from({ length: 300 }, (_, i) => `n/${i}`);
    await storeAll(test, {
      hub: many.map((key) => `[[${key}]]`).join('\n'),
      ...Object.fromEntries(many.map((key) => [key, `# ${key}\n${'words '.repeat(50)}`])),
    });
    const found = await links(test, 'hub', { maxTokens: 1000 });
    expect(found.tokens).toBeLessThanOrEqual(1000);
    expect(estimateTokens(JSON.stringify([found.nodes, found.missing]))).toBeLessThan(1100);
    expect(found.nodes.length).toBeGreaterThan(5);
    expect(found.nodes.length + found.omitted).toBe(300);
    const all = await links(test, 'hub', { maxTokens: 50_000, depth: 5 });
    expect([all.nodes.length, all.omitted]).toEqual([300, 0]);
  });

  it('show the surroundings in a large graph for a fraction of what reading it all costs', async () => {
    await using test = await openTestMemory();
    const entities = Array.from({ length: 800 }, (_, i) => ({
      name: `Entity ${i}`,
      entityType: 'thing',
      observations: Array.from(
        { length: 6 },
        (__, n) => `observation ${n} of number ${i}, as people write them`,
      ),
      relations: [1, 7, 31].map((step) => ({ to: `Entity ${(i + step) % 800}`, relationType: 'is near' })),
    }));
    await test.call('store_many', {
      entries: entities.map((value) => ({ key: `graph/entities/${value.name}`, value })),
    });
    expect(estimateTokens(JSON.stringify(entities))).toBeGreaterThan(50_000);
    const found = await links(test, 'graph/entities/Entity 5', { depth: 2 });
    expect(found.tokens).toBeLessThanOrEqual(2000);
    expect(found.nodes.filter(({ depth }) => depth === 1)).toHaveLength(6);
    expect(found.omitted).toBeGreaterThan(0);
  });

  it('do not lead to what has expired, nor across scopes by chance', async () => {
    const clock = createFakeClock(1_800_000_000_000);
    await using test = await openTestMemory({ clock });
    await storeAll(test, { a: '[[b]] [[category:database/b]]' });
    await test.call('store', { key: 'b', value: 'short lived', ttlSeconds: 10 });
    await test.call('store', { key: 'b', value: 'other', scope: 'category:database' });
    clock.advance(11_000);
    const found = await links(test, 'a');
    expect(found.nodes.map(({ scope }) => scope)).toEqual(['category:database']);
    expect(found.gone).toEqual(['b']);
  });
});

describe('a memory in a few words', () => {
  it('has a title and a beginning', () => {
    expect(describeValue('x/y', 'intro\n## The  plan \nmore')).toEqual({
      title: 'The plan',
      snippet: 'more',
    });
    expect(describeValue('x/y', 'just text')).toEqual({ title: 'y', snippet: 'just text' });
    expect(describeValue('x/y', [1])).toEqual({ title: 'y', snippet: '[1]' });
    expect(describeValue('x', 'ก'.repeat(500)).snippet).toHaveLength(160);
    expect([estimateTokens('word'), estimateTokens('ไทย'), estimateTokens('')]).toEqual([1, 3, 0]);
  });
});
