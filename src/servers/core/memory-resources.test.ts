import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import type { RpcNotification } from '../../kernel/json-rpc.ts';
import { createWatches } from '../../transport/in-process/resources.ts';
import { memoryUri, parseMemoryUri } from '../../kernel/memory/memory-uri.ts';
import { memoryResources } from './memory-resources.ts';

const scope = fc.constantFrom('shared', 'coordinator', 'category:database', 'server:sqlite-3104');

describe('memory URIs', () => {
  it('lead back to their memory, whatever its key', () => {
    fc.assert(
      fc.property(scope, fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }), (where, key) => {
        const uri = memoryUri(where, key);
        expect(parseMemoryUri(uri)).toEqual({ scope: where, key: key.normalize('NFC') });
        expect(memoryResources.canonical(uri)).toBe(memoryUri(where, key.normalize('NFC')));
        expect(() => new URL(uri)).not.toThrow();
      }),
    );
  });

  it.each([
    'memory://category:database/a/b',
    'memory://category%3Adatabase/a/b',
    'MEMORY://category:database/a/b',
  ])('has one meaning in the spelling %s', (uri) => {
    expect(memoryResources.canonical(uri)).toBe('memory://category%3Adatabase/a/b');
  });

  it.each([
    'memory://',
    'memory://shared',
    'memory://shared/',
    'memory://elsewhere/x',
    'memory://shared/%E0%A4',
    'file:///x',
    '',
  ])('takes %j for none', (uri) => {
    expect(parseMemoryUri(uri)).toBeUndefined();
  });
});

describe('watched memories', () => {
  it('are told once per pause, under every spelling that was asked for', () => {
    const clock = createFakeClock();
    const got: RpcNotification[] = [];
    const watches = createWatches(memoryResources, (notification) => got.push(notification), clock);
    const spellings = ['memory://shared/แผน', memoryUri('shared', 'แผน')];
    for (const uri of spellings) watches.add(uri);
    watches.add('file:///not/ours');
    for (let n = 0; n < 100; n += 1) watches.memoryChanged({ scope: 'shared', key: 'แผน' });
    watches.memoryChanged({ scope: 'shared', key: 'other' });
    clock.advance(100);
    expect(got.map(({ params }) => params?.['uri'])).toEqual(spellings);
    watches.remove(spellings[0]!);
    watches.memoryChanged({ scope: 'shared', key: 'แผน' });
    clock.advance(100);
    expect(got).toHaveLength(3);
    watches.remove(spellings[1]!);
    watches.memoryChanged({ scope: 'shared', key: 'แผน' });
    clock.advance(100);
    expect(got).toHaveLength(3);
  });

  it('say where in the change feed they are, in the order of the feed', () => {
    const clock = createFakeClock();
    const got: unknown[] = [];
    const watches = createWatches(memoryResources, ({ params }) => got.push(params), clock);
    for (const key of ['a', 'b']) watches.add(memoryUri('shared', key));
    for (const [key, position] of [
      ['a', 'e-1'],
      ['b', 'e-2'],
      ['a', 'e-3'],
    ] as const)
      watches.memoryChanged({ scope: 'shared', key, position });
    clock.advance(100);
    expect(got).toEqual([
      { uri: 'memory://shared/b', _meta: { 'git-memory-mcp/position': 'e-2' } },
      { uri: 'memory://shared/a', _meta: { 'git-memory-mcp/position': 'e-3' } },
    ]);
  });
});
