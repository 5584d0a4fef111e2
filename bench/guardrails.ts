/**
 * How well the guardrails tell what they look for, on the corpus of test/fixtures, and what they cost: microseconds for
 * a KB of ordinary text, and for the worst texts that we know. `node bench/guardrails.ts [--kilobytes 4000]`.
 * Last line: one JSON object.
 */

import { parseArgs } from 'node:util';
import type { Guardrail } from '../src/guardrails/guardrail.ts';
import { readers, readSamples, rulesIn, scoreOf } from '../test/fixtures/guardrail-corpus.ts';
import { worstTexts } from '../test/fixtures/guardrail-worst-texts.ts';

const { values } = parseArgs({ options: { kilobytes: { type: 'string', default: '4000' } } });
const kilobytes = Number(values.kilobytes);
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** What tools answer, mostly: nothing is to be found in it. */
const prose = [
  'The build finished in 12.4 seconds with 3 warnings; see docs/build.md for what they mean.',
  '{"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"report.pdf","size":482113,"tags":["finance","q3"]}',
  'export function createPool(options: PoolOptions): Pool { const members = new Map<string, Member>(); }',
  'ประชุมวันศุกร์เวลา 10 โมง เรื่องงบประมาณไตรมาสสาม กรุณาเตรียมเอกสารมาด้วย',
];

function textOf(sizeBytes: number): string {
  let text = '';
  for (let n = 0; text.length < sizeBytes; n += 1) text += `${prose[n % prose.length]} ${n}\n`;
  return text.slice(0, sizeBytes);
}

/** Microseconds for a KB; the second of two runs, the first is for the compiler. */
function microsecondsPerKilobyte(guardrail: Guardrail, text: string, total: number): number {
  const direction = guardrail.directions[0]!;
  const rounds = Math.max(1, Math.round((total * 1024) / text.length));
  let tookMs = 0;
  for (let run = 0; run < 2; run += 1) {
    // Of this process: what else runs on the machine does not count.
    const before = process.cpuUsage();
    for (let n = 0; n < rounds; n += 1) rulesIn(guardrail, text, { direction, name: '' });
    const { user, system } = process.cpuUsage(before);
    tookMs = (user + system) / 1000;
  }
  return round((tookMs * 1000 * 1024) / (rounds * text.length));
}

const result: Record<string, object> = {};
for (const [file, guardrail] of readers) {
  const { positives, negatives, precision, recall } = scoreOf(guardrail, readSamples(file));
  const short = microsecondsPerKilobyte(guardrail, textOf(200), kilobytes / 4);
  const long = microsecondsPerKilobyte(guardrail, textOf(8192), kilobytes);
  const worst = Math.max(...worstTexts(8192).map((text) => microsecondsPerKilobyte(guardrail, text, 64)));
  const figures = {
    positives,
    negatives,
    precision: round(precision),
    recall: round(recall),
    short,
    long,
    worst,
  };
  result[guardrail.name] = figures;
  process.stdout.write(
    `${guardrail.name}: precision ${figures.precision}, recall ${figures.recall} of ${positives}; ` +
      `${short} µs a KB in texts of 200 bytes, ${long} in texts of 8 KB, ${worst} at worst\n`,
  );
}
process.stdout.write(`${JSON.stringify({ bench: 'guardrails', ...result })}\n`);
