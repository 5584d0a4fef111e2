import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readers, readSamples, rulesIn, scoreOf } from '../../test/fixtures/guardrail-corpus.ts';
import { worstTexts } from '../../test/fixtures/guardrail-worst-texts.ts';

/** As docs/guides/guardrails.md says. */
const floors: Readonly<Record<string, { readonly precision: number; readonly recall: number }>> = {
  secretLeak: { precision: 0.99, recall: 0.94 },
  personalData: { precision: 0.99, recall: 0.95 },
  injection: { precision: 0.94, recall: 0.91 },
  pathsAndUrls: { precision: 0.99, recall: 0.99 },
};

describe.each(readers)('the corpus of %s', (file, guardrail) => {
  it('is told as well as the guide says', () => {
    const { precision, recall, wrong } = scoreOf(guardrail, readSamples(file));
    const floor = floors[guardrail.name]!;
    expect({ precision, recall, wrong }).toMatchObject({
      precision: expect.toSatisfy((value: number) => value >= floor.precision),
      recall: expect.toSatisfy((value: number) => value >= floor.recall),
    });
  });

  it('has no text that keeps it busy', { timeout: 60_000 }, () => {
    // Were one of them quadratic, this would take hours.
    for (const text of worstTexts(400_000)) {
      for (const direction of guardrail.directions) {
        expect(rulesIn(guardrail, text, { direction, name: '' }).length).toBeLessThan(text.length);
      }
    }
  });

  it('reports parts that are in the text', () => {
    const pieces = fc.constantFrom(...readSamples(file).map(({ text }) => text), '…', '\u{1F468}', 'ก');
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 6 }), (parts) => {
        const text = parts.join(' ');
        for (const direction of guardrail.directions) {
          guardrail.inspect!(text, { direction, name: 'path' }, (_, start, end) => {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(text.length);
          });
        }
      }),
      { numRuns: 100 },
    );
  });
});

it('has enough samples', () => {
  const samples = readers.flatMap(([file]) => readSamples(file));
  const positives = samples.filter(({ expected }) => expected.length > 0);
  expect(positives.length).toBeGreaterThanOrEqual(150);
  expect(samples.length - positives.length).toBeGreaterThanOrEqual(300);
});
