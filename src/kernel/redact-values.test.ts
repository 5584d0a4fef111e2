import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRedactor } from './redact-values.ts';

it('leaves no known secret in a text, however it is written', () => {
  const texts = fc.string({ minLength: 8, unit: 'grapheme' }).filter((text) => text.trim().length >= 8);
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), texts, (secrets, around) => {
      const redactor = createRedactor();
      for (const secret of secrets) redactor.add(secret);
      for (const secret of secrets) {
        const forms = [secret, JSON.stringify({ a: secret }), encodeURIComponent(secret.toWellFormed())];
        for (const form of forms) expect(redactor.redact(`${around} ${form}`)).not.toContain(secret);
        const basic = Buffer.from(secret).toString('base64');
        expect(redactor.redact(`Basic ${basic}`)).toBe('Basic [redacted]');
      }
    }),
  );
});

it('leaves short ones and other text alone', () => {
  const redactor = createRedactor();
  redactor.add('short');
  redactor.add('a longer secret');
  redactor.add('a longer secret with an end');
  expect(redactor.redact('short text: a longer secret with an end')).toBe('short text: [redacted]');
});
