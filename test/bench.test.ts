/** Benches are run by hand and seldom, so each is run here, as small as it can be: it still works and ends with figures. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const bench = (name: string) => join(import.meta.dirname, '..', 'bench', `${name}.ts`);

/** Numbers anywhere in a value; what is no number in JSON is `null` there. */
function figuresIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(figuresIn);
}

it.each([
  ['guardrails', '--kilobytes', '16'],
  ['guards', '--requests', '100', '--keys', '20'],
  ['merge', '--keys', '200', '--changes', '20', '--rounds', '1'],
  ['metrics'],
  ['queue', '--calls', '200'],
  ['replacement', '--instances', '4', '--rounds', '1'],
  ['search', '--keys', '1000', '--queries', '5'],
  ['selection', '--picks', '1000'],
  ['store', '--operations', '20'],
  ['sync', '--keys', '20', '--shared', '2'],
])('bench/%s.ts ends with a line of figures', { timeout: 120_000 }, async (name, ...args) => {
  const { stdout } = await promisify(execFile)(process.execPath, [bench(name), ...args]);
  const figures = figuresIn(JSON.parse(stdout.trimEnd().split('\n').at(-1)!));
  expect(figures.filter((one) => typeof one === 'number').length).toBeGreaterThan(2);
  expect(figures).not.toContain(null);
});
