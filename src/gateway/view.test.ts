import { describe, expect, it } from 'vitest';
import type { Listing } from '../catalog/listing.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Instance } from '../pool/instance.ts';
import { rewriteResult } from './rewrite.ts';
import { capabilitiesOf, compileView } from './view.ts';

function listing(parts: Partial<Listing>): Listing {
  return {
    era: 'legacy',
    server: { info: { name: 'x', version: '1' }, capabilities: { tools: {} } },
    tools: [],
    prompts: [],
    resources: [],
    resourceTemplates: [],
    caching: {},
    ...parts,
  };
}

/** The little of an instance that a view reads. */
function instance(alias: string, parts: Partial<Listing>): Instance {
  return {
    spec: { id: alias, name: alias, alias, port: 4200 },
    listing: listing(parts),
  } as unknown as Instance;
}

const seed = (alias: string, parts: Partial<Listing>) => ({ alias, instances: [instance(alias, parts)] });

describe('compileView', () => {
  const everything = seed('every_Thing', {
    tools: [
      {
        name: 'echo',
        inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
        _meta: { ui: { resourceUri: 'ui://page' } },
      },
    ],
    prompts: [{ name: 'hello' }],
    resources: [{ uri: 'demo://one', name: 'one' }],
    resourceTemplates: [{ uriTemplate: 'demo://{id}', name: 'any' }],
    server: { info: { name: 'e', version: '1' }, capabilities: { tools: {}, prompts: {}, resources: {} } },
    caching: { tools: { ttlMs: 5, cacheScope: 'public' } },
  });

  it('shows every tool though two servers come to the same name', () => {
    const tool = (name: string) => ({ tools: [{ name }] });
    const groups = [seed('a', tool('b__c')), seed('a__b', tool('c')), seed('a__b', tool('c'))];
    groups.forEach(({ instances }, n) => Object.assign(instances[0]!.spec, { port: 4200 + n }));
    const view = compileView('all', groups, false);
    expect(view.lists.tools.map(({ name }) => name)).toEqual(['a__b__c', 'a__b-4201__c', 'a__b-4202__c']);
    expect([...view.tools.values()].map(({ group }) => group.instances[0])).toEqual(
      groups.map(({ instances }) => instances[0]),
    );
  });

  it('prefixes names and URIs in a shared mount, and finds the way back', () => {
    const view = compileView('all', [everything], false);
    expect(view.lists.tools[0]).toMatchObject({
      name: 'every_Thing__echo',
      _meta: { ui: { resourceUri: 'gm.every.thing+ui://page' } },
    });
    expect(view.tools.get('every_Thing__echo')).toMatchObject({
      name: 'echo',
      paramHeaders: [{ path: ['region'], header: 'region' }],
    });
    expect(view.lists.prompts[0]?.['name']).toBe('every_Thing__hello');
    expect(view.lists.resourceTemplates[0]?.['uriTemplate']).toBe('gm.every.thing+demo://{id}');
    expect(view.resolveUri('GM.every.thing+demo://one')?.uri).toBe('demo://one');
    expect(view.resolveUri('demo://one')).toBeUndefined();
    expect(capabilitiesOf(view)).toMatchObject({ tools: {}, prompts: {}, resources: { subscribe: true } });
  });

  it('passes everything through in a single mount', () => {
    const view = compileView('server:x', [everything], true);
    expect(view.lists.tools[0]).toBe(everything.instances[0]?.listing?.tools[0]);
    expect(view.resolveUri('demo://one')?.uri).toBe('demo://one');
  });

  it('keeps servers apart whose names clash, in names and in URIs', () => {
    const tools: JsonObject[] = [{ name: 'run', inputSchema: {} }];
    const view = compileView(
      'all',
      [seed('a_b', { tools }), seed('A.b', { tools }), seed('', { tools })],
      false,
    );
    expect(new Set(view.tools.keys()).size).toBe(3);
    expect(view.tools.get('run')?.group.alias).toBe('');
    expect(new Set(view.groups.map(({ prefix }) => prefix)).size).toBe(3);
  });

  it('merges caching to the shortest and the most private', () => {
    const other = seed('b', { caching: { tools: { ttlMs: 9, cacheScope: 'private' } } });
    expect(compileView('all', [everything, other], false).caching.tools).toEqual({
      ttlMs: 5,
      cacheScope: 'private',
    });
  });

  it('lists what is known when one upstream was never reached', () => {
    const silent = { alias: 'down', instances: [{ ...instance('down', {}), listing: undefined }] };
    expect(compileView('all', [silent, everything], false).lists.tools).toHaveLength(1);
  });
});

describe('rewriteResult', () => {
  it('maps links, embedded resources, contents and messages, and nothing else', () => {
    const mapUri = (uri: string) => `gm.x+${uri}`;
    const text = { type: 'text', text: 'demo://one' };
    const result = rewriteResult(
      {
        content: [
          text,
          { type: 'resource_link', uri: 'a://1' },
          { type: 'resource', resource: { uri: 'a://2', text: '' } },
        ],
        structuredContent: { uri: 'a://3' },
      },
      mapUri,
    );
    expect(result).toEqual({
      content: [
        text,
        { type: 'resource_link', uri: 'gm.x+a://1' },
        { type: 'resource', resource: { uri: 'gm.x+a://2', text: '' } },
      ],
      structuredContent: { uri: 'a://3' },
    });
    expect(rewriteResult({ contents: [{ uri: 'a://1', text: 'x' }] }, mapUri)).toEqual({
      contents: [{ uri: 'gm.x+a://1', text: 'x' }],
    });
    expect(
      rewriteResult(
        { messages: [{ role: 'user', content: { type: 'resource', resource: { uri: 'a://1' } } }] },
        mapUri,
      ),
    ).toEqual({
      messages: [{ role: 'user', content: { type: 'resource', resource: { uri: 'gm.x+a://1' } } }],
    });
  });

  it('returns the same object when there is nothing to map', () => {
    const result = { content: [{ type: 'text', text: 'x' }] };
    expect(rewriteResult(result, (uri) => `p+${uri}`)).toBe(result);
  });
});
