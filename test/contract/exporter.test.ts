/** One battery for every exporter: the one built in, and that of the example plugin. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadPlugins } from '../../src/catalog/load-plugins.ts';
import { createFakeClock } from '../../src/kernel/clock.ts';
import type { ExportBatch, ExporterDefinition } from '../../src/kernel/exporter.ts';
import { type Logger, silentLogger } from '../../src/kernel/log.ts';
import type { FinishedCall } from '../../src/kernel/observations.ts';
import { createJsonlExporter } from '../../src/metrics/exporters/jsonl.ts';
import { startExporters } from '../../src/metrics/run-exporters.ts';
import { createExportFeed } from '../../src/metrics/export-feed.ts';

const examples = join(import.meta.dirname, '../../examples');
const settled = () => new Promise((resolve) => setImmediate(resolve));
const snapshot = async () => ({ git_memory_mcp_sessions: [{ labels: {}, value: 1 }] });
const call = (n: number): FinishedCall => ({
  atMs: 1000 + n,
  durationMs: n + 0.25,
  server: 's',
  method: 'tools/call',
  name: `t${n}`,
  era: 'modern',
  requestId: `r${n}`,
  outcome: 'ok',
  tries: 1,
});

let dir = '';
/** What an exporter wrote to standard error. */
const printed: string[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'exporter-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true, force: true });
});

const lines = async (file: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(dir, file), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

interface Kind {
  readonly use: string;
  readonly settings: object;
  readonly badSettings: object;
  /** Names of the calls that it wrote somewhere. */
  readonly written: () => Promise<unknown[]>;
}

const kinds: readonly Kind[] = [
  {
    use: 'jsonl',
    settings: { file: 'deep/calls.jsonl' },
    badSettings: { file: '' },
    written: async () =>
      (await lines('deep/calls.jsonl')).filter(({ type }) => type === 'call').map(({ name }) => name),
  },
  {
    use: 'slow-calls/console',
    settings: { overMs: 0 },
    badSettings: { overMs: 'long' },
    written: async () => printed.map((line) => line.split(' ').at(-1)),
  },
];

describe.each(kinds)('$use', ({ use, settings, badSettings, written }) => {
  async function setUp(own: object = settings) {
    printed.length = 0;
    vi.spyOn(console, 'error').mockImplementation((line) => void printed.push(String(line)));
    const { exporters } = await loadPlugins(['./plugin-exporter'], examples, []);
    const jsonl = createJsonlExporter(dir) as ExporterDefinition;
    const error = vi.fn<Logger['error']>();
    const clock = createFakeClock();
    const running = startExporters({
      config: [{ use, settings: own, intervalMs: 5000 }],
      known: new Map([['jsonl', jsonl], ...exporters]),
      snapshot,
      clock,
      logger: { ...silentLogger, error },
      flushMs: 1000,
    });
    return { running, clock, error };
  }

  it('writes every call in order, those at the end too', async () => {
    const { running, clock, error } = await setUp();
    for (let n = 0; n < 3; n += 1) running.push(call(n));
    clock.advance(1000);
    await settled();
    for (let n = 3; n < 1300; n += 1) running.push(call(n));
    clock.advance(5000);
    running.push(call(1300));
    await running[Symbol.asyncDispose]();
    expect(await written()).toEqual(Array.from({ length: 1301 }, (_, n) => `t${n}`));
    expect(error).not.toHaveBeenCalled();
  });

  it('ends when there was nothing to do', async () => {
    const { running, error } = await setUp();
    await running[Symbol.asyncDispose]();
    expect(error).not.toHaveBeenCalled();
  });

  it('does not start with settings that it does not take', async () => {
    await expect(setUp(badSettings)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/exporters\.0\.settings\./),
    });
  });
});

