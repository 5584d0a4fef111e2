/** Writes calls and metrics into a file, a JSON object a line. A file that is full is set aside under a number. */

import { appendFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { ExportBatch, ExporterDefinition } from '../../kernel/exporter.ts';

const settings = z.strictObject({
  file: z.string().min(1).describe('Where to; relative to the config file.'),
  maxBytes: z.int().min(1024).default(10_485_760).describe('A file that would be longer is set aside.'),
  keep: z
    .int()
    .min(0)
    .max(1000)
    .default(5)
    .describe('So many that were set aside are kept: <file>.1 is the newest.'),
});
type Settings = z.output<typeof settings>;

function linesOf({ at, calls, droppedCalls, metrics }: ExportBatch): string {
  const lines: object[] = calls.map(({ atMs, durationMs, ...call }) => ({
    type: 'call',
    at: new Date(atMs).toISOString(),
    durationMs: Math.round(durationMs * 1000) / 1000,
    ...call,
  }));
  if (droppedCalls > 0) lines.push({ type: 'dropped', at, calls: droppedCalls });
  if (metrics) lines.push({ type: 'metrics', at, values: metrics });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** `a.jsonl` becomes `a.jsonl.1`, that `a.jsonl.2`; the oldest goes. */
async function setAside(file: string, keep: number): Promise<void> {
  await rm(keep === 0 ? file : `${file}.${keep}`, { force: true });
  for (let n = keep - 1; n >= 0; n -= 1)
    await rename(n === 0 ? file : `${file}.${n}`, `${file}.${n + 1}`).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      },
    );
}

/** Paths are seen from `baseDir`. */
export function createJsonlExporter(baseDir: string): ExporterDefinition<Settings> {
  return {
    name: 'jsonl',
    settings,
    async start(feed, { file: path, maxBytes, keep }) {
      const file = resolve(baseDir, path);
      await mkdir(dirname(file), { recursive: true });
      let bytes = await stat(file).then(
        ({ size }) => size,
        () => 0,
      );
      for await (const batch of feed) {
        const text = linesOf(batch);
        const length = Buffer.byteLength(text);
        if (bytes > 0 && bytes + length > maxBytes) {
          await setAside(file, keep);
          bytes = 0;
        }
        await appendFile(file, text, { mode: 0o600 });
        bytes += length;
      }
    },
  };
}
