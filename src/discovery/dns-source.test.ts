import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import type { Findings } from './announcement.ts';
import { bestOf, createDnsSource, type SrvAnswer, type SrvTarget } from './dns-source.ts';

const name = '_mcp._tcp.example.org';
const options = {
  name,
  server: 'docs',
  scheme: 'https',
  path: '/mcp',
  everySeconds: 30,
  baseDir: '/',
} as const;
const target = (host: string, port = 443, priority = 10, weight = 1): SrvTarget => ({
  host,
  port,
  priority,
  weight,
});

/** A source whose name server says what `answer` says. */
function setUp() {
  const clock = createFakeClock();
  const findings: Findings[] = [];
  const state: { answer: SrvAnswer | Error; asked: number } = { answer: { targets: [] }, asked: 0 };
  const source = createDnsSource(
    options,
    async (found) => void findings.push(found),
    async () => {
      state.asked += 1;
      if (state.answer instanceof Error) throw state.answer;
      return state.answer;
    },
    clock,
  );
  return {
    clock,
    state,
    source,
    names: () => findings.at(-1)?.servers.map((server) => server.name),
    problems: () => findings.at(-1)?.problems,
    urls: () => findings.at(-1)?.servers.map(({ entry }) => entry.url),
  };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('createDnsSource', () => {
  it('makes a server of each target of the best priority', async () => {
    const { source, state, names, urls } = setUp();
    state.answer = {
      targets: [target('B.example.org.', 8443), target('a.example.org'), target('spare', 1, 20)],
    };
    await source.look();
    expect(urls()).toEqual(['https://b.example.org:8443/mcp', 'https://a.example.org:443/mcp']);
    expect(names()).toEqual(['docs-b.example.org-8443', 'docs-a.example.org-443']);
  });

  it('asks again when the answer has run out, and not more often than it is told to', async () => {
    const { source, state, clock } = setUp();
    state.answer = { targets: [], ttlSeconds: 300 };
    await source.look();
    clock.advance(299_000);
    expect(state.asked).toBe(1);
    clock.advance(1000);
    expect(state.asked).toBe(2);
    await source[Symbol.asyncDispose]();
    clock.advance(1_000_000);
    expect(state.asked).toBe(2);
  });

  it('keeps what it found while no name server answers, and lets go when there is no such name', async () => {
    const { source, state, names, problems } = setUp();
    state.answer = { targets: [target('a')] };
    await source.look();
    state.answer = failure('ESERVFAIL');
    await source.look();
    expect([names(), problems()]).toEqual([['docs-a-443'], [`${name}: ESERVFAIL`]]);
    state.answer = failure('ENOTFOUND');
    await source.look();
    expect(names()).toEqual([]);
  });
});

describe('bestOf', () => {
  const targets = fc.array(
    fc.record({
      host: fc.constantFrom('.', 'a', 'b', 'c'),
      port: fc.integer({ min: 0, max: 3 }),
      priority: fc.integer({ min: 0, max: 3 }),
      weight: fc.nat(9),
    }),
  );

  it('takes all real targets of the lowest number and no other, each once, whatever their order', () => {
    fc.assert(
      fc.property(targets, (given) => {
        const best = bestOf(given);
        const real = given.filter(({ host, port }) => host !== '.' && port > 0);
        const lowest = Math.min(...real.map(({ priority }) => priority));
        const places = new Set(
          real.filter(({ priority }) => priority === lowest).map(({ host, port }) => `${host}:${port}`),
        );
        expect(best.map(({ host, port }) => `${host}:${port}`)).toEqual([...places].sort());
        const again = bestOf(given.toReversed());
        expect(again.map(({ host, port }) => `${host}:${port}`)).toEqual([...places].sort());
      }),
    );
  });
});