describe('jsonl', () => {
  it('sets a full file aside, and keeps so many', async () => {
    const feed = createExportFeed(createFakeClock());
    const writing = createJsonlExporter(dir).start(
      feed.feed,
      { file: 'a.jsonl', maxBytes: 1024, keep: 2 },
      new AbortController().signal,
    );
    for (let n = 0; n < 6; n += 1) {
      for (let m = 0; m < 500; m += 1) feed.push(call(n));
      await settled();
    }
    feed.end();
    await writing;
    expect((await readdir(dir)).sort()).toEqual(['a.jsonl', 'a.jsonl.1', 'a.jsonl.2']);
    expect((await lines('a.jsonl')).map(({ name }) => name)).toEqual(Array.from({ length: 500 }, () => 't5'));
    expect((await lines('a.jsonl.1'))[0]).toMatchObject({ type: 'call', name: 't4', durationMs: 4.25 });
    expect((await lines('a.jsonl.2'))[0]).toMatchObject({ name: 't3' });
  });

  it('writes snapshots of the metrics as they come', async () => {
    const clock = createFakeClock(5);
    const feed = createExportFeed(clock);
    const settings = { file: 'm.jsonl', maxBytes: 1024, keep: 0 };
    const writing = createJsonlExporter(dir).start(feed.feed, settings, new AbortController().signal);
    feed.snapshot(await snapshot());
    feed.end();
    await writing;
    expect(await lines('m.jsonl')).toEqual([
      { type: 'metrics', at: '1970-01-01T00:00:00.005Z', values: await snapshot() },
    ]);
  });
});

describe('a feed', () => {
  it('holds no more than it may for a slow reader, and says how many calls are missing', async () => {
    const feed = createExportFeed(createFakeClock());
    for (let n = 0; n < 12_000; n += 1) feed.push(call(n));
    feed.end();
    const batches: ExportBatch[] = [];
    for await (const batch of feed.feed) batches.push(batch);
    expect(batches.flatMap(({ calls }) => calls)).toHaveLength(10_000);
    expect(Math.max(...batches.map(({ calls }) => calls.length))).toBe(500);
    expect(batches.reduce((sum, { droppedCalls }) => sum + droppedCalls, 0)).toBe(2000);
    expect(feed.dropped).toBe(2000);
  });
});

describe('an exporter that fails', () => {
  const run = (start: ExporterDefinition['start'], flushMs = 1000) => {
    const error = vi.fn<Logger['error']>();
    const warn = vi.fn<Logger['warn']>();
    const clock = createFakeClock();
    const running = startExporters({
      config: [{ use: 'x', intervalMs: 1000 }],
      known: new Map([['x', { name: 'x', start }]]),
      snapshot,
      clock,
      logger: { ...silentLogger, error, warn },
      flushMs,
    });
    return { running, clock, error, warn };
  };

  it('is left out, with one line in the log', async () => {
    const { running, error } = run(async () => {
      throw new Error('no disk');
    });
    await settled();
    for (let n = 0; n < 20_000; n += 1) running.push(call(n));
    await running[Symbol.asyncDispose]();
    expect(error.mock.calls).toEqual([
      [{ exporter: 'x', problem: 'no disk' }, 'an exporter failed and gets no more'],
    ]);
  });

  it('is not waited for longer than it may take, and is told so', async () => {
    let aborted = false;
    const { running, clock, warn } = run(async (_feed, _settings, signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      await new Promise(() => {});
    });
    const ending = running[Symbol.asyncDispose]();
    await settled();
    clock.advance(1000);
    await ending;
    expect(aborted).toBe(true);
    expect(warn.mock.lastCall?.[1]).toMatch(/did not finish in time/);
  });

  it('is not there: nothing starts', () => {
    const options = {
      known: new Map(),
      snapshot,
      clock: createFakeClock(),
      logger: silentLogger,
      flushMs: 1,
    };
    expect(() => startExporters({ ...options, config: [{ use: 'a/b', intervalMs: 1 }] })).toThrow(
      /exporters\.0\.use: "a\/b" is not one of/,
    );
  });
});
